using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the shortcodes that were used in this session.</summary>
public sealed class ShortcodeCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) => session.Shortcodes.ToArray();
}
