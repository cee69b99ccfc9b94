using IngestTools.Connections;
using IngestTools.Logging;
using IngestTools.PowerShell.Connections;
using IngestTools.Services.Voss;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes nodes of a hierarchy: those of the newest VOSS connection of this session, and those that were used.</summary>
/// <remarks>
/// The one completer that asks a server: the list of nodes is short and cheap. It asks once a connection, and nobody waits for it for long.
/// </remarks>
public sealed class HierarchyCompleter : NameCompleter
{
    /// <summary>Who presses Tab waits no longer than this.</summary>
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(1.5);

    private protected override IEnumerable<string> Names(IngestSession session) =>
        session
            .Hierarchies.ToArray()
            .Concat(ListOf(session, session.Connections.All.LastOrDefault(c => c.Service == IngestService.Voss)))
            .Distinct(StringComparer.Ordinal);

    private static IReadOnlyList<string> ListOf(IngestSession session, IngestConnection? connection)
    {
        // A vault may have to be unlocked, which no completion should ask for.
        if (connection is null || connection.SecretFrom?.StartsWith("vault:", StringComparison.OrdinalIgnoreCase) == true)
            return [];
        Task<IReadOnlyList<string>> list = session.HierarchyLists.GetValue(connection, static c => Task.Run(() => ReadAsync(c)));
        try
        {
            if (list.Wait(TimeLimit))
                return list.Result;
        }
        catch (AggregateException)
        {
            // A completion has nobody to tell an error; the command that follows tells it.
            session.HierarchyLists.Remove(connection);
        }

        return [];
    }

    private static async Task<IReadOnlyList<string>> ReadAsync(IngestConnection connection) =>
        await new VossClient(connection, new Silence()).ListHierarchiesAsync(CancellationToken.None).ConfigureAwait(false);

    private sealed class Silence : IngestLog
    {
        public override bool IsOn(LogSeverity severity) => false;

        public override void Write(LogSeverity severity, string message) { }
    }
}
