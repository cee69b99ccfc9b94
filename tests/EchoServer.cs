using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;

// Compiled by Secrets.Tests.ps1. Stands between a client and a sandbox, and repeats what it knows wherever a server can write: in its
// status line, its headers, and the words of its bodies, in every encoding.
public sealed class EchoServer : IDisposable
{
    private static readonly string[] Refusals =
    {
        "400 Bad",
        "404 Not",
        "409 Busy",
        "412 No",
        "422 Odd",
        "403 Not",
        "500 Broken",
        "302 Elsewhere",
        "418 Odd",
        "200 Fine",
        "401 Who",
    };

    private readonly TcpListener _listener = new TcpListener(IPAddress.Loopback, 0);
    private readonly HttpClient _client = new HttpClient(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
        }
    );
    private readonly string[] _written;
    private readonly ConcurrentQueue<string> _requests = new ConcurrentQueue<string>();
    private int _refused;

    public EchoServer(Uri sandbox, string[] secrets)
    {
        Sandbox = sandbox;
        _written = secrets.SelectMany(Encode).ToArray();
        _listener.Start();
        Task.Run(AcceptAsync);
    }

    public Uri Uri
    {
        get { return new Uri("http://127.0.0.1:" + ((IPEndPoint)_listener.LocalEndpoint).Port + "/"); }
    }

    // "pass" hands requests on and adds to the answers; "fail" refuses all of them; "words" puts the secret into the place of a status.
    public volatile string Mode = "pass";

    // Where requests are handed on to.
    public Uri Sandbox;

    public int Answers;

    // Whether a request without credentials for a proxy is refused: a client sends them only then.
    public bool IsProxy;

    // Whether a client has sent a text, in an address, a header or a body.
    public bool Heard(string text)
    {
        string[] forms = { text, Uri.EscapeDataString(text), JsonEncodedText.Encode(text).Value };
        return _requests.Any(request => forms.Any(form => request.Contains(form, StringComparison.Ordinal)));
    }

    public void Dispose()
    {
        _listener.Stop();
        _client.Dispose();
    }

    private static IEnumerable<string> Encode(string secret)
    {
        yield return secret;
        yield return Convert.ToBase64String(Encoding.UTF8.GetBytes(secret));
        yield return Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + secret));
        yield return Uri.EscapeDataString(secret);
        yield return Regex.Replace(Uri.EscapeDataString(secret), "%[0-9A-F]{2}", m => m.Value.ToLowerInvariant());
        yield return string.Concat(secret.Select(c => "&#" + (int)c + ";"));
        yield return string.Concat(secret.Select(c => "\\u" + ((int)c).ToString("x4")));
    }

    private string All
    {
        get { return string.Join(" ", _written); }
    }

    private static string Json(string text)
    {
        return text.Replace("\\u", "\u0001").Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\u0001", "\\u");
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptSocketAsync();
                _ = Task.Run(() => ServeAsync(socket));
            }
        }
        catch (Exception e) when (e is SocketException || e is ObjectDisposedException) { }
    }

    private async Task ServeAsync(Socket socket)
    {
        using NetworkStream stream = new NetworkStream(socket, true);
        try
        {
            List<byte> head = new List<byte>();
            byte[] one = new byte[1];
            while (!(head.Count > 3 && head[^1] == 10 && head[^2] == 13 && head[^3] == 10))
            {
                if (await stream.ReadAsync(one) == 0)
                    return;
                head.Add(one[0]);
            }

            string[] lines = Encoding.Latin1.GetString(head.ToArray()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
            Dictionary<string, string> headers = lines
                .Skip(1)
                .Select(l => l.Split(':', 2))
                .GroupBy(s => s[0], StringComparer.OrdinalIgnoreCase)
                .ToDictionary(g => g.Key, g => g.First()[1].Trim(), StringComparer.OrdinalIgnoreCase);
            if (headers.ContainsKey("Expect"))
                await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 100 Continue\r\n\r\n"));
            byte[] body = new byte[headers.TryGetValue("Content-Length", out string length) ? int.Parse(length) : 0];
            await stream.ReadExactlyAsync(body);
            string basic = string.Concat(
                headers
                    .Where(h => h.Value.StartsWith("Basic ", StringComparison.Ordinal))
                    .Select(h => " " + Encoding.UTF8.GetString(Convert.FromBase64String(h.Value[6..])))
            );
            _requests.Enqueue(string.Join("\n", lines) + basic + "\n" + Encoding.UTF8.GetString(body));
            if (IsProxy && !headers.ContainsKey("Proxy-Authorization"))
            {
                await stream.WriteAsync(
                    Bytes("407 Proxy Authentication Required", "Proxy-Authenticate: Basic realm=\"canary\"\r\n", new byte[0])
                );
                return;
            }

            string[] start = lines[0].Split(' ');
            // A request for a proxy names the whole address.
            string target = start[1].StartsWith("http", StringComparison.Ordinal) ? new Uri(start[1]).PathAndQuery : start[1];
            byte[] answer = await AnswerAsync(start[0], target, headers, body);
            Interlocked.Increment(ref Answers);
            await stream.WriteAsync(answer);
        }
        catch (Exception e) when (e is IOException || e is SocketException || e is HttpRequestException || e is ObjectDisposedException) { }
    }

    private async Task<byte[]> AnswerAsync(string method, string target, Dictionary<string, string> headers, byte[] body)
    {
        string echoes = string.Concat(
            new[] { "X-Request-Id", "ETag", "Via", "Server", "X-Correlation-Id", "X-Other" }.Select(n => n + ": " + All + "\r\n")
        );
        if (Mode == "fail")
        {
            string status = Refusals[Interlocked.Increment(ref _refused) % Refusals.Length];
            string json = "{\"message\":\"You sent " + Json(All) + "\",\"code\":\"" + Json(All) + "\",\"requestId\":\"" + Json(All) + "\"}";
            string text = target.Length % 2 == 0 ? json : "<html><title>" + All + "</title></html>";
            return Bytes(
                status + " " + All,
                "Location: /login/" + Uri.EscapeDataString(All) + "?next=" + Uri.EscapeDataString(All) + "\r\n" + echoes,
                Encoding.UTF8.GetBytes(text)
            );
        }

        using HttpRequestMessage request = new HttpRequestMessage(new HttpMethod(method), new Uri(Sandbox, target));
        if (body.Length > 0 || headers.ContainsKey("Content-Type"))
            request.Content = new ByteArrayContent(body);
        foreach (KeyValuePair<string, string> header in headers)
        {
            if (header.Key is "Host" or "Connection" or "Content-Length" or "Expect" or "Accept-Encoding")
                continue;
            if (!request.Headers.TryAddWithoutValidation(header.Key, header.Value))
                request.Content?.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }

        using HttpResponseMessage response = await _client.SendAsync(request);
        string type = response.Content.Headers.ContentType?.ToString() ?? "application/json";
        string words = await response.Content.ReadAsStringAsync();
        if (type.Contains("json"))
        {
            words = Regex.Replace(
                words,
                "(\"(?:message|detail|version|additionalStatusInformation|reason|severity|email)\"\\s*:\\s*\")",
                m => m.Value + Json(All) + " "
            );
            if (Mode == "words")
                words = Regex.Replace(words, "(\"(?:status|type|blockstore_type)\"\\s*:\\s*\")[^\"]*", m => m.Groups[1].Value + Json(All));
        }
        else if (type.Contains("csv"))
        {
            words =
                words.TrimEnd()
                + "\n"
                + _written[0].Replace("\"", "")
                + ".jpg,"
                + _written[1]
                + ".jpx\n"
                + (Mode == "words" ? All + "\n" : "");
        }

        string cookies = response.Headers.TryGetValues("Set-Cookie", out IEnumerable<string> values)
            ? string.Concat(values.Select(v => "Set-Cookie: " + v + "\r\n"))
            : "";
        string csrf = response.Headers.TryGetValues("X-CSRFToken", out IEnumerable<string> token)
            ? "X-CSRFToken: " + token.First() + "\r\n"
            : "";
        return Bytes(
            (int)response.StatusCode + " " + All,
            "Content-Type: " + type + "\r\n" + cookies + csrf + echoes,
            Encoding.UTF8.GetBytes(words)
        );
    }

    private static byte[] Bytes(string status, string headers, byte[] body)
    {
        byte[] head = Encoding.Latin1.GetBytes(
            "HTTP/1.1 " + status + "\r\n" + headers + "Connection: close\r\nContent-Length: " + body.Length + "\r\n\r\n"
        );
        return head.Concat(body).ToArray();
    }
}

