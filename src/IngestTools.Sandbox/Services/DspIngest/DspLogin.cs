using System.Text.Json;
using IngestTools.Sandbox.Http;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>DSP-API, /v2/authentication: where DSP-INGEST's tokens come from. Its errors are <c>{"message":..}</c>.</summary>
internal sealed class DspLogin(DspIngestState state)
{
    public Task? TryAnswer(HttpContext context) =>
        context.Request.Method switch
        {
            "POST" => LogInAsync(context),
            "GET" => CheckAsync(context),
            "DELETE" => LogOutAsync(context),
            _ => null,
        };

    private async Task LogInAsync(HttpContext context)
    {
        Credentials? credentials = await ReadAsync(context);
        if (credentials?.Password is null || (credentials.Email ?? credentials.UserName ?? credentials.Iri) is null)
        {
            await Message(context, StatusCodes.Status400BadRequest, "Invalid value for: body");
            return;
        }
        if (state.Options.Users.FirstOrDefault(credentials.Fit) is not { } user)
        {
            await Message(context, StatusCodes.Status401Unauthorized, "bad credentials: not valid");
            return;
        }

        string token = state.Tokens.Issue(user.Scope, state.Options.TokenLifetime);
        // The name of the real cookie ends with the host's name in base 32; a client has no use for it.
        context.Response.Headers.SetCookie = $"KnoraAuthenticationSANDBOX={token}; Path=/; HttpOnly";
        await Answer.Json(context, StatusCodes.Status200OK, new { token });
    }

    private Task CheckAsync(HttpContext context)
    {
        string? token = BearerToken(context);
        if (token is null)
            return Message(context, StatusCodes.Status401Unauthorized, "bad credentials: none found");
        return state.Options.AcceptsAnyToken || state.Tokens.TryGetScope(token, out _, out _)
            ? Message(context, StatusCodes.Status200OK, "credentials are OK")
            : Message(context, StatusCodes.Status401Unauthorized, "bad credentials: not valid");
    }

    private Task LogOutAsync(HttpContext context)
    {
        if (BearerToken(context) is { } token)
            state.Tokens.Revoke(token);
        return Answer.Json(context, StatusCodes.Status200OK, new { status = 0, message = "Logout OK" });
    }

    /// <summary>The token of the Authorization header; null without one.</summary>
    public static string? BearerToken(HttpContext context)
    {
        const string Scheme = "Bearer ";
        string header = context.Request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : null;
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

    private static Task Message(HttpContext context, int status, string message) => Answer.Json(context, status, new { message });

    private sealed record Credentials(string? Email, string? UserName, string? Iri, string? Password)
    {
        public bool Fit(DspUser user) =>
            Password == user.Password
            && (Email ?? user.Email) == user.Email
            && (UserName ?? user.UserName) == user.UserName
            && (Iri ?? user.Iri) == user.Iri;
    }
}
