using System.Management.Automation;
using System.Runtime.CompilerServices;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;
using IngestTools.PowerShell.Formatting;
using IngestTools.PowerShell.Scheduler;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Commands;

/// <summary>Set-BulkLoadSchedule: changes single properties of schedules; the others stay.</summary>
[Cmdlet(VerbsCommon.Set, "BulkLoadSchedule", SupportsShouldProcess = true)]
[OutputType(typeof(BulkLoadSchedule))]
public sealed class SetBulkLoadScheduleCommand : NamedScheduleCmdlet
{
    private static readonly string[] OfFolders =
    [
        nameof(Recurse),
        nameof(Include),
        nameof(Exclude),
        nameof(ContinueOnFailure),
        nameof(MappingPath),
    ];

    private static readonly string[] OfImports = [nameof(Source), nameof(Message), nameof(MinimumObjects)];

    // In a box, for a field of one of Core's enums would need Core before it can be found.
    private readonly StrongBox<MissedRun> _missedRun = new();
    private readonly StrongBox<Overlap> _overlap = new();

    /// <summary>Once, at this time; in place of the times that the schedule has.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public object At { get; set; } = "";

    /// <summary>Again and again, at the times of a cron text; in place of the times that the schedule has.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(CronCompleter))]
    public string Cron { get; set; } = "";

    /// <summary>Again after each span of time, the first one from now; in place of the times that the schedule has.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan Every { get; set; }

    /// <summary>The zone of the times: an IANA or Windows id.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(TimeZoneCompleter))]
    public string TimeZone { get; set; } = "";

