using IngestTools.Sandbox.Http;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>What a route does with a project.</summary>
internal enum DspAccess
{
    Read,
    Write,
}

/// <summary>Who may do what, in the server's order: the token is valid, the shortcode is one, the token's scope covers it.</summary>
internal sealed class DspAuthorization(DspIngestState state)
{
    /// <summary>The project, or null when the request is answered already.</summary>
    public async Task<DspProject?> AdmitAsync(HttpContext context, string shortcode, DspAccess access)
    {
        if (DspLogin.BearerToken(context) is not { } token)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await Answer.Text(context, Status401Unauthorized, "Invalid value for: header Authorization (missing)");
            return null;
        }

        string scope = "admin";
        if (!state.Options.AcceptsAnyToken && !state.Tokens.TryGetScope(token, out scope, out string reason))
        {
            await Refuse(context, reason);
            return null;
        }
        if (!state.TryGetProject(shortcode, out DspProject? project))
        {
            await Answer.Text(context, Status400BadRequest, "Invalid value for: path parameter shortcode");
            return null;
        }
        if (Allows(scope, project.Shortcode, access))
            return project;

        await Refuse(context, NeedsAdmin(access) ? "Admin permissions required." : "No project access.");
        return null;
    }

    private bool NeedsAdmin(DspAccess access) => state.Options.Release == DspIngestRelease.V0191 && access == DspAccess.Write;

    private bool Allows(string scope, string shortcode, DspAccess access)
    {
        string[] rights = scope.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (rights.Contains("admin"))
            return true;
        if (NeedsAdmin(access))
            return false;
        return rights.Contains($"write:project:{shortcode}", StringComparer.OrdinalIgnoreCase)
            || (access == DspAccess.Read && rights.Contains($"read:project:{shortcode}", StringComparer.OrdinalIgnoreCase));
    }

    private static Task Refuse(HttpContext context, string reason) => Answer.Json(context, Status401Unauthorized, new { reason });
}
