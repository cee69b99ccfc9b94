using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the branches that were used in this session.</summary>
public sealed class BranchCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) => session.Branches.ToArray();
}
