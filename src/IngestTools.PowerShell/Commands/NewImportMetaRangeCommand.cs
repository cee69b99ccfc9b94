using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.Services.LakeFs;

namespace IngestTools.PowerShell.Commands;

/// <summary>New-ImportMetaRange: makes one metarange a repository out of all ranges that come.</summary>
[Cmdlet(VerbsCommon.New, "ImportMetaRange", SupportsShouldProcess = true)]
[OutputType(typeof(ImportMetaRange))]
public sealed class NewImportMetaRangeCommand : IngestCmdlet
{
    private readonly List<(IngestConnection Connection, string Repository, List<ImportRange> Ranges)> _groups = [];

    /// <summary>The repository; without it, that of the ranges.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    [NameText]
    public string? Repository { get; set; }

    /// <summary>The ranges.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    [ValidateNotNull]
    public ImportRange[] Range { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord() => Array.ForEach(Range, Add);

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach ((IngestConnection connection, string repository, List<ImportRange> ranges) in _groups)
        {
            if (!ShouldProcessAt(connection, $"repository {repository}", $"Make a metarange of {Quantity.Of(ranges.Count, "range")}"))
                continue;
            Session.Repositories.Add(repository);
            RunFor(
                repository,
                async token =>
                    await PostAsync(
                            await new LakeFsClient(connection, Log).CreateMetaRangeAsync(repository, ranges, token).ConfigureAwait(false),
                            token
                        )
                        .ConfigureAwait(false)
            );
        }
    }

    private void Add(ImportRange range)
    {
        string? repository = Repository ?? (range.Repository.Length > 0 ? range.Repository : null);
        if (repository is null || range.Id.Length == 0)
        {
            WriteError(
                IngestErrors
                    .Create(
                        ErrorId.Rejected,
                        repository is null ? $"The range '{range.Id}' does not name its repository." : "This is not a range: it has no Id.",
                        "Give what New-ImportRange wrote, and -Repository where that has none."
                    )
                    .ToErrorRecord(range)
            );
            return;
        }

        if (ResolveConnection(IngestService.LakeFs, range, range.Connection, range.Server) is not { } connection)
            return;
        int index = _groups.FindIndex(g => g.Connection == connection && g.Repository == repository);
        if (index < 0)
            _groups.Add((connection, repository, [range]));
        else
            _groups[index].Ranges.Add(range);
    }
}
