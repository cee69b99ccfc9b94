using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the ids of time zones that this machine knows.</summary>
public sealed class TimeZoneCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) =>
        TimeZoneInfo.GetSystemTimeZones().Select(zone => zone.Id).Order(StringComparer.OrdinalIgnoreCase);
}
