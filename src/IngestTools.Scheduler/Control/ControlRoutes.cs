using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Control;

/// <summary>What the daemon answers on its socket; <see cref="ControlProtocol"/> says what it means.</summary>
internal sealed class ControlRoutes(
    SchedulerStore store,
    Registrar registrar,
    RunDispatcher dispatcher,
    ReadRoutes reads,
    PageAccess page,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<ControlRoutes> logger
)
{
    public Task AnswerAsync(HttpContext context) =>
        ControlAnswer.AnswerAsync(context, Route, store.Dialect.Place, logger, lifetime.ApplicationStopping);

    private Task? Route(HttpContext context)
    {
        CancellationToken aborted = context.RequestAborted;
        string[] segments = context.Request.Path.Value!.Trim('/').Split('/');
        return (context.Request.Method, segments) switch
        {
            ("POST", ["preview"]) => PreviewAsync(context),
            ("PUT", ["schedules", var name]) => RegisterAsync(context, name),
            ("DELETE", ["schedules", var name]) => UnregisterAsync(context, name),
            ("POST", ["schedules", var name, "suspend"]) => SuspendAsync(context, name),
            ("POST", ["schedules", var name, "resume"]) => ControlAnswer.SendAsync(
                context,
                registrar.ResumeAsync(name, aborted),
                SchedulingJson.Default.BulkLoadSchedule
            ),
            ("PATCH", ["schedules", var name]) => ChangeAsync(context, name, isPreview: false),
            ("POST", ["schedules", var name, "preview"]) => ChangeAsync(context, name, isPreview: true),
            ("POST", ["schedules", var name, "start"]) => ControlAnswer.SendAsync(
                context,
                StartAsync(context, name),
                SchedulingJson.Default.BulkLoadRun
            ),
            ("POST", ["runs", var number, "stop"]) => ControlAnswer.SendAsync(
                context,
                StopRunAsync(number, aborted),
                SchedulingJson.Default.BulkLoadRun
            ),
            ("POST", ["page", "ticket"]) => ControlAnswer.SendAsync(
                context,
                Task.FromResult(page.CreateAddress()),
                SchedulingJson.Default.PageAddress
            ),
            ("POST", ["shutdown"]) => ShutDown(context),
            _ => reads.Route(context),
        };
    }

    // Schedules

    private async Task PreviewAsync(HttpContext context)
    {
        RegisterRequest request = await ControlAnswer.ReadAsync(context, SchedulingJson.Default.RegisterRequest);
        if (request.Definition is not { Name: not null, Load: not null })
            throw new FormatException("it has no name or no load");
        await ControlAnswer.SendAsync(
            context,
            registrar.PreviewAsync(request, context.RequestAborted),
            SchedulingJson.Default.BulkLoadSchedule
        );
    }

    /// <remarks>What was begun is done although who asked goes away: half a registration helps nobody.</remarks>
    private async Task RegisterAsync(HttpContext context, string name)
    {
        RegisterRequest request = await ControlAnswer.ReadAsync(context, SchedulingJson.Default.RegisterRequest);
        if (request.Definition is not { Name: not null, Load: not null })
            throw new FormatException("it has no name or no load");
        if (!string.Equals(request.Definition.Name, name, StringComparison.Ordinal))
            throw new FormatException($"the address names '{name}', the body '{request.Definition.Name}'");
        await ControlAnswer.SendAsync(
            context,
            registrar.RegisterAsync(request, lifetime.ApplicationStopping),
            SchedulingJson.Default.BulkLoadSchedule
        );
    }

    private async Task UnregisterAsync(HttpContext context, string name)
    {
        await registrar.UnregisterAsync(name, lifetime.ApplicationStopping);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task SuspendAsync(HttpContext context, string name)
    {
        SuspendRequest request = await ControlAnswer.ReadAsync(context, SchedulingJson.Default.SuspendRequest);
        await ControlAnswer.SendAsync(
            context,
            registrar.SuspendAsync(name, request, lifetime.ApplicationStopping),
            SchedulingJson.Default.BulkLoadSchedule
        );
    }

    /// <remarks>What was begun is done although the caller goes away.</remarks>
    private async Task ChangeAsync(HttpContext context, string name, bool isPreview)
    {
        ChangeRequest request = await ControlAnswer.ReadAsync(context, SchedulingJson.Default.ChangeRequest);
        Task<BulkLoadSchedule> changed = isPreview
            ? registrar.PreviewChangeAsync(name, request, context.RequestAborted)
            : registrar.ChangeAsync(name, request, lifetime.ApplicationStopping);
        await ControlAnswer.SendAsync(context, changed, SchedulingJson.Default.BulkLoadSchedule);
    }

    private async Task<BulkLoadRun> StartAsync(HttpContext context, string name)
    {
        bool again = context.Request.Query["again"].ToString() is { Length: > 0 } text && bool.Parse(text);
        return (await registrar.StartAsync(name, again, lifetime.ApplicationStopping)).Describe();
    }

    private async Task<BulkLoadRun> StopRunAsync(string text, CancellationToken cancellationToken)
    {
        StoredRun run = await reads.FindRunAsync(text, cancellationToken);
        if (run.IsTerminal)
            return run.Describe();
        if (
            await store.CancelWaitingAsync(run.Number, time.GetUtcNow(), "It was stopped before it began.", cancellationToken) is
            { } canceled
        )
            return canceled.Describe();
        if (!await dispatcher.TryStopAsync(run.Number, cancellationToken))
            await store.RequestStopAsync(run.Number, cancellationToken);
        return (await reads.FindRunAsync(text, cancellationToken)).Describe();
    }

    // The daemon itself

    private Task ShutDown(HttpContext context)
    {
        logger.LogInformation("The scheduler was asked to end.");
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        context.Response.OnCompleted(() =>
        {
            lifetime.StopApplication();
            return Task.CompletedTask;
        });
        return Task.CompletedTask;
    }
}
