using System.Collections.Concurrent;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;

namespace IngestTools.Journal;

/// <summary>
/// Records how transactions were last seen. A journal that cannot be used any longer costs one warning and no more: what runs on a server
/// is followed without it.
/// </summary>
internal sealed class JournaledSource : ITransactionSource
{
    private readonly Func<IIngestJournal, ITransactionSource> _create;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, (TransactionStatus Status, string? ServerStatus)> _recorded = new(StringComparer.Ordinal);
    private readonly object _lock = new();
    private IIngestJournal _journal;
    private ITransactionSource _inner;

    /// <param name="create">Makes the service's own source, which may use a journal too.</param>
    /// <param name="journal">The journal.</param>
    /// <param name="logger">Takes the warning.</param>
    public JournaledSource(Func<IIngestJournal, ITransactionSource> create, IIngestJournal journal, ILogger logger)
    {
        _create = create;
        _journal = journal;
        _logger = logger;
        _inner = create(journal);
    }

    public bool LooksTogether => _inner.LooksTogether;

    public TimeSpan LongestPause => _inner.LongestPause;

    public async Task<Transaction> LookAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        ITransactionSource inner = _inner;
        try
        {
            return Record(transaction, await inner.LookAsync(transaction, cancellationToken).ConfigureAwait(false));
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.JournalUnavailable)
        {
            return await GiveUp(inner, e).LookAsync(transaction, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (IsGone(e))
        {
            RecordGone(transaction, e);
            throw;
        }
    }

    public async Task<IReadOnlyList<Look>> LookAsync(IReadOnlyList<Transaction> transactions, CancellationToken cancellationToken)
    {
        ITransactionSource inner = _inner;
        IReadOnlyList<Look> looks = await inner.LookAsync(transactions, cancellationToken).ConfigureAwait(false);
        if (looks.FirstOrDefault(look => look.Error?.ErrorId == ErrorId.JournalUnavailable) is { Error: { } error })
            return await GiveUp(inner, error).LookAsync(transactions, cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < looks.Count; i++)
        {
            if (looks[i].Error is not { } failure)
                Record(transactions[i], looks[i].Transaction);
            else if (IsGone(failure))
                RecordGone(transactions[i], failure);
        }

        return looks;
    }

    public IAsyncEnumerable<FailedItem> ReadFailedItemsAsync(Transaction transaction, CancellationToken cancellationToken) =>
        _inner.ReadFailedItemsAsync(transaction, cancellationToken);

    public string ListCommand(Transaction transaction) => _inner.ListCommand(transaction);

    public async Task<Transaction> StopAsync(Transaction transaction, CancellationToken cancellationToken) =>
        Record(transaction, await _inner.StopAsync(transaction, cancellationToken).ConfigureAwait(false));

    /// <summary>Whether the server itself says that it does not know a transaction. A proxy's page that says 404 is no such word.</summary>
    private static bool IsGone(IngestException error) =>
        error.ErrorId == ErrorId.NotFound && (error.ServerMessage is not null || error.StatusCode is null);

    private void RecordGone(Transaction transaction, IngestException error) =>
        Record(transaction, transaction with { Status = TransactionStatus.Unknown, ServerStatus = null, Message = error.Message });

    /// <summary>Only what is news is written: a wait looks at a transaction thousands of times.</summary>
    private Transaction Record(Transaction before, Transaction seen)
    {
        bool isKnown = _recorded.TryGetValue(seen.Id, out (TransactionStatus, string?) recorded);
        if (!isKnown && before is { SeenAt: not null, IsTerminal: false })
            (isKnown, recorded) = (true, (before.Status, before.ServerStatus));
        if (isKnown && recorded == (seen.Status, seen.ServerStatus))
            return seen;
        try
        {
            _journal.Update(seen);
            _recorded[seen.Id] = (seen.Status, seen.ServerStatus);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.JournalUnavailable)
        {
            GiveUp(_inner, e);
        }

        return seen;
    }

    /// <summary>Goes on without the journal.</summary>
    private ITransactionSource GiveUp(ITransactionSource failed, IngestException error)
    {
        lock (_lock)
        {
            if (_journal.IsOn && ReferenceEquals(_inner, failed))
            {
                _logger.LogWarning("{Reason} Transactions are followed all the same, and how they end is not recorded.", error.Message);
                _journal = IngestJournal.Off;
                _inner = _create(_journal);
            }

            return _inner;
        }
    }
}
