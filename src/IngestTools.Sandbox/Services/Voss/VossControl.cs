using IngestTools.Sandbox.Control;
using IngestTools.Sandbox.Http;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>The control routes below /sandbox/voss: what the service knows, and what a test from another process may set.</summary>
internal sealed class VossControl(VossState state, VossLoads loads)
{
    public Task? TryAnswer(HttpContext context, RequestTarget target, string[] route) =>
        (context.Request.Method, route) switch
        {
            ("GET", ["files"]) => Answer.Stream(
                context,
                state.Files.Select(static f => new
                {
                    f.Name,
                    f.Content.Length,
                    f.Uploads,
                })
            ),
            ("GET", ["transactions"]) => Answer.Stream(context, state.Transactions.Select(Describe)),
            ("DELETE", ["transactions", var pkid]) => ForgetAsync(context, pkid),
            ("GET", ["schedules"]) => Answer.Stream(
                context,
                state.Schedules.Select(static s => new
                {
                    s.Name,
                    s.FileName,
                    Hierarchy = s.Hierarchy.Path,
                    s.ExecuteDate,
                    s.ExecuteTime,
                    s.ExecuteTimezone,
                    s.At,
                })
            ),
            ("POST", ["schedules", "run"]) => RunSchedulesAsync(context),
            ("GET", ["rate"]) => Answer.Json(context, Status200OK, new { state.Rate.Busiest, state.Sessions.SignIns }),
            ("POST", ["sessions", "expire"]) => ExpireSessions(context),
            ("POST", ["options"]) => ControlBody.TakeAsync<VossSettings>(context, settings => settings.ApplyTo(state.Options)),
            _ => null,
        };

    private static object Describe(VossTransaction transaction) =>
        new
        {
            transaction.Pkid,
            transaction.Action,
            transaction.Detail,
            transaction.Status,
            transaction.Message,
            transaction.FileName,
            Hierarchy = transaction.Hierarchy?.Path,
        };

    private Task ForgetAsync(HttpContext context, string pkid)
    {
        if (state.FindTransaction(pkid) is not { } transaction)
            return Answer.Empty(context, Status404NotFound);
        state.Forget(transaction);
        return Answer.Empty(context, Status204NoContent);
    }

    /// <summary>Runs all schedules now, and answers when they have ended.</summary>
    private async Task RunSchedulesAsync(HttpContext context)
    {
        await Task.WhenAll(
            state.Schedules.Select(schedule =>
                loads.RunNowAsync(state.Options.Users.First(user => user.Name == schedule.UserName), schedule)
            )
        );
        await Answer.Empty(context, Status204NoContent);
    }

    private Task ExpireSessions(HttpContext context)
    {
        state.Sessions.ExpireAll();
        return Answer.Empty(context, Status204NoContent);
    }
}
