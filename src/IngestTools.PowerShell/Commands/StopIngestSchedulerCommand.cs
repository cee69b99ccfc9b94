using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Scheduler;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Commands;

/// <summary>
/// Stop-IngestScheduler: stops the scheduler. What runs on servers continues there, and is followed again when the scheduler is back.
/// </summary>
[Cmdlet(VerbsLifecycle.Stop, "IngestScheduler", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class StopIngestSchedulerCommand : SchedulerProcessCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => RunFor(Folder, StopAsync);

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        using SchedulerClient client = Open();
        SchedulerState? state = await SchedulerProgram.TryGetStateAsync(client, cancellationToken).ConfigureAwait(false);
        if (state is null)
            await PostWarningAsync($"The scheduler does not run: nothing listens at '{client.Socket}'.", cancellationToken)
                .ConfigureAwait(false);
        else if (
            await AskAsync(() => ShouldProcess($"ingest-scheduler, process {state.ProcessId}", "Stop scheduler"), cancellationToken)
                .ConfigureAwait(false)
        )
            await SchedulerProgram.StopAsync(client, state, cancellationToken).ConfigureAwait(false);
    }
}