// Keeps all that the module tells those who listen to activities and meters.
public static class Telemetry
{
    public static readonly System.Collections.Concurrent.ConcurrentQueue<string> Seen =
        new System.Collections.Concurrent.ConcurrentQueue<string>();
    private static System.Diagnostics.ActivityListener _activities;
    private static System.Diagnostics.Metrics.MeterListener _meters;

    public static void Listen()
    {
        _activities = new System.Diagnostics.ActivityListener
        {
            ShouldListenTo = source => source.Name == "IngestTools",
            Sample = (ref System.Diagnostics.ActivityCreationOptions<System.Diagnostics.ActivityContext> o) =>
                System.Diagnostics.ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = a =>
                Seen.Enqueue(
                    "activity "
                        + a.DisplayName
                        + " "
                        + a.StatusDescription
                        + " "
                        + string.Join(" ", a.TagObjects)
                        + " "
                        + string.Join(" ", a.Events.Select(e => e.Name))
                ),
        };
        System.Diagnostics.ActivitySource.AddActivityListener(_activities);
        _meters = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = (i, l) =>
            {
                if (i.Meter.Name == "IngestTools")
                    l.EnableMeasurementEvents(i);
            },
        };
        _meters.SetMeasurementEventCallback<long>(
            (i, m, tags, s) => Seen.Enqueue("meter " + i.Name + " " + m + " " + string.Join(" ", tags.ToArray()))
        );
        _meters.Start();
    }
}
