using System.Text.Json;
using IngestTools.Connections;
using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.Ica;

/// <summary>
/// Exchanges an API key, or a user's name and password, for a token. The service asks for this, rather than for the key with each request.
/// </summary>
/// <remarks>ICA, POST /api/tokens. A token that was made from a key cannot be refreshed: a new one is made.</remarks>
internal sealed class IcaLogin(ConnectionSettings settings, IngestHttp http, TimeProvider time)
{
    public async ValueTask<RequestCredentials> SignInAsync(ILogger logger, CancellationToken cancellationToken)
    {
        string secret = await settings.Secret!(cancellationToken).ConfigureAwait(false);
        HttpOperation operation = new()
        {
            Name = "sign in",
            // A second token does no harm.
            Kind = OperationKind.Repeatable,
            Method = HttpMethod.Post,
            Uri = new Uri(settings.Uri!, "api/tokens"),
            Accept = BatchOperation.CommonMedia,
            RequestCredentials = CredentialsOf(secret),
            BringsCredentials = true,
            Refine = error =>
                error.ErrorId is ErrorId.NotSignedIn or ErrorId.NotAllowed
                    ? error.With(
                        ErrorId.NotSignedIn,
                        $"ICA did not sign in {settings.UserName ?? "with the API key"}: {error.ServerMessage ?? error.Message}",
                        settings.SignIn == SignInKind.ApiKey
                            ? "Check the API key, and whether it has expired: the Illumina portal lists the keys of your profile."
                            : "Check the user's name and password. Where your organization has single sign-on, they are not taken "
                                + "here: use an API key."
                    )
                    : IcaRoutes.Refine(error),
        };
        TokenAnswer answer = await http.SendJsonAsync(operation, IcaJson.Default.TokenAnswer, null, logger, cancellationToken)
            .ConfigureAwait(false);
        string token = SignInOperation.TokenOf(http, operation, answer.Token);
        return RequestCredentials.Bearer(token, EndOf(token, time.GetUtcNow()));
    }

    /// <summary>When a token ends; null where it does not tell. Its own beginning counts, so that clocks which differ do no harm.</summary>
    internal static DateTimeOffset? EndOf(string token, DateTimeOffset now)
    {
        string[] parts = token.Split('.');
        if (parts.Length != 3)
            return null;
        try
        {
            using JsonDocument claims = JsonDocument.Parse(FromBase64Url(parts[1]));
            if (!TryGetSeconds(claims.RootElement, "exp", out double end))
                return null;
            return TryGetSeconds(claims.RootElement, "iat", out double begin)
                ? now + TimeSpan.FromSeconds(end - begin)
                : DateTimeOffset.UnixEpoch + TimeSpan.FromSeconds(end);
        }
        catch (Exception e) when (e is JsonException or FormatException or OverflowException or ArgumentException)
        {
            // A token need not be a JWT that anybody can read; the server tells when it has ended.
            return null;
        }
    }

    private RequestCredentials CredentialsOf(string secret)
    {
        if (settings.SignIn == SignInKind.Password)
            return RequestCredentials.Basic(settings.UserName!, secret);
        string key = Secrets.CheckToken(secret);
        return RequestCredentials.Of([new("X-API-Key", key)], [key]);
    }

    private static bool TryGetSeconds(JsonElement claims, string name, out double seconds)
    {
        seconds = 0;
        return claims.ValueKind == JsonValueKind.Object
            && claims.TryGetProperty(name, out JsonElement value)
            && value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out seconds);
    }

    private static byte[] FromBase64Url(string text)
    {
        string plain = text.Replace('-', '+').Replace('_', '/');
        return Convert.FromBase64String(plain.PadRight((plain.Length + 3) / 4 * 4, '='));
    }
}
