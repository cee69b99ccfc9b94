using IngestTools.Connections;
using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.DspIngest;

/// <summary>Exchanges a user's name and password for a token.</summary>
/// <remarks>DSP-API, POST /v2/authentication. The rights in a token are those of the moment it was made.</remarks>
internal sealed class DspLogin(ConnectionSettings settings, IngestHttp http)
{
    private const string LoginPath = "v2/authentication";

    public async ValueTask<RequestCredentials> SignInAsync(ILogger logger, CancellationToken cancellationToken)
    {
        string password = await settings.Secret!(cancellationToken).ConfigureAwait(false);
        LoginRequest request = CreateRequest(settings.UserName!, password);
        HttpOperation operation = SignInOperation.Post(
            LoginUri(settings.AuthenticationUri!),
            () => JsonBody.Of(request, DspIngestJson.Default.LoginRequest),
            error => SignInOperation.Refused(error, $"DSP-API did not sign in {settings.UserName}", "Check the user's name and password.")
        );
        LoginAnswer answer = await http.SendJsonAsync(operation, DspIngestJson.Default.LoginAnswer, null, logger, cancellationToken)
            .ConfigureAwait(false);
        return RequestCredentials.Bearer(SignInOperation.TokenOf(http, operation, answer.Token));
    }

    private static Uri LoginUri(Uri authentication) =>
        authentication.AbsolutePath.TrimEnd('/').EndsWith(LoginPath, StringComparison.Ordinal)
            ? new Uri(authentication.AbsoluteUri.TrimEnd('/'))
            : new Uri(authentication, LoginPath);

    private static LoginRequest CreateRequest(string user, string password)
    {
        bool isIri =
            user.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            || user.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        bool isEmail = !isIri && user.Contains('@', StringComparison.Ordinal);
        return new LoginRequest
        {
            Iri = isIri ? user : null,
            Email = isEmail ? user : null,
            Username = isIri || isEmail ? null : user,
            Password = password,
        };
    }
}
