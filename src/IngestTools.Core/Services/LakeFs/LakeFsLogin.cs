using System.Net;
using IngestTools.Connections;
using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.LakeFs;

/// <summary>Exchanges an access key and its secret for a token.</summary>
/// <remarks>lakeFS, POST /auth/login. The server may say when the token expires.</remarks>
internal sealed class LakeFsLogin(ConnectionSettings settings, IngestHttp http)
{
    private const string LoginPath = "auth/login";

    public async ValueTask<RequestCredentials> SignInAsync(ILogger logger, CancellationToken cancellationToken)
    {
        string secret = await settings.Secret!(cancellationToken).ConfigureAwait(false);
        LoginRequest request = new(settings.UserName!, secret);
        HttpOperation operation = SignInOperation.Post(
            LoginUri(settings.AuthenticationUri!),
            () => JsonBody.Of(request, LakeFsJson.Default.LoginRequest),
            Refine
        );
        LoginAnswer answer = await http.SendJsonAsync(operation, LakeFsJson.Default.LoginAnswer, null, logger, cancellationToken)
            .ConfigureAwait(false);
        return RequestCredentials.Bearer(SignInOperation.TokenOf(http, operation, answer.Token), EndOf(answer.TokenExpiration));
    }

    /// <summary>An invalid time counts as one that the server does not report.</summary>
    private static DateTimeOffset? EndOf(long? seconds) =>
        seconds > 0 && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds(seconds.Value) : null;

    /// <summary>Servers before v1.64.1 answer too many attempts with 423.</summary>
    private IngestException Refine(IngestException error) =>
        error.StatusCode == HttpStatusCode.Locked
            ? error.With(ErrorId.TooManyRequests, advice: "Wait some minutes, then sign in again.")
            : SignInOperation.Refused(error, "lakeFS did not sign in with this access key", "Check the access key and its secret.");

    private static Uri LoginUri(Uri authentication) =>
        authentication.AbsolutePath.TrimEnd('/').EndsWith("/" + LoginPath, StringComparison.Ordinal)
            ? new Uri(authentication.AbsoluteUri.TrimEnd('/'))
            : new Uri(LakeFsRoutes.ApiOf(authentication) + LoginPath);
}
