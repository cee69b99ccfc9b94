using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.Scheduling;
using IngestTools.Services.Voss;

namespace IngestTools.PowerShell.Commands;

/// <summary>
/// Register-BulkLoadSchedule: lets the server run the load of an uploaded workbook later, once; or the scheduler of this machine any load,
/// once or again and again.
/// </summary>
[Cmdlet(VerbsLifecycle.Register, "BulkLoadSchedule", DefaultParameterSetName = UploadSet, SupportsShouldProcess = true)]
[OutputType(typeof(Transaction), ParameterSetName = [FileSet, UploadSet])]
[OutputType(typeof(BulkLoadSchedule), ParameterSetName = [WorkbookSet, FolderSet, ImportSet, LinkingBatchSet])]
public sealed partial class RegisterBulkLoadScheduleCommand : BulkLoadCmdlet
{
    private ScheduleTime? _time;

    /// <inheritdoc/>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = FileSet)]
    [Parameter(ParameterSetName = UploadSet)]
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(HierarchyCompleter))]
    [NameText]
    public override string? Hierarchy { get; set; }

    /// <summary>When. Without an offset it is wall time in the zone; with one, or with Z, it is that instant.</summary>
    /// <remarks>
    /// The server's sets need it, and are not told so: what is mandatory in the default set would be asked for before input objects can
    /// show another.
    /// </remarks>
    [Parameter(ParameterSetName = FileSet)]
    [Parameter(ParameterSetName = UploadSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    [ValidateNotNull]
    public object At { get; set; } = "";

    /// <summary>The zone of the time: an IANA or Windows id. Without it, this machine's.</summary>
    [Parameter(ParameterSetName = FileSet)]
    [Parameter(ParameterSetName = UploadSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(TimeZoneCompleter))]
    public string? TimeZone { get; set; }

    /// <summary>
    /// Takes a time that has passed, the first of one that comes twice, and the later one for one that the clocks pass over. Replaces a
    /// schedule of the same name.
    /// </summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    private protected override string Action => $"Schedule bulk load: {new ExecutionTime(_time!).Describe()}";

    private bool IsForServer => ParameterSetName is FileSet or UploadSet;

    private object GivenTime => At is PSObject wrapped ? wrapped.BaseObject : At;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (!IsForServer || !MyInvocation.BoundParameters.ContainsKey(nameof(At)))
            return;
        try
        {
            _time = ResolveTime();
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(GivenTime));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (!IsForServer)
            RegisterWithScheduler();
        else if (_time is not null)
            base.ProcessRecord();
        else
            ThrowTerminatingError(NoTime("the load").ToErrorRecord());
    }

    private protected override Task<Transaction> AskAsync(VossClient client, BulkLoadRequest load, CancellationToken cancellationToken)
    {
        // What comes down the pipeline may take longer than there is time.
        _time!.CheckAhead(GivenTime, DateTimeOffset.UtcNow, Force);
        return client.ScheduleAsync(load, _time, cancellationToken);
    }

    private static IngestException NoTime(string what) =>
        IngestErrors.Create(
            ErrorId.InvalidSchedule,
            $"When {what} is to run is not clear.",
            "Give -At for once; a schedule with a -Name can have -Cron or -Every instead."
        );

    private ScheduleTime ResolveTime() => ScheduleTime.Resolve(GivenTime, TimeZone, DateTimeOffset.UtcNow, Force);
}
