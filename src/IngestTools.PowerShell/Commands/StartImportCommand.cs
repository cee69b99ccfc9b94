using System.Collections;
using System.Management.Automation;
using System.Runtime.CompilerServices;
using IngestTools.Http;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.PowerShell.Formatting;
using IngestTools.Services.LakeFs;

namespace IngestTools.PowerShell.Commands;

/// <summary>Start-Import: starts one import a branch, of all sources that come. What is under its destinations is replaced.</summary>
[Cmdlet(VerbsLifecycle.Start, "Import", SupportsShouldProcess = true)]
[OutputType(typeof(Transaction))]
public sealed class StartImportCommand : IngestCmdlet
{
    private readonly List<ImportGroup> _groups = [];

    // In a box, for a field of one of Core's enums would need Core before it can be found.
    private readonly StrongBox<ImportDialect> _dialect = new();

    private readonly TransactionBars _bars;

    private bool _isIncomplete;
    private bool _yesToAll;
    private bool _noToAll;

    /// <summary>Takes numbers for the progress bars.</summary>
    public StartImportCommand() => _bars = new TransactionBars(Session.NextActivity);

    /// <summary>The repository.</summary>
    /// <remarks>
    /// What is empty is taken here and refused by <see cref="ProcessRecord"/>: a row that the binder drops would be missing in the import.
    /// </remarks>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    [AllowNull]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    [NameText(IsRefusedLater = true)]
    public string? Repository { get; set; }

    /// <summary>The branch.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    [AllowNull]
    [ArgumentCompleter(typeof(BranchCompleter))]
    [NameText(IsRefusedLater = true)]
    public string? Branch { get; set; }

