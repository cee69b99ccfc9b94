using System.Globalization;
using IngestTools.Sandbox.Control;
using IngestTools.Sandbox.Http;
using Microsoft.AspNetCore.WebUtilities;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>The control routes below /sandbox/dsp: what the service knows, and what a test from another process may set.</summary>
internal sealed class DspControl(DspIngestState state)
{
    public Task? TryAnswer(HttpContext context, RequestTarget target, string[] route) =>
        (context.Request.Method, route) switch
        {
            ("GET", ["projects"]) => Answer.Stream(context, state.Projects.Select(static p => p.Shortcode).Order()),
            ("GET", ["projects", var code]) => ForProject(context, code, p => Answer.Stream(context, Describe(p))),
            ("POST", ["projects", var code, "mapping"]) => ForProject(context, code, p => SeedAsync(context, target, p)),
            ("POST", ["tokens", "expire"]) => ExpireTokens(context),
            ("POST", ["options"]) => ControlBody.TakeAsync<DspIngestSettings>(context, settings => settings.ApplyTo(state.Options)),
            _ => null,
        };

    private Task ForProject(HttpContext context, string shortcode, Func<DspProject, Task> act) =>
        state.TryGetProject(shortcode, out DspProject? project)
            ? act(project)
            : Answer.Json(context, Status400BadRequest, new { error = $"'{shortcode}' is not a shortcode of four hex digits." });

    private static object Describe(DspProject project) =>
        new
        {
            project.Shortcode,
            project.IsLocked,
            project.HasImportFolder,
            project.Runs,
            Waiting = project.WaitingFiles.Select(static f => new
            {
                f.Path,
                f.Length,
                Sha256 = f.Sha256.ToString(),
                f.IsComplete,
            }),
            Mapping = project.Mapping?.Select(static a => new
            {
                a.Original,
                a.Derivative,
                a.Length,
                Sha256 = a.Sha256.ToString(),
            }),
            Files = project.Histories.Select(static h => new
            {
                Path = h.Key,
                h.Value.Uploads,
                h.Value.BrokenUploads,
                h.Value.Ingests,
                h.Value.IngestFailures,
                UploadedSha256 = h.Value.UploadedSha256.ToString(),
                IngestedSha256 = h.Value.IngestedSha256.ToString(),
            }),
        };

    /// <summary>Appends ?rows=N rows to the mapping.</summary>
    private static Task SeedAsync(HttpContext context, RequestTarget target, DspProject project)
    {
        string? rows = QueryHelpers.ParseQuery(target.Query).TryGetValue("rows", out var value) ? value.ToString() : null;
        if (!int.TryParse(rows, NumberStyles.None, CultureInfo.InvariantCulture, out int count))
            return Answer.Json(context, Status400BadRequest, new { error = "Say how many: ?rows=1000" });
        project.SeedMapping(count);
        return Answer.Empty(context, Status204NoContent);
    }

    private Task ExpireTokens(HttpContext context)
    {
        state.Tokens.ExpireAll();
        return Answer.Empty(context, Status204NoContent);
    }
}
