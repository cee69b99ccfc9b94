using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes where a report goes: an address, or where the scheduler finds one. It reads no vault.</summary>
public sealed class NotifyUriCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) => ["https://", "env:", "file:"];
}