    /// <summary>The saved connection, and with it the server that it leads to now.</summary>
    [Parameter]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(ConnectionCompleter))]
    [NameText]
    public ConnectionArgument? Connection { get; set; }

    /// <summary>VOSS: the workbook, which is copied now. DSP-INGEST: the file or folder.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string Path { get; set; } = "";

    /// <summary>ICA: the file of data ids, which is copied now.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string DataIdPath { get; set; } = "";

    /// <summary>DSP-INGEST: sends folders in the folder too.</summary>
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    /// <summary>DSP-INGEST: patterns of file names (* and ?), of which one must match; an empty list lets every name through.</summary>
    [Parameter]
    [FileNamePattern]
    [NameText]
    public string[] Include { get; set; } = [];

    /// <summary>DSP-INGEST: patterns of file names (* and ?), of which none may match; an empty list leaves out none.</summary>
    [Parameter]
    [FileNamePattern]
    [NameText]
    public string[] Exclude { get; set; } = [];

    /// <summary>DSP-INGEST: ingests what could be sent where other files could not be sent.</summary>
    [Parameter]
    public SwitchParameter ContinueOnFailure { get; set; }

    /// <summary>DSP-INGEST, VOSS: each run sends and loads what was sent or loaded before.</summary>
    [Parameter]
    public SwitchParameter Again { get; set; }

    /// <summary>DSP-INGEST: where the mapping is saved after each run; an empty text saves none.</summary>
    [Parameter]
    [AllowEmptyString]
    [NameText]
    public string MappingPath { get; set; } = "";

    /// <summary>lakeFS: the source.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [NameText]
    [ArgumentCompleter(typeof(SourceCompleter))]
    public string Source { get; set; } = "";

    /// <summary>lakeFS: the commit's message; an empty text takes the usual one.</summary>
    [Parameter]
    [AllowEmptyString]
    public string Message { get; set; } = "";

    /// <summary>lakeFS: the number of objects below which a run has failed.</summary>
    [Parameter]
    [ValidateRange(0L, long.MaxValue)]
    public long MinimumObjects { get; set; }

    /// <summary>What is done with a time that passed while the scheduler did not run.</summary>
    [Parameter]
    public MissedRun MissedRun
    {
        get => _missedRun.Value;
        set => _missedRun.Value = value;
    }

    /// <summary>What is done when the previous run has not ended.</summary>
    [Parameter]
    public Overlap Overlap
    {
        get => _overlap.Value;
        set => _overlap.Value = value;
    }

    /// <summary>How often a run is repeated that failed before anything was submitted; 0 repeats none.</summary>
    [Parameter]
    [ValidateRange(0, 100)]
    public int RetryFailed { get; set; }

    /// <summary>How long after the failure a run is repeated: seconds, or a time span.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan RetryAfter { get; set; }

    /// <summary>Where runs that end other than Succeeded are reported; an empty text or $null removes the address.</summary>
    [Parameter]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(NotifyUriCompleter))]
    [NameText]
    public string? NotifyUri { get; set; }

    /// <summary>A program and its arguments that are run when a run ends other than Succeeded; an empty list or $null runs none.</summary>
    [Parameter]
    [AllowNull]
    [AllowEmptyCollection]
    [AllowEmptyString]
    [NameText]
    public string[]? NotifyCommand { get; set; }

    /// <summary>Takes a time that has passed: the load then runs at once.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    private protected override string Action => $"Change {string.Join(", ", Given.Select(name => "-" + name))} of schedule";

    /// <summary>The properties that are to change.</summary>
    private IEnumerable<string> Given =>
        MyInvocation.BoundParameters.Keys.Where(name =>
            name
                is nameof(At)
                    or nameof(Cron)
                    or nameof(Every)
                    or nameof(TimeZone)
                    or nameof(Connection)
                    or nameof(Path)
                    or nameof(DataIdPath)
                    or nameof(Again)
                    or nameof(MissedRun)
                    or nameof(Overlap)
                    or nameof(RetryFailed)
                    or nameof(RetryAfter)
                    or nameof(NotifyUri)
                    or nameof(NotifyCommand)
            || OfFolders.Contains(name)
            || OfImports.Contains(name)
        );

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (!Given.Any())
            ThrowTerminatingError(
                IngestErrors
                    .Create(ErrorId.InvalidSchedule, "Nothing is to be changed.", "Name what changes, such as -Cron.")
                    .ToErrorRecord()
            );
        if (new[] { nameof(At), nameof(Cron), nameof(Every) }.Count(IsGiven) > 1)
            ThrowTerminatingError(
                IngestErrors
                    .Create(ErrorId.InvalidSchedule, "A schedule has one of -At, -Cron and -Every.", "Give one of them.")
                    .ToErrorRecord()
            );
    }

    // What would be is worked out only where somebody reads it.
    private protected override void Act(string name) => RunFor(name, token => ActAsync(name, token));

    private protected override async Task ActAsync(string name, CancellationToken cancellationToken)
    {
        ScheduleDefinition was = await ReadAsync(name, cancellationToken).ConfigureAwait(false);
        ChangeRequest request = ChangeRequest.Between(was, Change(was)) with
        {
            CopyInput = IsGiven(nameof(Path)) || IsGiven(nameof(DataIdPath)),
            AllowPast = Force,
            By = Registrant.Name,
        };
        string what = IsShouldProcessHeard
            ? Display.Plan(await Client.PreviewChangeAsync(name, request, cancellationToken).ConfigureAwait(false), Action)
            : name;
        if (!await AskAsync(() => ShouldProcess(what, what + "?", Action), cancellationToken).ConfigureAwait(false))
            return;
        await PostAsync(await Client.ChangeAsync(name, request, cancellationToken).ConfigureAwait(false), cancellationToken)
            .ConfigureAwait(false);
    }

    private async Task<ScheduleDefinition> ReadAsync(string name, CancellationToken cancellationToken)
    {
        await foreach (BulkLoadSchedule schedule in Client.ReadSchedulesAsync([name], cancellationToken).ConfigureAwait(false))
        {
            if (string.Equals(schedule.Name, name, StringComparison.OrdinalIgnoreCase))
                return schedule.Definition ?? throw SchedulerErrors.Broken(schedule);
        }

        throw SchedulerErrors.NoSuchSchedule(name);
    }

    private ScheduleDefinition Change(ScheduleDefinition was)
    {
        ScheduleDefinition now = was with
        {
            Load = Change(was.Name, was.Load),
            TimeZone = IsGiven(nameof(TimeZone)) ? TimeZone : was.TimeZone,
            MissedRun = IsGiven(nameof(MissedRun)) ? MissedRun : was.MissedRun,
            Overlap = IsGiven(nameof(Overlap)) ? Overlap : was.Overlap,
            RetryFailed = IsGiven(nameof(RetryFailed)) ? (RetryFailed == 0 ? null : RetryFailed) : was.RetryFailed,
            RetryAfter = IsGiven(nameof(RetryAfter)) ? RetryAfter : was.RetryAfter,
            NotifyUri = IsGiven(nameof(NotifyUri)) ? (string.IsNullOrEmpty(NotifyUri) ? null : NotifyUri) : was.NotifyUri,
            NotifyCommand = IsGiven(nameof(NotifyCommand))
                ? (NotifyCommand is [{ Length: > 0 }, ..] ? NotifyCommand : null)
                : was.NotifyCommand,
        };
        if (now.RetryFailed is null && !IsGiven(nameof(RetryAfter)))
            now = now with { RetryAfter = null };
        if (IsGiven(nameof(At)))
            return now with { At = ResolveTime(now.TimeZone), Cron = null, Every = null };
        if (IsGiven(nameof(Cron)))
            return now with { At = null, Cron = Cron, Every = null };
        return IsGiven(nameof(Every)) ? now with { At = null, Cron = null, Every = Every } : now;
    }

    private LoadDefinition Change(string name, LoadDefinition was)
    {
        CheckKind(name, was.Kind);
        LoadDefinition now = was with
        {
            Path = IsGiven(nameof(Path)) ? PathResolver.ResolveOptional(this, Path) : was.Path,
            DataIdPath = IsGiven(nameof(DataIdPath)) ? PathResolver.ResolveOptional(this, DataIdPath) : was.DataIdPath,
            Recurse = IsGiven(nameof(Recurse)) ? Recurse : was.Recurse,
            Include = IsGiven(nameof(Include)) ? (Include.Length == 0 ? null : Include) : was.Include,
            Exclude = IsGiven(nameof(Exclude)) ? (Exclude.Length == 0 ? null : Exclude) : was.Exclude,
            ContinueOnFailure = IsGiven(nameof(ContinueOnFailure)) ? ContinueOnFailure : was.ContinueOnFailure,
            Again = IsGiven(nameof(Again)) ? Again : was.Again,
            MappingPath = IsGiven(nameof(MappingPath)) ? MappingFile() : was.MappingPath,
            Source = IsGiven(nameof(Source)) ? Source : was.Source,
            Message = IsGiven(nameof(Message)) ? (Message.Length == 0 ? null : Message) : was.Message,
            MinimumObjects = IsGiven(nameof(MinimumObjects)) ? MinimumObjects : was.MinimumObjects,
        };
        return Connection is { Name.Length: > 0 } connection ? now with { Connection = connection.Name, Server = null } : now;
    }

    private string? MappingFile() => MappingPath.Length == 0 ? null : PathResolver.ResolveOptional(this, MappingPath);

    private DateTimeOffset ResolveTime(string? zone) =>
        ScheduleTime.Resolve(At is PSObject wrapped ? wrapped.BaseObject : At, zone, DateTimeOffset.UtcNow, Force).Local;

    /// <summary>What is given must be a property of such loads.</summary>
    private void CheckKind(string name, LoadKind kind)
    {
        string? other = Given.FirstOrDefault(given => !IsOf(given, kind));
        if (other is not null)
            throw IngestErrors.Create(
                ErrorId.InvalidSchedule,
                $"'{name}' is a schedule of the kind {kind}, which has no -{other}.",
                "Leave it out, or register another schedule.",
                name
            );
    }

    private static bool IsOf(string given, LoadKind kind) =>
        kind switch
        {
            LoadKind.BulkIngest => !OfImports.Contains(given) && given != nameof(DataIdPath),
            LoadKind.BulkLoad => !OfImports.Contains(given) && !OfFolders.Contains(given) && given != nameof(DataIdPath),
            LoadKind.Import => !OfFolders.Contains(given) && given is not (nameof(Path) or nameof(DataIdPath) or nameof(Again)),
            LoadKind.LinkingBatch => !OfFolders.Contains(given)
                && !OfImports.Contains(given)
                && given is not (nameof(Path) or nameof(Again)),
            _ => true,
        };

    private bool IsGiven(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);
}
