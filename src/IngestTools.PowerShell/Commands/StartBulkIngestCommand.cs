using System.Management.Automation;
using System.Threading.Channels;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.Services.DspIngest;
using IngestTools.Transactions;

namespace IngestTools.PowerShell.Commands;

/// <summary>Start-BulkIngest: starts the bulk ingest of each project once, after all its uploads ended.</summary>
[Cmdlet(VerbsLifecycle.Start, "BulkIngest", DefaultParameterSetName = UploadSet, SupportsShouldProcess = true)]
[OutputType(typeof(Transaction))]
public sealed class StartBulkIngestCommand : IngestCmdlet
{
    private const string ProjectSet = "Project";
    private const string UploadSet = "Upload";

    private readonly List<BulkIngestPlan> _plans = [];
    private readonly Channel<WaitRequest> _started = Channel.CreateUnbounded<WaitRequest>();
    private TransactionFollower? _follower;

    /// <summary>What was uploaded: it names the project, and what its ingest should contain.</summary>
    /// <remarks>
    /// Its set is the default one: there the binder looks first, so that a result is not taken for a shortcode because it has one.
    /// </remarks>
    [Parameter(ValueFromPipeline = true, ParameterSetName = UploadSet)]
    [UploadResults]
    [ValidateNotNull]
    public UploadResult[] InputObject { get; set; } = [];

    /// <summary>The projects. Together with uploads: the ones to start, whatever else was uploaded.</summary>
    [Parameter(
        Mandatory = true,
        Position = 0,
        ValueFromPipeline = true,
        ValueFromPipelineByPropertyName = true,
        ParameterSetName = ProjectSet
    )]
    [Parameter(Position = 0, ParameterSetName = UploadSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ShortcodeCompleter))]
    [NameText]
    public string[]? Shortcode { get; set; }

    /// <summary>Waits until the ingest has ended.</summary>
    [Parameter]
    public SwitchParameter Wait { get; set; }

    /// <summary>Starts although uploads failed.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Records nothing, and starts whatever was ingested before.</summary>
    [Parameter]
    public SwitchParameter NoJournal { get; set; }

    private protected override bool IsJournalOff => NoJournal;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (ParameterSetName == UploadSet && InputObject.Length == 0 && Shortcode is null && !MyInvocation.ExpectingInput)
        {
            ThrowTerminatingError(
                IngestErrors
                    .Create(
                        ErrorId.Rejected,
                        "There is nothing to start.",
                        "Give -Shortcode, or let results of Send-IngestFile come down the pipeline."
                    )
                    .ToErrorRecord()
            );
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        Array.ForEach(InputObject, Add);
        if (InputObject.Length == 0)
            Array.ForEach(Shortcode ?? [], AddProject);
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach (BulkIngestPlan plan in _plans)
        {
            if (MayStart(plan) && ShouldProcessAt(plan.Connection, $"project {plan.Shortcode}", "Start bulk ingest"))
                RunFor(plan.Shortcode, token => StartAsync(plan, token));
        }

        if (Wait)
            WaitForAll();
    }

    /// <inheritdoc/>
    protected override void ReportProgress() => _follower?.ReportProgress();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            _plans.ForEach(p => p.Dispose());
    }

    private void Add(UploadResult upload)
    {
        if (upload.Shortcode is not { } shortcode)
            WriteError(IngestErrors.NotOfProject(upload));
        else if (upload.Status == UploadStatus.Planned)
            WriteError(IngestErrors.NotSent(upload));
        else if (Shortcode is null || Shortcode.Contains(shortcode, StringComparer.OrdinalIgnoreCase))
            Plan(shortcode, upload, upload.Connection, upload.Server)?.Add(upload);
    }

    /// <summary>A project without known uploads is started as it is.</summary>
    private void AddProject(string shortcode)
    {
        if (Plan(shortcode, shortcode) is { } plan)
            plan.IsAskedFor = true;
    }

    /// <summary>
    /// The plan that an input object belongs to; null where it names a connection that cannot be used, which is written as an error.
    /// </summary>
    private BulkIngestPlan? Plan(string shortcode, object input, string? connectionName = null, string? server = null)
    {
        if (ResolveConnection(IngestService.DspIngest, input, connectionName, server) is not { } connection)
            return null;
        BulkIngestPlan? plan = _plans.Find(p => p.IsFor(connection, shortcode));
        if (plan is null)
        {
            plan = new BulkIngestPlan(connection, shortcode);
            _plans.Add(plan);
            Session.Shortcodes.Add(shortcode);
        }

        return plan;
    }

    private bool MayStart(BulkIngestPlan plan)
    {
        if (plan.Collision is { } collision)
        {
            WriteError(
                IngestErrors
                    .Create(
                        ErrorId.NameCollision,
                        $"The bulk ingest of project {plan.Shortcode} was not started: '{collision.First}' and "
                            + $"'{collision.Second.Path}' were both sent as '{collision.Second.RemoteName}', and the server has only the "
                            + $"later one.",
                        "Send them with a -BasePath that keeps their folders apart, or rename one of them."
                    )
                    .ToErrorRecord(collision.Second)
            );
            return false;
        }

        string? missing = DescribeFailures(plan);
        if (Force || plan.IsAskedFor)
        {
            if (missing is not null)
                WriteWarning($"The bulk ingest of project {plan.Shortcode} is started without all files: {missing}");
            return true;
        }

        if (missing is not null)
        {
            WriteError(
                IngestErrors
                    .Create(
                        ErrorId.Rejected,
                        $"The bulk ingest of project {plan.Shortcode} was not started: {missing}",
                        "Send the failed files again: $results | Where-Object Status -eq Failed | Send-IngestFile. Or start without "
                            + "them: -Force."
                    )
                    .ToErrorRecord(plan.Shortcode)
            );
            return false;
        }

        if (plan.UploadedCount == 0)
            WriteWarning(
                $"The bulk ingest of project {plan.Shortcode} was not started: nothing was uploaded. -Force starts it all the same."
            );
        return plan.UploadedCount > 0;
    }

    /// <summary>How many uploads failed, and the reason of most of them; null where none failed.</summary>
    private static string? DescribeFailures(BulkIngestPlan plan)
    {
        if (plan.FirstFailed is not { } first)
            return null;
        string words = $"{plan.Failures.Count:N0} of its uploads failed, the first that of '{first.Path}'.";
        if (plan.Failures.Commonest is not { } commonest)
            return words;
        string reasonOf =
            plan.Failures.Count == 1 ? "The reason"
            : commonest.Count == plan.Failures.Count ? "The reason of all"
            : $"The reason of {commonest.Count:N0} of them";
        return $"{words} {reasonOf}: {commonest.Error.Message}";
    }

    private async Task StartAsync(BulkIngestPlan plan, CancellationToken cancellationToken)
    {
        DspIngestClient client = new(plan.Connection, Log, Journal);
        Transaction started = await client.StartAsync(plan.Shortcode, plan.TakeNames(), cancellationToken).ConfigureAwait(false);
        Session.Remember(started);
        if (Wait)
            _started.Writer.TryWrite(new WaitRequest(started, TransactionSources.For(plan.Connection, Log, Journal)));
        else
            await PostAsync(started, cancellationToken).ConfigureAwait(false);
    }

    private void WaitForAll()
    {
        _started.Writer.Complete();
        _follower = new TransactionFollower(this, Session, new WaitOptions(), Log);
        Run(token => _follower.FollowAsync(_started.Reader, token));
    }
}
