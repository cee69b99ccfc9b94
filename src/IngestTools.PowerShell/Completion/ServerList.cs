using System.Collections;
using IngestTools.Connections;
using IngestTools.Logging;
using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>
/// Names that the server of the newest connection to a service has. It is asked once a connection for each list, and whoever presses Tab
/// waits a second at most. A server that fails completes nothing: the command that follows reports why.
/// </summary>
internal static class ServerList
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(1);

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
        IngestConnection? connection = session.Connections.All.LastOrDefault(c => c.Service == service && (name is null || c.Name == name));
        // A vault may have to be unlocked, which no completion should ask for.
        if (connection is null || connection.SecretFrom?.StartsWith("vault:", StringComparison.OrdinalIgnoreCase) == true)
            return Empty;
        var lists = session.ServerLists.GetOrCreateValue(connection);
        Task<IReadOnlyDictionary<string, string>> asked = lists.GetOrAdd(list, _ => Task.Run(() => read(connection)));
        try
        {
            if (asked.Wait(TimeLimit))
                return asked.Result;
        }
        catch (AggregateException)
        {
            lists.TryRemove(list, out _);
        }

        return Empty;
    }

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
