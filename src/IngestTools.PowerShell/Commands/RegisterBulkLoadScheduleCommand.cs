using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;

namespace IngestTools.PowerShell.Commands;

/// <summary>Register-BulkLoadSchedule: lets a load run later.</summary>
[Cmdlet(VerbsLifecycle.Register, "BulkLoadSchedule", DefaultParameterSetName = WorkbookSet, SupportsShouldProcess = true)]
[OutputType(typeof(BulkLoadSchedule))]
public sealed partial class RegisterBulkLoadScheduleCommand : IngestCmdlet
{
    /// <summary>VOSS: the hierarchy.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [ValidateNotNullOrEmpty]
    public string? Hierarchy { get; set; }

    /// <summary>Once, at this time.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public object? At { get; set; }

    /// <summary>The zone of -At and -Cron.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? TimeZone { get; set; }

    /// <summary>Replaces.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => RegisterWithDaemon();
}
