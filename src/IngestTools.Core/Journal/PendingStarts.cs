using System.Globalization;
using IngestTools.Http;
using IngestTools.Transactions;

namespace IngestTools.Journal;

/// <summary>
/// Starts whose answer was not seen, as transactions: the server's id is not known, so they have one of the journal's own, such as
/// <c>start:12</c>.
/// </summary>
/// <param name="journal">The journal.</param>
/// <param name="started">The source of the transaction once its start was answered; null where no connection leads to its server.</param>
public sealed class PendingStarts(IIngestJournal journal, ITransactionSource? started) : ITransactionSource
{
    /// <summary>The id that stands in a record until its key is known.</summary>
    internal const string NoId = "start:";

    /// <summary>How an id of a start looks, for messages.</summary>
    internal const string IdForm = "start:12";

    /// <summary>Another process of this machine sends the start, which takes seconds.</summary>
    public TimeSpan LongestPause => TimeSpan.FromSeconds(2);

    /// <summary>Whether an id is that of a start whose answer was not seen.</summary>
    /// <param name="id">A transaction's id.</param>
    public static bool IsPending(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return id.StartsWith(NoId, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Reads the record of a start.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="id">Its id: <c>start:12</c>.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.NotFound"/>: there is no such record. <see cref="ErrorId.Rejected"/>: this is
    /// not the id of a start.</exception>
    public static JournaledTransaction Read(IIngestJournal journal, string id)
    {
        ArgumentNullException.ThrowIfNull(journal);
        _ =
            KeyOf(id)
            ?? throw Error(
                ErrorId.Rejected,
                $"'{Redaction.EscapeControls(id)}' is not the id of a start.",
                $"An id looks like {IdForm}: Get-Transaction lists them.",
                id
            );
        return
            journal.ReadTransactions(
                new TransactionQuery
                {
                    Id = id,
                    IncludesEnded = true,
                    Last = 1,
                }
            )
                is [JournaledTransaction found]
            ? found
            : throw Error(
                ErrorId.NotFound,
                $"The journal has no record of {id}: the server refused the start, or the record was deleted.",
                "Get-Transaction -All lists what was started.",
                id
            );
    }

    /// <inheritdoc/>
    public async Task<Transaction> LookAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        if (!IsPending(transaction.Id))
            return await started!.LookAsync(transaction, cancellationToken).ConfigureAwait(false);
        JournaledTransaction record = Read(journal, transaction.Id);
        return record.HasId && started is not null
            ? await started.LookAsync(record.Transaction, cancellationToken).ConfigureAwait(false)
            : record.Describe();
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<FailedItem> ReadFailedItemsAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        return started is null || IsPending(transaction.Id)
            ? ReadNoneAsync()
            : started.ReadFailedItemsAsync(transaction, cancellationToken);
    }

    /// <inheritdoc/>
    public string ListCommand(Transaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        return started is null || IsPending(transaction.Id)
            ? $"Get-Transaction {transaction.Id} | Format-List"
            : started.ListCommand(transaction);
    }

    /// <inheritdoc/>
    public async Task<Transaction> StopAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        JournaledTransaction? record = IsPending(transaction.Id) ? Read(journal, transaction.Id) : null;
        if (started is not null && record is null or { HasId: true })
            return await started!.StopAsync(record?.Transaction ?? transaction, cancellationToken).ConfigureAwait(false);
        throw Error(
            ErrorId.CannotCancel,
            $"{transaction.Id} cannot be canceled: the answer to its start was never seen. {record?.ManualCheck}".TrimEnd(),
            "Look at the server first.",
            transaction.Id
        );
    }

    /// <summary>The key of an id; null where it is not the id of a start.</summary>
    internal static long? KeyOf(string? id) =>
        id is not null
        && IsPending(id)
        && long.TryParse(id.AsSpan(NoId.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long key)
            ? key
            : null;

    /// <summary>A record whose transaction has no id of the server gets one of the journal.</summary>
    internal static JournaledTransaction WithId(JournaledTransaction record) =>
        record.Transaction.Id == NoId ? record with { Transaction = record.Transaction with { Id = FormatId(record.Key) } } : record;

    /// <summary>The id of a key.</summary>
    internal static string FormatId(long key) => NoId + key.ToString(CultureInfo.InvariantCulture);

    private static async IAsyncEnumerable<FailedItem> ReadNoneAsync()
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield break;
    }

    private static IngestException Error(ErrorId errorId, string message, string advice, string id) =>
        new(errorId, message)
        {
            Operation = "read journal",
            Advice = advice,
            Target = id,
        };
}
