using System.Text;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>Who may do what. The first way of signing in that a request uses decides; a bad one is not made good by the next.</summary>
internal sealed class LakeFsAuthorization(LakeFsState state)
{
    private const string BearerScheme = "Bearer ";
    private const string BasicScheme = "Basic ";

    /// <exception cref="LakeFsRefusal">Nobody is signed in, or not well.</exception>
    public void Admit(HttpContext context)
    {
        if (!IsSignedIn(context.Request))
            throw new LakeFsRefusal(Status401Unauthorized, "error authenticating request");
    }

    /// <exception cref="LakeFsRefusal">It is not allowed.</exception>
    public void Require(params string[] actions)
    {
        if (actions.Any(state.Options.DeniedActions.Contains))
            throw new LakeFsRefusal(Status403Forbidden, "insufficient permissions");
    }

    public bool IsKeyPair(string accessKeyId, string secret) =>
        (accessKeyId, secret) == (state.Options.AccessKeyId, state.Options.SecretAccessKey);

    private bool IsSignedIn(HttpRequest request)
    {
        string header = request.Headers.Authorization.ToString();
        if (header.StartsWith(BearerScheme, StringComparison.OrdinalIgnoreCase))
            return state.Tokens.IsValid(header[BearerScheme.Length..]);
        if (header.StartsWith(BasicScheme, StringComparison.OrdinalIgnoreCase))
            return IsBasic(header[BasicScheme.Length..]);
        if (request.Cookies.TryGetValue("internal_auth_session", out string? own))
            return state.Tokens.IsValidSession(own);
        if (request.Cookies.TryGetValue("oidc_auth_session", out string? oidc))
            return oidc == state.Options.OidcSession;
        return request.Cookies.TryGetValue("saml_auth_session", out string? saml) && saml == state.Options.SamlSession;
    }

    private bool IsBasic(string credentials)
    {
        try
        {
            string[] pair = Encoding.UTF8.GetString(Convert.FromBase64String(credentials)).Split(':', 2);
            return pair.Length == 2 && IsKeyPair(pair[0], pair[1]);
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
