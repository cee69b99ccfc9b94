using System.Management.Automation;
using IngestTools.Http;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.Services.LakeFs;

namespace IngestTools.PowerShell.Commands;

/// <summary>New-ImportRange: makes the next range of a source, or with -All every one.</summary>
[Cmdlet(VerbsCommon.New, "ImportRange", SupportsShouldProcess = true)]
[OutputType(typeof(ImportRange))]
public sealed class NewImportRangeCommand : IngestCmdlet
{
    private readonly int _bar;
    private long _made;
    private long _keys;

    /// <summary>Takes a number for the progress bar.</summary>
    public NewImportRangeCommand() => _bar = Session.NextActivity();

    /// <summary>The repository.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    [NameText]
    public string Repository { get; set; } = "";

    /// <summary>The addresses in the object store.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [NameText]
    [ArgumentCompleter(typeof(SourceCompleter))]
    public string[] Source { get; set; } = [];

    /// <summary>Takes only what comes after this key of the object store.</summary>
    [Parameter]
    [AllowEmptyString]
    [NameText]
    public string After { get; set; } = "";

    /// <summary>What the keys get before their names.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    [NameText]
    public string Prepend { get; set; } = "";

    /// <summary>Follows the pages to their end.</summary>
    [Parameter]
    public SwitchParameter All { get; set; }

    /// <summary>Where the previous range ended, as it reported.</summary>
    [Parameter]
    [AllowEmptyString]
    public string? ContinuationToken { get; set; }

    /// <summary>What holds the keys that came out of order, as the previous range reported.</summary>
    [Parameter]
    [AllowEmptyString]
    public string? StagingToken { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string source in Source)
        {
            string shown = Redaction.Of(source);
            if (ResolveConnection(IngestService.LakeFs, shown) is not { } connection)
                continue;
            if (!ShouldProcessAt(connection, $"repository {Repository}", $"Make {(All ? "ranges" : "a range")} of '{shown}'"))
                continue;
            RangeRequest request = new()
            {
                Repository = Repository,
                Source = source,
                After = After,
                Prepend = Prepend,
                ContinuationToken = ContinuationToken,
                StagingToken = StagingToken,
                FollowsPages = All,
            };
            Session.Repositories.Add(Repository);
            RunFor(shown, token => PostAllAsync(CountAsync(new LakeFsClient(connection, Log).CreateRangesAsync(request, token)), token));
        }
    }

    /// <inheritdoc/>
    protected override void ReportProgress()
    {
        if (Interlocked.Read(ref _made) is > 0 and var made)
            ShowProgress(
                new ProgressRecord(
                    _bar,
                    "Making ranges",
                    $"{Quantity.Of(made, "range")}, {Quantity.Of(Interlocked.Read(ref _keys), "key")}"
                )
            );
    }

    private async IAsyncEnumerable<ImportRange> CountAsync(IAsyncEnumerable<ImportRange> ranges)
    {
        await foreach (ImportRange range in ranges.ConfigureAwait(false))
        {
            Interlocked.Increment(ref _made);
            Interlocked.Add(ref _keys, range.Count);
            yield return range;
        }
    }
}
