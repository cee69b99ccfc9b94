using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the repositories that were used in this session.</summary>
public sealed class RepositoryCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) => session.Repositories.ToArray();
}
