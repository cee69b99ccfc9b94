using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Scheduler;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Commands;

/// <summary>Suspend-BulkLoadSchedule: lets schedules run nothing until they are resumed.</summary>
[Cmdlet(VerbsLifecycle.Suspend, "BulkLoadSchedule", SupportsShouldProcess = true)]
[OutputType(typeof(BulkLoadSchedule))]
public sealed class SuspendBulkLoadScheduleCommand : NamedScheduleCmdlet
{
    /// <summary>Why, for whoever finds them suspended.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? Reason { get; set; }

    private protected override string Action => "Suspend schedule";

    private protected override async Task ActAsync(string name, CancellationToken cancellationToken) =>
        await PostAsync(
                await Client.SuspendAsync(name, new SuspendRequest(Reason, Registrant.Name), cancellationToken).ConfigureAwait(false),
                cancellationToken
            )
            .ConfigureAwait(false);
}
