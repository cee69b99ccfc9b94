using System.Globalization;
using System.Text.Json;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Http;
using IngestTools.Sandbox.Services;
using Microsoft.AspNetCore.WebUtilities;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Control;

/// <summary>
/// The routes below /sandbox, which no service has: how a script looks into the sandbox and sets it. No fault touches them.
/// </summary>
internal sealed class ControlRoutes(SandboxServer server, IReadOnlyList<ISandboxService> services)
{
    /// <summary>The first segment of every control route.</summary>
    public const string Root = "sandbox";

    public Task AnswerAsync(HttpContext context, RequestTarget target) =>
        TryAnswer(context, target) ?? Answer.Json(context, Status404NotFound, new { error = "There is no such control route." });

    private Task? TryAnswer(HttpContext context, RequestTarget target) =>
        (context.Request.Method, target.Segments[1..]) switch
        {
            ("GET", ["requests"]) => Answer.Stream(context, LastRequests(target)),
            ("GET", ["connections"]) => Answer.Json(
                context,
                Status200OK,
                new
                {
                    server.Connections.Open,
                    server.Connections.Accepted,
                    RequestsInFlight = server.Requests.InFlight,
                }
            ),
            ("GET", ["faults"]) => Answer.Json(context, Status200OK, server.Faults.Current.Select(static f => f.ToString())),
            ("POST", ["faults"]) => ReplaceFaultsAsync(context),
            ("DELETE", ["faults"]) => ClearFaults(context),
            (_, [var name, .. var route]) => services.FirstOrDefault(s => s.ControlName == name)?.TryControl(context, target, route),
            _ => null,
        };

    /// <summary>All that are kept, or the newest ?last=N.</summary>
    private IEnumerable<RequestRecord> LastRequests(RequestTarget target)
    {
        IReadOnlyList<RequestRecord> records = server.Requests.Snapshot();
        return
            QueryHelpers.ParseQuery(target.Query).TryGetValue("last", out var last)
            && int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            ? records.TakeLast(count)
            : records;
    }

    /// <summary>The body is a JSON array of texts as --fault takes them.</summary>
    private async Task ReplaceFaultsAsync(HttpContext context)
    {
        try
        {
            Stream body = context.Request.Body;
            string[]? texts = await JsonSerializer.DeserializeAsync<string[]>(body, Answer.JsonOptions, context.RequestAborted);
            server.Faults.Replace(Array.ConvertAll(texts ?? [], Fault.Parse));
            await Answer.Empty(context, Status204NoContent);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            await Answer.Json(context, Status400BadRequest, new { error = e.Message });
        }
    }

    private Task ClearFaults(HttpContext context)
    {
        server.Faults.Clear();
        return Answer.Empty(context, Status204NoContent);
    }
}
