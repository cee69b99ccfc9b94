using System.Diagnostics;
using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.PowerShell.Formatting;
using IngestTools.Services.DspIngest;
using IngestTools.Services.Voss;
using IngestTools.Uploads;

namespace IngestTools.PowerShell.Commands;

/// <summary>Send-IngestFile: sends files and folders as they come, and writes a result for each file as it ends.</summary>
[Cmdlet(VerbsCommunications.Send, "IngestFile", DefaultParameterSetName = InputObjectSet, SupportsShouldProcess = true)]
[OutputType(typeof(UploadResult), typeof(UploadSummary))]
public sealed class SendIngestFileCommand : PathCmdlet
{
    private const string InputObjectSet = "InputObject";

    private const string FolderAdvice =
        "Or send the files of the folders that you want: Get-ChildItem ./scans -Recurse -File | Where-Object FullName "
        + "-NotLike '*/private/*' | Send-IngestFile.";

    /// <summary>Lets the enumeration of paths run ahead of the sending by some files, not by all.</summary>
    private const int MostWaitingRequests = 1024;

    private readonly Channel<UploadRequest> _requests = Channel.CreateBounded<UploadRequest>(
        new BoundedChannelOptions(MostWaitingRequests) { SingleWriter = true }
    );

    private readonly Dictionary<(IngestConnection Connection, string Place), IUploadTarget> _targets = [];
    private readonly List<UploadResult> _notFound = [];
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private bool _isPlaceGiven;

    /// <summary>Whether files were given that cannot be sent anywhere: an error says so, and there are no totals.</summary>
    private bool _isTargetMissing;
    private UploadEngine? _engine;
    private UploadBar? _bar;

    /// <summary>Results of an earlier call: their files are sent again, under the same names, to the same project or hierarchy.</summary>
    /// <remarks>
    /// Its set is the default one: there the binder looks first, so that a result is not taken for a path because it has one.
    /// </remarks>
    [Parameter(Position = 0, ValueFromPipeline = true, ParameterSetName = InputObjectSet)]
    [UploadResults]
    [ValidateNotNull]
    public UploadResult[] InputObject { get; set; } = [];

    /// <summary>DSP-INGEST: the project's shortcode. Results of an earlier call have one.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = PathSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Parameter(ParameterSetName = InputObjectSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ShortcodeCompleter))]
    [NameText]
    public string? Shortcode { get; set; }