    /// <summary>The addresses in the object store.</summary>
    [Parameter(Mandatory = true, Position = 2, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [AllowEmptyCollection]
    [AllowEmptyString]
    [AllowNull]
    [ArgumentCompleter(typeof(SourceCompleter))]
    [NameText(IsRefusedLater = true)]
    public string?[]? Source { get; set; }

    /// <summary>The prefix on the branch, or an object's name there; without it, the whole branch.</summary>
    [Parameter(Position = 3, ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    [AllowNull]
    [NameText(IsRefusedLater = true)]
    public string? Destination { get; set; }

    /// <summary>What the sources are: prefixes, or single objects.</summary>
    /// <remarks>A text, for the binder drops a word of a row that is none of an enum's, and the row would be taken for a prefix.</remarks>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    [AllowNull]
    [ArgumentCompleter(typeof(SourceTypeCompleter))]
    public string? SourceType { get; set; }

    /// <summary>The commit's message.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Message { get; set; }

    /// <summary>The commit's metadata.</summary>
    [Parameter]
    [ValidateNotNull]
    public IDictionary? Metadata { get; set; }

    /// <summary>Imports into a read-only repository too.</summary>
    [Parameter]
    public SwitchParameter AllowReadOnly { get; set; }

    /// <summary>The form in which the server is spoken to; without it, the one that fits its version.</summary>
    [Parameter]
    public ImportDialect Dialect
    {
        get => _dialect.Value;
        set => _dialect.Value = value;
    }

    /// <summary>The number of objects below which the import has failed; without it, 1 where objects were deleted.</summary>
    [Parameter]
    [ValidateRange(0L, long.MaxValue)]
    public long? MinimumObjects { get; set; }

    /// <summary>
    /// Imports into a temporary branch, checks the result, and merges only then. The cmdlet then waits until the import has ended.
    /// </summary>
    [Parameter]
    public SwitchParameter Staged { get; set; }

    /// <summary>Does not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Does not record the import.</summary>
    [Parameter]
    public SwitchParameter NoJournal { get; set; }

    private protected override bool IsJournalOff => NoJournal;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (ReadSourceType() is null)
            ThrowTerminatingError(NoSourceType().ToErrorRecord(SourceType));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        string?[] sources = Source is { Length: > 0 } given ? given : [""];
        foreach (string? source in sources)
            _isIncomplete |= !TryAdd(source ?? "");
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_isIncomplete)
        {
            WriteWarning(
                "Nothing was imported, since not all that came could be used: an import without it would delete what it should have "
                    + "brought."
            );
            return;
        }

        foreach (ImportGroup group in _groups)
            RunFor(group.Name, token => ImportAsync(group, token));
    }

    /// <inheritdoc/>
    protected override void ReportProgress()
    {
        foreach (ProgressRecord record in _bars.TakeRecords())
            ShowProgress(record);
    }

    private bool TryAdd(string source)
    {
        if (WhatIsWrong(source) is { } wrong)
        {
            WriteError(wrong.ToErrorRecord(Redaction.Of(source)));
            return false;
        }

        if (ResolveConnection(IngestService.LakeFs, Redaction.Of(source)) is not { } connection)
            return false;
        ImportGroup? group = _groups.Find(g => g.IsFor(connection, Repository!, Branch!));
        if (group is null)
            _groups.Add(group = new ImportGroup(connection, Repository!, Branch!));
        group.Add(new ImportSource(source, Destination ?? "", ReadSourceType()!.Value));
        return true;
    }

    private IngestException? WhatIsWrong(string source)
    {
        if (
            new[] { Repository, Branch, source, Destination }.Select(NameTextAttribute.WhyRefused).FirstOrDefault(why => why is not null) is
            { } number
        )
            return IngestErrors.Create(ErrorId.Rejected, number, "Give names and addresses as text.");
        if (string.IsNullOrEmpty(Repository))
            return IngestErrors.Create(
                ErrorId.Rejected,
                "A source has no repository.",
                "Give -Repository, or fill the column Repository of each row."
            );
        if (string.IsNullOrEmpty(Branch))
            return IngestErrors.Create(ErrorId.Rejected, "A source has no branch.", "Give -Branch, or fill the column Branch of each row.");
        return ReadSourceType() is null ? NoSourceType() : null;
    }

    private IngestException NoSourceType() =>
        IngestErrors.Create(
            ErrorId.Rejected,
            $"'{SourceType}' is not a type of source.",
            "Write CommonPrefix for all that begins so, or Object for one object."
        );

    /// <summary>By name; without one it is a prefix. Null where it is not a type.</summary>
    private ImportSourceType? ReadSourceType() =>
        string.IsNullOrWhiteSpace(SourceType)
            ? ImportSourceType.CommonPrefix
            : Enum.GetValues<ImportSourceType>()
                .Cast<ImportSourceType?>()
                .FirstOrDefault(type => string.Equals(type.ToString(), SourceType.Trim(), StringComparison.OrdinalIgnoreCase));

    private async Task ImportAsync(ImportGroup group, CancellationToken cancellationToken)
    {
        LakeFsClient client = new(group.Connection, Log, Journal);
        ImportRequest request = group.ToRequest(Message, Metadata, AllowReadOnly, Dialect, MinimumObjects);
        ImportPlan plan = await client.PrepareAsync(request, IsShouldProcessHeard, cancellationToken).ConfigureAwait(false);
        foreach (IngestException error in plan.Errors)
            await PostErrorAsync(error.ToErrorRecord(), cancellationToken).ConfigureAwait(false);
        if (plan.Errors.Count > 0 || !await AskAsync(() => MayStart(group, plan), cancellationToken).ConfigureAwait(false))
            return;
        if (Staged)
        {
            await StageAsync(client, plan, cancellationToken).ConfigureAwait(false);
            return;
        }

        Transaction started = await client.StartAsync(plan, cancellationToken).ConfigureAwait(false);
        Session.Remember(started);
        await PostAsync(started, cancellationToken).ConfigureAwait(false);
    }

    private async Task StageAsync(LakeFsClient client, ImportPlan plan, CancellationToken cancellationToken)
    {
        StagedImportResult result = await client.StageAsync(plan, _bars.Update, cancellationToken).ConfigureAwait(false);
        _bars.Remove(result.Transaction);
        Session.Remember(result.Transaction);
        if (result.Error is { } error)
            await PostErrorAsync(error.ToErrorRecord(result.Transaction), cancellationToken).ConfigureAwait(false);
        await PostAsync(result.Transaction, cancellationToken).ConfigureAwait(false);
    }

    private bool MayStart(ImportGroup group, ImportPlan plan)
    {
        string action = Describe(group, plan);
        if (!ShouldProcess($"{action}.", $"{action}?", "Start import"))
            return false;
        ImportReplacement[] surprising = [.. plan.Replacements.Where(r => r.IsSurprising)];
        return surprising.Length == 0 || IsAnswered() || Ask(group, surprising);
    }

    private string Describe(ImportGroup group, ImportPlan plan)
    {
        IReadOnlyList<ImportSource> sources = plan.Request.Sources;
        string what = sources.Count == 1 ? $"'{Redaction.Of(sources[0].Source)}'" : $"{sources.Count:N0} sources";
        string replaced =
            plan.Replacements.Count == 0 ? "" : $". This deletes {string.Join("; ", plan.Replacements.Select(r => r.Describe()))}";
        string staged = Staged ? " over a temporary branch" : "";
        return $"Import {what}{staged} into {group.Name} at {group.Connection.Server}{replaced}";
    }

    /// <summary>-Force, -Confirm:$false, and what was just answered because of -Confirm or $ConfirmPreference.</summary>
    private bool IsAnswered() =>
        Force
        || MyInvocation.BoundParameters.ContainsKey("Confirm")
        || (
            LanguagePrimitives.TryConvertTo(GetVariableValue("ConfirmPreference"), out ConfirmImpact preference)
            && preference != ConfirmImpact.High
        );

    private bool Ask(ImportGroup group, ImportReplacement[] surprising)
    {
        string goes = string.Join("; ", surprising.Select(r => r.Describe()));
        try
        {
            // Of all overloads only this one takes Enter for a no.
            return ShouldContinue(
                $"The import deletes, on {group.Name} at {group.Connection.Server}, {goes}. Continue?",
                "Start import",
                hasSecurityImpact: true,
                ref _yesToAll,
                ref _noToAll
            );
        }
        catch (Exception e) when (e is not (PipelineStoppedException or FlowControlException))
        {
            // Hosts tell in many ways that they cannot ask; where the input is at its end, the console's says so with a
            // NullReferenceException.
            WriteError(
                IngestErrors
                    .Create(
                        ErrorId.Rejected,
                        $"The import was not started: it needs a confirmation, and this session cannot ask. It deletes, on "
                            + $"{group.Name}, {goes}.",
                        "Give a -Destination with a slash at its end; or -Force, where all that may go."
                    )
                    .ToErrorRecord(group.Name)
            );
            return false;
        }
    }
}
