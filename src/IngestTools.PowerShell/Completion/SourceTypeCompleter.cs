using IngestTools.PowerShell.Connections;
using IngestTools.Services.LakeFs;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the types of an import's sources.</summary>
public sealed class SourceTypeCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) => Enum.GetNames<ImportSourceType>();
}
