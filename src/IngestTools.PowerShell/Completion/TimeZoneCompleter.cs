using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the ids of time zones that this machine knows.</summary>
public sealed class TimeZoneCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) =>
        TimeZoneInfo.GetSystemTimeZones().Select(zone => zone.Id).Order(StringComparer.OrdinalIgnoreCase);

    /// <summary>People know the city, and not the continent before it.</summary>
    private protected override bool IsMatch(string name, string typed) => name.Contains(typed, StringComparison.OrdinalIgnoreCase);
}
