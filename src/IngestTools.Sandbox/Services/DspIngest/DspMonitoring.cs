using System.Globalization;
using System.Text;
using IngestTools.Sandbox.Http;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>The pages for which no token is needed: health, info, metrics.</summary>
internal sealed class DspMonitoring(DspIngestState state)
{
    public Task? TryAnswer(HttpContext context, string page) =>
        page switch
        {
            "health" => SendHealth(context),
            "info" => SendInfo(context),
            "metrics" => SendMetrics(context),
            _ => null,
        };

    private Task SendHealth(HttpContext context) =>
        state.Options.IsHealthy
            ? Answer.Json(context, Status200OK, new { status = "UP" })
            : Answer.Json(
                context,
                Status503ServiceUnavailable,
                new { status = "DOWN", components = new { folders = new { status = "UP" }, db = new { status = "DOWN" } } }
            );

    private Task SendInfo(HttpContext context) =>
        Answer.Json(
            context,
            Status200OK,
            new
            {
                name = "dsp-ingest",
                version = state.Options.Release == DspIngestRelease.V0191 ? "v0.19.1" : "v0.21.1",
                scalaVersion = "3.3.6",
                sbtVersion = "1.11.5",
                buildTime = "2025-09-09 08:00:00.000+0000",
                gitCommit = "0000000000000000000000000000000000000000",
            }
        );

    private Task SendMetrics(HttpContext context)
    {
        StringBuilder text = new("# TYPE ingest_waiting_files gauge\n");
        foreach (DspProject project in state.Projects)
            text.Append(CultureInfo.InvariantCulture, $"ingest_waiting_files{{project=\"{project.Shortcode}\"}} {project.WaitingCount}\n");
        return Answer.Text(context, Status200OK, text.ToString(), "text/plain; version=0.0.4; charset=utf-8");
    }
}
