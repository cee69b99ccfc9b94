using IngestTools.Scheduler.Control;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>Reports that the daemon answers, and that it stops. systemd hears of it after the log.</summary>
internal sealed class ReadyReport(StateReader reader, ControlAddress address, ISystemdNotifier systemd, ILogger<ReadyReport> logger)
    : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>All parts have started, and the socket answers.</summary>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        ControlPlace.Finish(address.Socket);
        await reader.KeepLogPathAsync(cancellationToken);
        SchedulerState state = await reader.ReadAsync(cancellationToken);
        string next = state.NextRun?.UtcDateTime.ToString("u", null) ?? "no time";
        logger.LogInformation(
            "ingest-scheduler {Version} is ready: process {Process}, node {Node}, store {Store}, control at {Socket}. {Active} "
                + "schedules are active, {Suspended} suspended; next at {Next}.",
            state.Version,
            state.ProcessId,
            state.Node,
            state.Store,
            state.Socket,
            state.Active,
            state.Suspended,
            next
        );
        systemd.Notify(new ServiceState($"STATUS={state.Active} schedules, next at {next}"));
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        logger.LogInformation("The scheduler stops. Work on the services continues there, and is followed again at the next start.");
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
