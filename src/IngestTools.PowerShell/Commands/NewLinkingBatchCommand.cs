using System.Management.Automation;
using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.Services.Ica;

namespace IngestTools.PowerShell.Commands;

/// <summary>New-LinkingBatch: links data into a project, a batch as soon as it is full, while ids still come.</summary>
[Cmdlet(VerbsCommon.New, "LinkingBatch", SupportsShouldProcess = true)]
[OutputType(typeof(Transaction))]
public sealed class NewLinkingBatchCommand : IngestCmdlet
{
    /// <summary>One batch may wait while another is sent; more would only cost memory.</summary>
    private readonly Channel<LinkingBatchPlan> _full = Channel.CreateBounded<LinkingBatchPlan>(
        new BoundedChannelOptions(1) { SingleWriter = true }
    );

    private readonly List<LinkingBatchTarget> _targets = [];
    private LinkingBatchTarget? _target;
    private long _sentIds;
    private long _startedBatches;
    private int _activity;
    private bool _isProjectGiven;
    private long _came;

    /// <summary>
    /// The ids of the data: text, a Guid, or an object with a DataId or an Id. Each is looked at by itself, so that one that is none does
    /// not refuse the others.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object?[]? DataId { get; set; }

    /// <summary>The project that the data is linked into.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ProjectCompleter))]
    [NameText]
    public string? ProjectId { get; set; }

    /// <summary>How many ids make a batch.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int BatchSize { get; set; } = LinkingBatchCollector.DefaultBatchSize;

    /// <summary>Asks the service first which ids can be linked, and leaves the others out.</summary>
    [Parameter]
    public SwitchParameter CheckEligible { get; set; }

    /// <summary>Does not record the batches.</summary>
    [Parameter]
    public SwitchParameter NoJournal { get; set; }

    private protected override bool IsJournalOff => NoJournal;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _isProjectGiven = MyInvocation.BoundParameters.ContainsKey(nameof(ProjectId));
        _activity = Session.NextActivity();
        Start(SendAllAsync);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (object? given in DataId ?? [null])
        {
            _came++;
            if (!TryReadId(given, out string? id) || FindTarget(id) is not { } target)
                continue;
            if (target.Collector.Add(id, out LinkingBatchContent? full) is { } error)
                WriteError(error.ToErrorRecord());
            if (full is not null && !Send(target, full))
                return;
        }

        Pump();
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach (LinkingBatchTarget target in _targets)
        {
            if (target.Collector.Finish() is { } rest && !Send(target, rest))
                return;
        }

        _full.Writer.Complete();
        Finish();
    }

    /// <inheritdoc/>
    protected override void ReportProgress() =>
        ShowProgress(
            new ProgressRecord(
                _activity,
                "New-LinkingBatch",
                $"{Quantity.Of(Interlocked.Read(ref _sentIds), "id")} in {Interlocked.Read(ref _startedBatches):N0} "
                    + $"{(Interlocked.Read(ref _startedBatches) == 1 ? "batch" : "batches")}"
            )
        );

    /// <summary>The id that was given; false where it is none, which is written as an error.</summary>
    private bool TryReadId(object? given, out string? id)
    {
        object? value = given is PSObject wrapped ? wrapped.BaseObject : given;
        if (value is not (null or string or Guid))
        {
            PSMemberInfoCollection<PSPropertyInfo> properties = PSObject.AsPSObject(given!).Properties;
            PSPropertyInfo? property = properties[nameof(DataId)] ?? properties["Id"];
            object? named = property?.Value;
            value =
                property is null ? value
                : named is PSObject inner ? inner.BaseObject
                : named;
        }

        if (NameTextAttribute.WhyRefused(value) is { } why)
        {
            id = null;
            WriteError(
                IngestErrors.Create(ErrorId.Rejected, $"Object number {_came:N0}: {why}", "Give ids as text.", given).ToErrorRecord()
            );
            return false;
        }

        id = value is Guid uuid ? uuid.ToString() : value as string;
        if (value is null or string or Guid)
            return true;
        WriteError(
            IngestErrors
                .Create(
                    ErrorId.Rejected,
                    $"Object number {_came:N0}, a {PSObject.AsPSObject(given!).TypeNames[0]}, is not an id of data, and has no DataId "
                        + $"or Id that is one.",
                    "Give text, or objects with a property DataId or Id.",
                    given
                )
                .ToErrorRecord()
        );
        return false;
    }

    /// <summary>
    /// Where an id belongs: most often to where the one before it does. Null where its connection or its project cannot be used, which is
    /// written as an error.
    /// </summary>
    private LinkingBatchTarget? FindTarget(string? id)
    {
        if (_target is not null && _target.IsFor(Connection, Server, ProjectId))
            return _target;
        if (ResolveConnection(IngestService.Ica, (object?)id ?? "") is not { } connection)
            return null;
        try
        {
            LinkingBatchCollector collector = new(ProjectId ?? IcaClient.DefaultProjectId ?? throw NoProject(), BatchSize, Log);
            _target = _targets.Find(target => target.Connection == connection && target.Collector.ProjectId == collector.ProjectId);
            if (_target is null)
                AddTarget(connection, collector);
            _target!.Remember(Connection, Server, ProjectId);
            return _target;
        }
        catch (IngestException e) when (!_isProjectGiven && (ProjectId is not null || _targets.Count > 0))
        {
            WriteError(
                e.With(message: $"Id '{Redaction.EscapeControls(id ?? "")}' was not sent: {e.Message}", target: id ?? "").ToErrorRecord()
            );
            return null;
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(ProjectId));
            throw;
        }
    }

    private void AddTarget(IngestConnection connection, LinkingBatchCollector collector)
    {
        _targets.Add(_target = new LinkingBatchTarget(connection, collector));
        Session.Projects.Add(collector.ProjectId);
        if (!IsWhatIf)
            Feed(_full.Writer, new LinkingBatchPlan(connection, null));
    }

    private static IngestException NoProject() =>
        IngestErrors.Create(
            ErrorId.Rejected,
            "The project to link the data into is not known.",
            $"Give -ProjectId, or set the environment variable {IcaClient.ProjectVariable}."
        );

    private bool Send(LinkingBatchTarget target, LinkingBatchContent content) =>
        !ShouldProcessAt(target.Connection, $"project {content.ProjectId}", $"Link {content.Count:N0} data")
        || Feed(_full.Writer, new LinkingBatchPlan(target.Connection, content));

    /// <summary>One after the other: the output has the order of the input.</summary>
    private async Task SendAllAsync(CancellationToken cancellationToken)
    {
        await foreach (LinkingBatchPlan plan in _full.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            IcaClient client = new(plan.Connection, Log, Journal);
            if (plan.Content is null)
            {
                await client.PrepareAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            await foreach (LinkingResult result in client.StartAsync(plan.Content, CheckEligible, cancellationToken).ConfigureAwait(false))
            {
                await TellAsync(result, cancellationToken).ConfigureAwait(false);
                // What holds for this batch holds for those after it.
                if (result.Error?.ErrorId == ErrorId.JournalUnavailable)
                    return;
            }
        }
    }

    private async Task TellAsync(LinkingResult result, CancellationToken cancellationToken)
    {
        if (result.Error is { } error)
        {
            await PostErrorAsync(error.ToErrorRecord(), cancellationToken).ConfigureAwait(false);
            return;
        }

        Transaction started = result.Transaction!;
        Interlocked.Add(ref _sentIds, started.Total ?? 0);
        Interlocked.Increment(ref _startedBatches);
        Session.Remember(started);
        await PostAsync(started, cancellationToken).ConfigureAwait(false);
    }
}
