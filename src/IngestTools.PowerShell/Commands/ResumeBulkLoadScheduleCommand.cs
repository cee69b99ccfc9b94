using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;

namespace IngestTools.PowerShell.Commands;

/// <summary>Resume-BulkLoadSchedule: lets suspended schedules run again, from their next time on.</summary>
[Cmdlet(VerbsLifecycle.Resume, "BulkLoadSchedule", SupportsShouldProcess = true)]
[OutputType(typeof(BulkLoadSchedule))]
public sealed class ResumeBulkLoadScheduleCommand : NamedScheduleCmdlet
{
    private protected override string Action => "Resume schedule";

    private protected override async Task ActAsync(string name, CancellationToken cancellationToken) =>
        await PostAsync(await Client.ResumeAsync(name, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
}
