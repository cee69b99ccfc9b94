using System.Management.Automation;
using System.Runtime.CompilerServices;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.PowerShell.Formatting;
using IngestTools.PowerShell.Scheduler;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Commands;

/// <content>The loads that the scheduler of this machine runs.</content>
public sealed partial class RegisterBulkLoadScheduleCommand
{
    private const string WorkbookSet = "Workbook";
    private const string FolderSet = "Folder";
    private const string ImportSet = "Import";
    private const string LinkingBatchSet = "LinkingBatch";

    // In a box, for a field of one of Core's enums would need Core before it can be found.
    private readonly StrongBox<MissedRun> _missedRun = new();
    private readonly StrongBox<Overlap> _overlap = new();

    private SchedulerClient? _scheduler;

    /// <summary>The schedule's name.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string Name { get; set; } = "";

    /// <summary>VOSS: the workbook. DSP-INGEST: the file or folder. Taken as it is.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? Path { get; set; }

    /// <summary>DSP-INGEST: the project.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ShortcodeCompleter))]
    [NameText]
    public string? Shortcode { get; set; }

    /// <summary>DSP-INGEST: sends folders in the folder too.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    public SwitchParameter Recurse { get; set; }

    /// <summary>DSP-INGEST: patterns of file names (* and ?), of which one must match.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [FileNamePattern]
    [NameText]
    public string[] Include { get; set; } = [];

    /// <summary>DSP-INGEST: patterns of file names (* and ?), of which none may match.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [FileNamePattern]
    [NameText]
    public string[] Exclude { get; set; } = [];

    /// <summary>DSP-INGEST: ingests what could be sent where other files could not be sent.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    public SwitchParameter ContinueOnFailure { get; set; }

    /// <summary>
    /// DSP-INGEST: each run sends files too that were sent before and have not changed. VOSS: the workbook is loaded although its content
    /// was loaded before.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    public SwitchParameter Again { get; set; }

    /// <summary>DSP-INGEST: where the mapping is saved after each run.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? MappingPath { get; set; }

    /// <summary>lakeFS: the source.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [ValidateNotNullOrEmpty]
    [NameText]
    [ArgumentCompleter(typeof(SourceCompleter))]
    public string? Source { get; set; }

    /// <summary>lakeFS: the repository.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    [NameText]
    public string? Repository { get; set; }

    /// <summary>lakeFS: the branch.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(BranchCompleter))]
    [NameText]
    public string? Branch { get; set; }

    /// <summary>lakeFS: where in the branch.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? Destination { get; set; }

    /// <summary>lakeFS: the commit's message.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [ValidateNotNullOrEmpty]
    public string? Message { get; set; }

    /// <summary>lakeFS: the number of objects below which a run has failed; without it, 1 where objects were deleted.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [ValidateRange(0L, long.MaxValue)]
    public long? MinimumObjects { get; set; }

    /// <summary>ICA: the file of data ids.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? DataIdPath { get; set; }

    /// <summary>ICA: the project.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ProjectCompleter))]
    [NameText]
    public string? ProjectId { get; set; }

    /// <summary>Again and again, at the times of a cron text of five fields, or six with seconds first.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    [ArgumentCompleter(typeof(CronCompleter))]
    public string? Cron { get; set; }

    /// <summary>Again after each span of time: seconds, or a time span.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    [Seconds]
    public TimeSpan? Every { get; set; }

    /// <summary>What is done with a time that passed while the scheduler did not run.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    public MissedRun MissedRun
    {
        get => _missedRun.Value;
        set => _missedRun.Value = value;
    }

    /// <summary>What is done when the previous run has not ended.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    public Overlap Overlap
    {
        get => _overlap.Value;
        set => _overlap.Value = value;
    }

    /// <summary>How often a run is repeated that failed before anything was submitted.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    [ValidateRange(1, 100)]
    public int? RetryFailed { get; set; }

    /// <summary>How long after the failure a run is repeated: seconds, or a time span.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    [Seconds]
    public TimeSpan? RetryAfter { get; set; }

    /// <summary>Where runs that end other than Succeeded are reported: an address, or env:NAME or file:PATH where it is kept.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    [ArgumentCompleter(typeof(NotifyUriCompleter))]
    [NameText]
    public string? NotifyUri { get; set; }

