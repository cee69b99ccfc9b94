using System.Runtime.CompilerServices;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Transactions;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>
/// What was started from here, by the journal. What had not ended when it was last seen is looked at, where a connection leads to its
/// server.
/// </summary>
internal sealed class StartedTransactions
{
    /// <summary>How long a server may take for its answer. The list must come although a server no longer exists.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    private readonly List<(JournaledTransaction Record, WaitRequest? Request)> _entries = [];
    private readonly Dictionary<string, (IngestService Service, int Count)> _unreachable = new(StringComparer.Ordinal);

    /// <summary>Finds the connections. This is for the pipeline's thread.</summary>
    /// <param name="records">The records, newest first.</param>
    /// <param name="findConnection">Finds the connection to a record's server; null where none leads there.</param>
    /// <param name="sourceOf">The source of a connection's transactions.</param>
    internal StartedTransactions(
        IReadOnlyList<JournaledTransaction> records,
        Func<JournaledTransaction, IngestConnection?> findConnection,
        Func<IngestConnection, ITransactionSource> sourceOf
    )
    {
        Dictionary<(IngestService, string), IngestConnection?> connections = [];
        HashSet<(string, string)> open = [];
        foreach (JournaledTransaction record in records)
        {
            bool canLook = record is { HasId: true, State: StartState.Started or StartState.Lost };
            // The runs of a project share its id, and one poll of it returns the newest.
            if (canLook && !open.Add((record.Place.Server, record.Transaction.Id)))
                continue;
            IngestConnection? connection = null;
            if (canLook && !connections.TryGetValue((record.Place.Service, record.Place.Server), out connection))
                connections.Add((record.Place.Service, record.Place.Server), connection = findConnection(record));
            if (canLook && connection is null)
                _unreachable[record.Place.Server] = (record.Place.Service, _unreachable.GetValueOrDefault(record.Place.Server).Count + 1);
            _entries.Add((record, connection is null ? null : new WaitRequest(record.Transaction, sourceOf(connection))));
        }
    }

    /// <summary>One warning for each server that no connection leads to.</summary>
    internal IEnumerable<string> Warnings =>
        _unreachable.Select(pair =>
            $"No connection leads to {pair.Key}, so "
            + $"{(pair.Value.Count == 1 ? "a transaction there is" : $"{pair.Value.Count:N0} transactions there are")} shown as last seen. "
            + $"To look now, connect first: Connect-IngestService -Service {pair.Value.Service} -Uri {pair.Key}"
        );

    /// <summary>Looks at them side by side. An error that several have in common, such as a wrong password, is reported once.</summary>
    internal async IAsyncEnumerable<Look> LookAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HashSet<(ITransactionSource, ErrorId)> reported = [];
        WaitRequest[] requests = [.. _entries.Select(entry => entry.Request).OfType<WaitRequest>()];
        await using IAsyncEnumerator<Look> looks = TransactionLooks
            .LookAsync(requests, AnswerLimit, TimeProvider.System, cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        foreach ((JournaledTransaction record, WaitRequest? request) in _entries)
        {
            if (request is null)
            {
                yield return new Look(record.Describe());
                continue;
            }

            await looks.MoveNextAsync().ConfigureAwait(false);
            Look look = looks.Current;
            bool isNews =
                look.Error is null || look.Error.ErrorId == ErrorId.NotFound || reported.Add((request.Source, look.Error.ErrorId));
            yield return isNews ? look : look with { Error = null };
        }
    }
}