    /// <summary>VOSS: the hierarchy, a dotted path or a pkid. Results of an earlier call have one.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = PathSet)]
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Parameter(ParameterSetName = InputObjectSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(HierarchyCompleter))]
    [NameText]
    public string? Hierarchy { get; set; }

    /// <summary>VOSS: sends each file under a name that no other run has.</summary>
    [Parameter]
    public SwitchParameter UniqueName { get; set; }

    /// <summary>Searches folders through all levels.</summary>
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    /// <summary>Patterns of file names (* and ?), of which one must match.</summary>
    [Parameter]
    [FileNamePattern(FolderAdvice = FolderAdvice)]
    [NameText]
    public string[] Include { get; set; } = [];

    /// <summary>Patterns of file names (* and ?), of which none may match.</summary>
    [Parameter]
    [FileNamePattern(FolderAdvice = FolderAdvice)]
    [NameText]
    public string[] Exclude { get; set; } = [];

    /// <summary>The folder that remote names are relative to. Without it: the folder given, or for a file its own.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? BasePath { get; set; }

    /// <summary>The folder on the server that goes before each remote name.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? Destination { get; set; }

    /// <summary>The most uploads at once. Below it, the level is found that the server bears.</summary>
    [Parameter]
    [ValidateRange(1, 256)]
    public int ThrottleLimit { get; set; } = 16;

    /// <summary>Sends names too that the server is expected to refuse.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Sends files too that were sent before and have not changed.</summary>
    [Parameter]
    public SwitchParameter Again { get; set; }

    /// <summary>Compares files with the journal by SHA-256 instead of the time they were last written.</summary>
    [Parameter]
    public SwitchParameter Checksum { get; set; }

    /// <summary>Records nothing, and sends files whatever was sent before.</summary>
    [Parameter]
    public SwitchParameter NoJournal { get; set; }

    /// <summary>The maximum number of bytes of files in a second, all concurrent uploads together.</summary>
    [Parameter]
    [ValidateRange(1024, long.MaxValue)]
    public long MaxBytesPerSecond { get; set; }

    /// <summary>Makes all checks of the real call and sends nothing.</summary>
    [Parameter]
    public SwitchParameter DryRun { get; set; }

    /// <summary>Writes one summary at the end instead of a result for each file.</summary>
    [Parameter]
    public SwitchParameter Summary { get; set; }

    private protected override bool IsJournalOff => NoJournal;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _isPlaceGiven = Shortcode is not null || Hierarchy is not null;
        if (WhatDoesNotFit() is { } wrong)
            ThrowTerminatingError(wrong.ToErrorRecord());
        if (ParameterSetName == InputObjectSet && InputObject.Length == 0 && !MyInvocation.ExpectingInput)
        {
            ThrowTerminatingError(
                IngestErrors
                    .Create(
                        ErrorId.Rejected,
                        "There is nothing to send.",
                        "Give files or folders as -Path or -LiteralPath, or let them come down the pipeline."
                    )
                    .ToErrorRecord()
            );
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (UploadRequest request in ParameterSetName == InputObjectSet ? RequestsAgain() : RequestsForPaths())
        {
            if (_engine is null)
                StartEngine();
            if (!Feed(_requests.Writer, request))
                return;
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        _requests.Writer.Complete();
        Finish();
        if (Summary && _engine is null && !_isTargetMissing)
            WriteObject(Sum(new UploadTotals(), new FailureTally(), job: null));
    }

    /// <inheritdoc/>
    protected override void ReportProgress()
    {
        if (_bar is not null && _engine is not null)
            ShowProgress(_bar.Of(_engine.Progress));
    }

    private IEnumerable<UploadRequest> RequestsForPaths()
    {
        if (FindTarget(Shortcode, Hierarchy, (object?)Shortcode ?? Hierarchy, null) is not { } target)
            yield break;
        foreach (ResolvedPath found in ResolvePaths())
        {
            if (found.Error is { } error)
                WriteFailed(found.Path, target, error);
            else
                yield return new UploadRequest(found.Path, target);
        }
    }

    /// <summary>A path that leads to no file is a file that was not sent: who reads the results must see that one is missing.</summary>
    private void WriteFailed(string path, IUploadTarget target, IngestException error)
    {
        WriteError(error.ToErrorRecord(path));
        UploadResult result = new()
        {
            Path = path,
            RemoteName = System.IO.Path.GetFileName(path),
            Shortcode = target.Shortcode,
            Hierarchy = target.Hierarchy,
            Status = UploadStatus.Failed,
            Error = error,
            Connection = target.Connection,
            Server = target.Server,
        };
        if (Summary)
            _notFound.Add(result);
        else
            WriteObject(result);
    }

    private IEnumerable<UploadRequest> RequestsAgain()
    {
        foreach (UploadResult earlier in InputObject)
        {
            (string? shortcode, string? hierarchy) = _isPlaceGiven ? (Shortcode, Hierarchy) : (earlier.Shortcode, earlier.Hierarchy);
            if (shortcode is null && hierarchy is null)
            {
                _isTargetMissing = true;
                WriteError(IngestErrors.NotOfProject(earlier));
            }
            else if (FindTarget(shortcode, hierarchy, earlier, earlier.Connection, earlier.Server) is { } target)
                yield return new UploadRequest(earlier.Path, target)
                {
                    RemoteName = UniqueName && shortcode is null ? null : earlier.RemoteName,
                };
        }
    }

    /// <summary>What was given and does not go together; null where all does.</summary>
    private IngestException? WhatDoesNotFit()
    {
        if (Shortcode is not null && Hierarchy is not null)
            return IngestErrors.Create(
                ErrorId.Rejected,
                "Files go to a project or to a hierarchy, not to both.",
                "Give -Shortcode for DSP-INGEST, or -Hierarchy for VOSS."
            );
        if (Hierarchy is not null && (BasePath is not null || Destination is not null))
            return IngestErrors.Create(
                ErrorId.Rejected,
                "VOSS keeps files without folders.",
                "Leave -BasePath and -Destination out; -UniqueName keeps files of the same name apart."
            );
        if (Shortcode is not null && UniqueName)
            return IngestErrors.Create(
                ErrorId.Rejected,
                "-UniqueName is for VOSS; a project keeps files by their folders and names.",
                "Leave it out."
            );
        return null;
    }

    /// <summary>Where files of a project or a hierarchy go; null where there is no such place, which is written as an error.</summary>
    private IUploadTarget? FindTarget(string? shortcode, string? hierarchy, object? input, string? connectionName, string? server = null)
    {
        if ((shortcode ?? hierarchy) is not { } place)
        {
            _isTargetMissing = true;
            Refuse(
                IngestErrors
                    .Create(
                        ErrorId.Rejected,
                        "Nothing says where the files go.",
                        "Give -Shortcode for a project of DSP-INGEST, or -Hierarchy for VOSS."
                    )
                    .ToErrorRecord()
            );
            return null;
        }

        IngestService service = shortcode is null ? IngestService.Voss : IngestService.DspIngest;
        if (ResolveConnection(service, input ?? place, connectionName, server) is not { } connection)
        {
            _isTargetMissing = true;
            return null;
        }

        if (_targets.TryGetValue((connection, place), out IUploadTarget? target))
            return target;
        try
        {
            target = CreateTarget(connection, place);
            _targets.Add((connection, place), target);
        }
        catch (IngestException e)
        {
            _isTargetMissing = true;
            Refuse(e.ToErrorRecord(place));
        }

        return target;
    }

    private IUploadTarget CreateTarget(IngestConnection connection, string place)
    {
        IUploadTarget target =
            connection.Service == IngestService.Voss
                ? new VossClient(connection, Log).CreateUploadTarget(place, UniqueName)
                : new DspIngestClient(connection, Log).CreateUploadTarget(place);
        Session.Shortcodes.Add(target.Shortcode);
        Session.Hierarchies.Add(target.Hierarchy);
        return target;
    }

    /// <summary>
    /// A place of the command line is wrong for every file, as is none; one that came with an object is wrong for that object.
    /// </summary>
    private void Refuse(ErrorRecord error)
    {
        if (_isPlaceGiven || !MyInvocation.ExpectingInput)
            ThrowTerminatingError(error);
        WriteError(error);
    }

    private void StartEngine()
    {
        CancellationToken stop = StopToken;
        UploadOptions options = new()
        {
            ThrottleLimit = ThrottleLimit,
            Force = Force,
            Recurse = Recurse,
            Include = Include,
            Exclude = Exclude,
            BasePath = BasePath is null ? null : ResolveBasePath(),
            Destination = Destination,
            Journal = Journal,
            Again = Again,
            Checksum = Checksum,
            MaxBytesPerSecond = MaxBytesPerSecond > 0 ? MaxBytesPerSecond : null,
            IsDryRun = DryRun,
            IsRehearsal = IsWhatIf && !DryRun,
            Confirm = IsShouldProcessHeard && !DryRun ? item => ConfirmAsync(item, stop) : null,
        };
        _engine = new UploadEngine(options, Log);
        _bar = IsWhatIf ? null : new UploadBar(Session.NextActivity(), DryRun ? "Checking files" : "Sending files");
        Start(SendAsync);
    }

    private string ResolveBasePath()
    {
        try
        {
            return ResolveFile(BasePath!);
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(BasePath));
            throw;
        }
    }

    private Task SendAsync(CancellationToken cancellationToken) => PostAllAsync(SendAllAsync(cancellationToken), cancellationToken);

    private async IAsyncEnumerable<object> SendAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long sent = 0;
        long ingested = 0;
        FailureTally failures = new();
        UploadTotals totals = new();
        await foreach (UploadResult result in _engine!.SendAsync(_requests.Reader, cancellationToken).ConfigureAwait(false))
        {
            if (result.Status == UploadStatus.Failed)
            {
                if (failures.Add(result) is { } error)
                    yield return error.ToErrorRecord();
            }
            else if (result.Reason is SkipReason.AlreadySent)
                sent++;
            else if (result.Reason is SkipReason.AlreadyIngested)
                ingested++;
            totals.Add(result);
            if (!Summary)
                yield return result;
        }

        foreach ((IngestException _, string message) in failures.ReadFolded())
            await PostWarningAsync(message, cancellationToken).ConfigureAwait(false);
        if (sent + ingested > 0)
            await PostWarningAsync(DescribeSkipped(sent, ingested), cancellationToken).ConfigureAwait(false);
        if (Summary)
            yield return Sum(totals, failures, _engine.Job);
    }

    /// <summary>The summary of the call. Called when all paths have been looked for.</summary>
    private UploadSummary Sum(UploadTotals totals, FailureTally failures, string? job)
    {
        foreach (UploadResult result in _notFound)
        {
            totals.Add(result);
            failures.Add(result);
        }

        return totals.Sum(failures, _watch.Elapsed, job);
    }

    private static string DescribeSkipped(long sent, long ingested)
    {
        string[] parts =
        [
            ingested > 0 ? $"{ingested:N0} had been ingested" : "",
            sent > 0 ? $"{sent:N0} had been sent and {(sent == 1 ? "is" : "are")} not ingested yet" : "",
        ];
        long count = sent + ingested;
        return $"{count:N0} {(count == 1 ? "file was" : "files were")} skipped: "
            + $"{string.Join(", ", parts.Where(part => part.Length > 0))}. Use -Again to send {(count == 1 ? "it" : "them")} again.";
    }

    private ValueTask<bool> ConfirmAsync(UploadItem item, CancellationToken cancellationToken) =>
        AskAsync(
            () => ShouldProcess(item.Path, $"Send to {item.Target.Description} at {item.Target.Server} as '{item.RemoteName}'"),
            cancellationToken
        );
}
