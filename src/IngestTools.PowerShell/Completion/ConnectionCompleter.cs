using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the names of connections.</summary>
public sealed class ConnectionCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) => session.Connections.Names;
}
