using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Scheduler;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Commands;

/// <summary>Get-IngestScheduler: whether the scheduler runs, and how it does.</summary>
[Cmdlet(VerbsCommon.Get, "IngestScheduler")]
[OutputType(typeof(SchedulerState))]
public sealed class GetIngestSchedulerCommand : SchedulerProcessCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => RunFor(Folder, LookAsync);

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        using SchedulerClient client = Open();
        SchedulerState? state = await SchedulerProgram.TryGetStateAsync(client, cancellationToken).ConfigureAwait(false);
        await PostAsync(state ?? new SchedulerState { Socket = client.Socket }, cancellationToken).ConfigureAwait(false);
    }
}
