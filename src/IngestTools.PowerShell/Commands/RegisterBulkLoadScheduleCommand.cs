using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.Services.Voss;

namespace IngestTools.PowerShell.Commands;

/// <summary>Register-BulkLoadSchedule: lets the server run the load of an uploaded workbook later, once.</summary>
[Cmdlet(VerbsLifecycle.Register, "BulkLoadSchedule", DefaultParameterSetName = UploadSet, SupportsShouldProcess = true)]
[OutputType(typeof(Transaction))]
public sealed class RegisterBulkLoadScheduleCommand : BulkLoadCmdlet
{
    private ScheduleTime? _time;

    /// <summary>When. Without an offset it is wall time in the zone; with one, or with Z, it is that instant.</summary>
    [Parameter(Mandatory = true, ParameterSetName = FileSet)]
    [Parameter(Mandatory = true, ParameterSetName = UploadSet)]
    [ValidateNotNull]
    public object At { get; set; } = "";

    /// <summary>The zone of the time: an IANA or Windows id. Without it, this machine's.</summary>
    [Parameter(ParameterSetName = FileSet)]
    [Parameter(ParameterSetName = UploadSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(TimeZoneCompleter))]
    public string? TimeZone { get; set; }

    /// <summary>Takes a time that has passed, the first of one that comes twice, and the later one for one that the clocks pass over.</summary>
    [Parameter(ParameterSetName = FileSet)]
    [Parameter(ParameterSetName = UploadSet)]
    public SwitchParameter Force { get; set; }

    private object GivenTime => At is PSObject wrapped ? wrapped.BaseObject : At;

    private protected override string Action => $"Schedule bulk load: {_time!.Describe()}";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        try
        {
            _time = ScheduleTime.Resolve(GivenTime, TimeZone, DateTimeOffset.UtcNow, Force);
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(GivenTime));
        }
    }

    private protected override Task<Transaction> AskAsync(VossClient client, string fileName, string hierarchy, CancellationToken cancellationToken)
    {
        // What comes down the pipeline may take longer than there is time.
        _time!.CheckAhead(GivenTime, DateTimeOffset.UtcNow, Force);
        return client.ScheduleAsync(fileName, hierarchy, _time, cancellationToken);
    }
}
