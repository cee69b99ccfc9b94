using System.Collections;
using IngestTools.Connections;
using IngestTools.Logging;
using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>
/// Names that the server of the newest connection to a service has, as <see cref="NameLists"/> asks for them. A server that fails completes
/// nothing: the command that follows reports why.
/// </summary>
internal static class ServerList
{
    /// <summary>Takes nothing: a completion has nobody to report to.</summary>
    public static IngestLog Silence { get; } = new SilentLog();

    /// <summary>The names, with what is shown beside each; empty where the server was not asked, or did not answer in time.</summary>
    /// <param name="session">The session.</param>
    /// <param name="service">The service.</param>
    /// <param name="boundParameters">What was typed; -Connection decides which connection is asked.</param>
    /// <param name="list">The name of the list.</param>
    /// <param name="read">Asks the server.</param>
    public static IReadOnlyDictionary<string, string> Of(
        IngestSession session,
        IngestService service,
        IDictionary boundParameters,
        string list,
        Func<IngestConnection, Task<IReadOnlyDictionary<string, string>>> read
    )
    {
        string? name = boundParameters["Connection"] as string;
        IngestConnection? connection = session.Connections.All.LastOrDefault(c =>
            c.Service == service && (name is null || string.Equals(c.Name, name, StringComparison.OrdinalIgnoreCase))
        );
        // A vault may have to be unlocked, which no completion should ask for.
        if (connection is null || connection.SecretFrom?.StartsWith("vault:", StringComparison.OrdinalIgnoreCase) == true)
            return Empty;
        return session
            .ServerLists.GetValue(connection, static _ => new NameLists())
            .GetAsync(list, () => read(connection))
            .GetAwaiter()
            .GetResult()
            .Where(pair => IsShown(pair.Key))
            .ToDictionary(pair => pair.Key, pair => IsShown(pair.Value) ? pair.Value : pair.Key);
    }

    /// <summary>Whether a server's text can stand in a terminal and in a command line.</summary>
    private static bool IsShown(string text) => text.Trim().Length > 0 && !text.Any(char.IsControl);

    /// <summary>Names beside which nothing more is shown.</summary>
    public static IReadOnlyDictionary<string, string> Plain(IEnumerable<string> names) =>
        names.Distinct(StringComparer.Ordinal).ToDictionary(static name => name, StringComparer.Ordinal);

    private static readonly Dictionary<string, string> Empty = [];

    private sealed class SilentLog : IngestLog
    {
        public override bool IsOn(LogSeverity severity) => false;

        public override void Write(LogSeverity severity, string message) { }
    }
}
