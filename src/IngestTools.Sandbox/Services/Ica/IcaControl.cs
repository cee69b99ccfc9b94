using IngestTools.Sandbox.Control;
using IngestTools.Sandbox.Http;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.Ica;

/// <summary>The control routes below /sandbox/ica: what the service knows, and what a test from another process may set.</summary>
internal sealed class IcaControl(IcaState state)
{
    public Task? TryAnswer(HttpContext context, string[] route) =>
        (context.Request.Method, route) switch
        {
            ("GET", ["batches"]) => Answer.Stream(
                context,
                state.Batches.Select(static b => new
                {
                    b.Id,
                    b.ProjectId,
                    b.JobId,
                    b.JobStatus,
                    Items = b.DataIds.Count,
                    First = b.DataIds.Count > 0 ? b.DataIds[0] : null,
                })
            ),
            ("POST", ["batches", var id, "stop"]) => Stop(context, id),
            ("POST", ["tokens", "expire"]) => ExpireTokens(context),
            ("GET", ["tokens"]) => Answer.Json(context, Status200OK, new { state.Tokens.Issued }),
            ("POST", ["options"]) => ControlBody.TakeAsync<IcaSettings>(context, settings => settings.ApplyTo(state.Options)),
            _ => null,
        };

    private Task Stop(HttpContext context, string id)
    {
        if (!Guid.TryParse(id, out Guid batchId) || state.Batches.FirstOrDefault(b => b.Id == batchId) is not { } batch)
            return Answer.Json(context, Status404NotFound, new { error = $"There is no batch '{id}'." });
        batch.Stop();
        return Answer.Empty(context, Status204NoContent);
    }

    private Task ExpireTokens(HttpContext context)
    {
        state.Tokens.ExpireAll();
        return Answer.Empty(context, Status204NoContent);
    }
}
