using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;

namespace IngestTools.PowerShell.Commands;

/// <summary>Start-BulkLoadSchedule: runs schedules now, whatever their times are.</summary>
[Cmdlet(VerbsLifecycle.Start, "BulkLoadSchedule", SupportsShouldProcess = true)]
[OutputType(typeof(BulkLoadRun))]
public sealed class StartBulkLoadScheduleCommand : NamedScheduleCmdlet
{
    /// <summary>Sends and loads what was sent and loaded before, and has not changed.</summary>
    [Parameter]
    public SwitchParameter Again { get; set; }

    private protected override string Action => Again ? "Run now, again" : "Run now";

    private protected override async Task ActAsync(string name, CancellationToken cancellationToken)
    {
        BulkLoadRun run = await Client.StartAsync(name, Again, cancellationToken).ConfigureAwait(false);
        Session.Transactions.Add(run.Id);
        await PostAsync(run, cancellationToken).ConfigureAwait(false);
    }
}
