using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using IngestTools.Http;
using IngestTools.Scheduler.Store;

namespace IngestTools.Scheduler.Notifications;

/// <summary>
/// Posts reports. Of the answer only the status counts: its body is not read, its headers are limited, and a redirect is not followed, so
/// that a server can neither fill the memory nor lead the report elsewhere.
/// </summary>
internal sealed class WebhookSender : IDisposable
{
    /// <summary>Seconds since 1970, as they are signed.</summary>
    public const string TimestampHeader = "IngestTools-Timestamp";

    /// <summary><c>v1=</c> and the HMAC-SHA256 in hexadecimal, of the timestamp, a period and the body.</summary>
    public const string SignatureHeader = "IngestTools-Signature";

    private const int MaxHeaderKibibytes = 16;

    private readonly NotificationOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    public WebhookSender(NotificationOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _client = new HttpClient(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                ConnectTimeout = options.PostLimit,
                MaxResponseHeadersLength = MaxHeaderKibibytes,
                MaxResponseDrainSize = 0,
                // An address may lead to another machine by the next night.
                PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Signs a body.</summary>
    public static string Sign(string secret, string timestamp, ReadOnlySpan<byte> body)
    {
        using IncrementalHash hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hash.AppendData(Encoding.UTF8.GetBytes(timestamp + "."));
        hash.AppendData(body);
        return $"v1={Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }

    public async Task<SendOutcome> SendAsync(string target, byte[] body, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.PostLimit);
        try
        {
            using HttpRequestMessage request = await CreateAsync(target, body, limit.Token);
            using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            return Judge(response.StatusCode);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new SendOutcome($"It did not answer within {_options.PostLimit.TotalSeconds:0.#} s.", IsFinal: false);
        }
        catch (IngestException e)
        {
            return new SendOutcome(e.Message, IsFinal: false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new SendOutcome(Reason(e), IsFinal: false);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<HttpRequestMessage> CreateAsync(string target, byte[] body, CancellationToken cancellationToken)
    {
        Uri uri = await NotificationAddress.ReadAsync(target, cancellationToken);
        HttpRequestMessage request = new(HttpMethod.Post, uri) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("ingest-scheduler", ProductVersion.Text));
        string timestamp = _time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        request.Headers.Add(TimestampHeader, timestamp);
        // Read each time, so that another secret in the file counts at once.
        if (_options.Secret is { } secret)
            request.Headers.Add(SignatureHeader, Sign(await secret(cancellationToken), timestamp, body));
        return request;
    }

    private static SendOutcome Judge(HttpStatusCode status) =>
        (int)status switch
        {
            >= 200 and < 300 => SendOutcome.Sent,
            >= 300 and < 400 => new SendOutcome($"It answered {(int)status}, a redirect, which is not followed.", IsFinal: true),
            408 or 425 or 429 or >= 500 => new SendOutcome($"It answered {(int)status}.", IsFinal: false),
            _ => new SendOutcome($"It answered {(int)status}.", IsFinal: true),
        };

    /// <summary>The innermost cause says most. What a server wrote is not in it.</summary>
    private static string Reason(Exception failure) =>
        failure
            is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded }
            ? "Its answer is not HTTP, or too long."
            : Redaction.EscapeControls(Redaction.HideSecrets(failure.GetBaseException().Message));
}
