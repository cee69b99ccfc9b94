using System.Text;
using System.Text.Json;
using IngestTools.Sandbox.Http;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>
/// Who asks: by HTTP Basic, or by a session that was signed in for. A session's writes need the token against forged requests too.
/// </summary>
internal sealed class VossSignIn(VossState state, VossFault fault)
{
    private const string SessionCookie = "sessionid";
    private const string CsrfCookie = "csrftoken";
    private const string CsrfHeader = "X-CSRFToken";
    private const string SignInPage = "/login/";

    /// <summary>POST /noninteractivelogin/</summary>
    public async Task LogInAsync(HttpContext context)
    {
        Credentials? credentials = await ReadAsync(context);
        if (credentials?.UserName is null || credentials.Password is null)
        {
            await fault.SendAsync(context, Status400BadRequest, "A username and a password are needed.");
            return;
        }

        if (FindUser(credentials.UserName, credentials.Password) is not { } user)
        {
            await fault.SendAsync(context, Status401Unauthorized, "Please enter a correct username and password.");
            return;
        }

        VossSession session = state.Sessions.Open(user);
        CookieOptions cookie = new()
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            Secure = context.Request.IsHttps,
        };
        context.Response.Cookies.Append(SessionCookie, session.Id, cookie);
        context.Response.Cookies.Append(CsrfCookie, session.CsrfToken, cookie);
        context.Response.Headers[CsrfHeader] = session.CsrfToken;
        await Answer.Json(context, Status200OK, new { success = true });
    }

    /// <summary>The user; null when the request is answered already.</summary>
    public async Task<VossUser?> AdmitAsync(HttpContext context)
    {
        if (await IdentifyAsync(context) is not { } user)
            return null;
        int requests = state.Rate.Count(user.Name);
        if (state.Options.RequestsPerSecond is not { } most || requests <= most)
            return user;
        await fault.SendAsync(context, Status429TooManyRequests, "Too Many Requests");
        return null;
    }

    private async Task<VossUser?> IdentifyAsync(HttpContext context)
    {
        if (TryReadBasic(context, out string name, out string password))
        {
            VossUser? known = state.Options.TakesBasic ? FindUser(name, password) : null;
            if (known is null)
            {
                context.Response.Headers.WWWAuthenticate = "Basic realm=\"VOSS\"";
                await fault.SendAsync(context, Status401Unauthorized, "Authentication failed.");
            }

            return known;
        }

        if (state.Sessions.Find(context.Request.Cookies[SessionCookie]) is not { } session)
        {
            await SendMissingSessionAsync(context);
            return null;
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !IsCsrfSafe(context, session))
        {
            await Answer.Text(
                context,
                Status403Forbidden,
                VossFault.Page("CSRF verification failed. Request aborted."),
                "text/html; charset=utf-8"
            );
            return null;
        }

        return state.Options.Users.FirstOrDefault(user => user.Name == session.UserName);
    }

    /// <summary>The header carries the token, and the cookie comes back unchanged.</summary>
    private static bool IsCsrfSafe(HttpContext context, VossSession session) =>
        context.Request.Headers[CsrfHeader] == session.CsrfToken && context.Request.Cookies[CsrfCookie] == session.CsrfToken;

    private Task SendMissingSessionAsync(HttpContext context)
    {
        switch (state.Options.MissingSession)
        {
            case VossMissingSession.SignInPage:
                return Answer.Text(context, Status200OK, VossFault.Page("Sign in"), "text/html; charset=utf-8");
            case VossMissingSession.Redirect:
                context.Response.Headers.Location = SignInPage;
                return Answer.Empty(context, Status302Found);
            default:
                return fault.SendAsync(context, Status401Unauthorized, "Authentication credentials were not provided.");
        }
    }

    private VossUser? FindUser(string name, string password) =>
        state.Options.Users.FirstOrDefault(user => user.Name == name && user.Password == password);

    /// <summary>The name ends at the first colon: a name has none, a password may.</summary>
    private static bool TryReadBasic(HttpContext context, out string name, out string password)
    {
        const string Scheme = "Basic ";
        (name, password) = ("", "");
        string header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return false;
        byte[] bytes = new byte[header.Length];
        if (Convert.TryFromBase64String(header[Scheme.Length..].Trim(), bytes, out int length))
        {
            string[] sides = Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2);
            (name, password) = (sides[0], sides.ElementAtOrDefault(1) ?? "");
        }

        return true;
    }

    private static async Task<Credentials?> ReadAsync(HttpContext context)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<Credentials>(context.Request.Body, Answer.JsonOptions, context.RequestAborted);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record Credentials(string? UserName, string? Password);
}