    /// <summary>A program and its arguments that are run when a run ends other than Succeeded.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = WorkbookSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = FolderSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = ImportSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = LinkingBatchSet)]
    [NameText]
    public string[] NotifyCommand { get; set; } = [];

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            _scheduler?.Dispose();
    }

    private protected override bool IsSoForAll(IngestException error) =>
        error.ErrorId == ErrorId.SchedulerNotRunning || base.IsSoForAll(error);

    private void RegisterWithScheduler()
    {
        try
        {
            RegisterRequest request = Request();
            _scheduler ??= new SchedulerClient(Session.SchedulerSocket);
            RunFor(Name, token => RegisterAsync(_scheduler, request, token));
        }
        catch (IngestException e)
        {
            WriteError(e.ToErrorRecord(Name));
        }
    }

    private async Task RegisterAsync(SchedulerClient scheduler, RegisterRequest request, CancellationToken cancellationToken)
    {
        // What would be is worked out only where somebody reads it.
        string what = IsShouldProcessHeard
            ? Display.Plan(await scheduler.PreviewAsync(request, cancellationToken).ConfigureAwait(false))
            : request.Definition.Name;
        if (!await AskAsync(() => ShouldProcess(what, what + "?", "Register schedule"), cancellationToken).ConfigureAwait(false))
            return;
        BulkLoadSchedule registered = await scheduler.RegisterAsync(request, cancellationToken).ConfigureAwait(false);
        Session.Schedules.Add(registered.Name);
        await PostAsync(registered, cancellationToken).ConfigureAwait(false);
    }

    private RegisterRequest Request()
    {
        // A column of a CSV that is not for this schedule is there, and empty.
        bool isAtGiven = !string.IsNullOrEmpty(LanguagePrimitives.ConvertTo<string>(At));
        string? cron = string.IsNullOrEmpty(Cron) ? null : Cron;
        if (new[] { isAtGiven, cron is not null, Every is not null }.Count(given => given) != 1)
            throw NoTime($"schedule '{Name}'");
        ScheduleDefinition definition = new()
        {
            Name = Name,
            Load = Load() with { Server = ServerOfInput() },
            At = isAtGiven ? ResolveTime().Local : null,
            Cron = cron,
            Every = Every,
            TimeZone = TimeZone,
            MissedRun = MissedRun,
            Overlap = Overlap,
            RetryFailed = RetryFailed,
            RetryAfter = RetryAfter,
            NotifyUri = string.IsNullOrEmpty(NotifyUri) ? null : NotifyUri,
            NotifyCommand = NotifyCommand is [{ Length: > 0 }, ..] ? NotifyCommand : null,
        };
        return new RegisterRequest
        {
            Definition = definition,
            Replace = Force,
            AllowPast = Force,
            By = Registrant.Name,
        };
    }

    private LoadDefinition Load() =>
        ParameterSetName switch
        {
            WorkbookSet => new()
            {
                Kind = LoadKind.BulkLoad,
                Connection = SavedConnection(IngestService.Voss),
                Path = FullPath(Path),
                Hierarchy = Hierarchy,
                Again = Again,
            },
            FolderSet => new()
            {
                Kind = LoadKind.BulkIngest,
                Connection = SavedConnection(IngestService.DspIngest),
                Path = FullPath(Path),
                Shortcode = Shortcode,
                Recurse = Recurse,
                Include = Patterns(Include),
                Exclude = Patterns(Exclude),
                ContinueOnFailure = ContinueOnFailure,
                Again = Again,
                MappingPath = FullPath(MappingPath),
            },
            ImportSet => new()
            {
                Kind = LoadKind.Import,
                Connection = SavedConnection(IngestService.LakeFs),
                Source = Source,
                Repository = Repository,
                Branch = Branch,
                Destination = Destination,
                Message = Message,
                MinimumObjects = MinimumObjects,
            },
            LinkingBatchSet => new()
            {
                Kind = LoadKind.LinkingBatch,
                Connection = SavedConnection(IngestService.Ica),
                DataIdPath = FullPath(DataIdPath),
                ProjectId = ProjectId,
            },
            _ => throw new InvalidOperationException(ParameterSetName),
        };

    /// <summary>The patterns; null where there are none. A column of a CSV that is not for this schedule is there, and empty.</summary>
    private static string[]? Patterns(string[] given) =>
        Array.FindAll(given, pattern => pattern.Length > 0) is { Length: > 0 } patterns ? patterns : null;

    private string? FullPath(string? path) => PathResolver.ResolveOptional(this, path);

    /// <summary>The name of the profile over which the daemon will sign in: connections of this session are not for it.</summary>
    private string SavedConnection(IngestService service) =>
        Connection is { Name.Length: > 0 } given
            ? given.Name
            : Session.Connections.ReadProfiles().FirstOrDefault(p => p.IsDefault && p.Service == service)?.Name
                ?? throw IngestErrors.Create(
                    ErrorId.NoConnection,
                    $"There is no saved connection to {service}, and the scheduler signs in without a user.",
                    $"Save one with Connect-IngestService {service} -SecretFrom ... -Save, and name it with -Connection; with "
                        + $"-Default it needs no naming."
                );
}
