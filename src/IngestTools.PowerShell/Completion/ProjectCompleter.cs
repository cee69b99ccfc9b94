using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the ids of ICA projects that were used in this session.</summary>
public sealed class ProjectCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) => session.Projects.ToArray();
}
