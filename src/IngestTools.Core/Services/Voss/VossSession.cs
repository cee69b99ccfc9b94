using System.Net;
using IngestTools.Connections;
using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.Voss;

/// <summary>
/// Exchanges a user's name and password for a session, which goes with each request as cookies and a token against forged requests.
/// </summary>
/// <remarks>
/// VOSS Automate, POST /noninteractivelogin/. The token is taken from the answer's header X-CSRFToken, and its cookie goes back unchanged.
/// </remarks>
internal sealed class VossSession(ConnectionSettings settings, IngestHttp http)
{
    private const string LoginPath = "noninteractivelogin";
    private const string SessionCookie = "sessionid";
    private const string CsrfCookie = "csrftoken";
    private const string CsrfHeader = "X-CSRFToken";

    public async ValueTask<RequestCredentials> SignInAsync(ILogger logger, CancellationToken cancellationToken)
    {
        string password = await settings.Secret!(cancellationToken).ConfigureAwait(false);
        LoginRequest request = new() { Username = settings.UserName!, Password = password };
        HttpOperation operation = SignInOperation.Post(
            LoginUri(settings.AuthenticationUri!),
            () => JsonBody.Of(request, VossJson.Default.LoginRequest),
            error =>
                SignInOperation.Refused(
                    error,
                    $"VOSS did not sign in {settings.UserName}",
                    "Check the user's name, such as admin@sys.hcs, and the password."
                )
        );
        return await http.SendAsync<RequestCredentials>(
                operation,
                (response, _) => ValueTask.FromResult<object>(CredentialsOf(operation, response)),
                logger,
                cancellationToken
            )
            .ConfigureAwait(false);
    }

    /// <summary>
    /// Whether an answer says that the session has ended: 401, or the way to the page to sign in on. The page itself is known by what is on
    /// it.
    /// </summary>
    public static bool IsRefusal(HttpResponseMessage response) =>
        (int)response.StatusCode switch
        {
            (int)HttpStatusCode.Unauthorized => true,
            >= 300 and < 400 => response.Headers.Location?.OriginalString.Contains("login", StringComparison.OrdinalIgnoreCase) == true,
            _ => false,
        };

    private static Uri LoginUri(Uri authentication) =>
        authentication.AbsolutePath.TrimEnd('/').EndsWith(LoginPath, StringComparison.Ordinal)
            ? authentication
            : new Uri(authentication, LoginPath + "/");

    private RequestCredentials CredentialsOf(HttpOperation operation, HttpResponseMessage response)
    {
        Dictionary<string, string> cookies = CookiesOf(response);
        if (!cookies.TryGetValue(SessionCookie, out string? session))
        {
            // Sent again, a password counts towards the lock that servers have against guessing.
            throw new IngestException(ErrorId.NotSignedIn, $"VOSS did not sign in {settings.UserName}: its answer has no session.")
            {
                Service = http.Service,
                Operation = operation.Name,
                StatusCode = response.StatusCode,
                Advice =
                    "Check that -AuthenticationUri is VOSS's own address, and no web page or proxy answers in its place; then the "
                    + "user's name and the password.",
            };
        }

        string? token = response.Headers.TryGetValues(CsrfHeader, out IEnumerable<string>? values)
            ? values.First()
            : cookies.GetValueOrDefault(CsrfCookie);
        List<KeyValuePair<string, string>> headers =
        [
            new("Cookie", string.Join("; ", cookies.Select(cookie => $"{cookie.Key}={cookie.Value}"))),
            // A server that guards against forged requests looks, over https, also where a request says that it comes from.
            new("Referer", settings.Uri!.AbsoluteUri),
        ];
        if (token is not null)
            headers.Add(new(CsrfHeader, token));
        return RequestCredentials.Of(headers, token is null ? [session] : [session, token]);
    }

    private static Dictionary<string, string> CookiesOf(HttpResponseMessage response)
    {
        Dictionary<string, string> cookies = new(StringComparer.Ordinal);
        if (!response.Headers.TryGetValues("Set-Cookie", out IEnumerable<string>? values))
            return cookies;
        foreach (string value in values)
        {
            string[] sides = value.Split(';')[0].Split('=', 2);
            string name = sides[0].Trim();
            if (sides.Length == 2 && name is SessionCookie or CsrfCookie && sides[1].Trim().All(c => c is > ' ' and < '\u007f'))
                cookies[name] = sides[1].Trim();
        }

        return cookies;
    }
}
