using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;

namespace IngestTools.PowerShell.Commands;

/// <summary>Unregister-BulkLoadSchedule: removes schedules. Runs that are under way are left to end, and the history stays.</summary>
[Cmdlet(VerbsLifecycle.Unregister, "BulkLoadSchedule", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class UnregisterBulkLoadScheduleCommand : NamedScheduleCmdlet
{
    private protected override string Action => "Unregister schedule";

    private protected override Task ActAsync(string name, CancellationToken cancellationToken) =>
        Client.UnregisterAsync(name, cancellationToken);
}
