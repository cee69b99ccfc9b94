using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace IngestTools.Transactions;

/// <summary>
/// Polls transactions in step until they end: all of a source that can read several with one request, or a single one of any other source.
/// </summary>
internal sealed class TransactionPoller(
    WaitOptions options,
    ITransactionSource source,
    ChannelWriter<WaitEvent> events,
    SemaphoreSlim polls,
    long started,
    ILogger logger,
    TimeProvider time
)
{
    /// <summary>How long a service that cannot be reached is polled: a server that restarts is back by then.</summary>
    private static readonly TimeSpan OutageTimeout = TimeSpan.FromMinutes(15);

    private readonly Channel<Transaction> _joining = Channel.CreateUnbounded<Transaction>();
    private readonly List<Task> _endings = [];
    private readonly HashSet<string> _unseen = [];
    private List<Transaction> _members = [];
    private TimeSpan _pause = PollPause.First;
    private TimeSpan _sleep;
    private long _sleepsSince = time.GetTimestamp();
    private long _outageSince;
    private bool _hasPolled;

    /// <summary>Adds a transaction.</summary>
    public void Join(Transaction transaction) => _joining.Writer.TryWrite(transaction);

    /// <summary>No more transactions will be added.</summary>
    public void Close() => _joining.Writer.Complete();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await TakeJoiningAsync(cancellationToken).ConfigureAwait(false))
            {
                if (!await SleepAsync(cancellationToken).ConfigureAwait(false))
                    continue;
                if (TimeLeft() <= TimeSpan.Zero)
                    await GiveUpAllAsync(TimedOut, cancellationToken).ConfigureAwait(false);
                else
                    await PollAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await Task.WhenAll(_endings).ConfigureAwait(false);
        }
    }

    /// <summary>Takes those that have joined, and waits for one where there is none. Returns false where none is left.</summary>
    private async Task<bool> TakeJoiningAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            while (_joining.Reader.TryRead(out Transaction? transaction))
                Take(transaction, cancellationToken);
            if (_members.Count > 0)
                return true;
            if (!await _joining.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
                return false;
        }
    }

    private void Take(Transaction transaction, CancellationToken cancellationToken)
    {
        if (transaction is { IsTerminal: true, SeenAt: not null })
        {
            _endings.Add(EndAsync(transaction, cancellationToken));
            return;
        }

        // One that was just started has not ended yet; one of which only the id is known may have long ago. But where one poll serves all,
        // those that come one by one down a pipeline do not each get one.
        bool isNew = transaction.SeenAt is { } seen && time.GetUtcNow() - seen <= PollPause.First;
        TimeSpan sinceSleep = time.GetElapsedTime(_sleepsSince);
        bool waitsFirst = isNew || _hasPolled;
        TimeSpan sleep = waitsFirst ? sinceSleep + FirstPause() : TimeSpan.Zero;
        _sleep = _members.Count == 0 || sleep < _sleep ? sleep : _sleep;
        _pause = waitsFirst ? PollPause.Next(PollPause.First, source.LongestPause) : PollPause.First;
        _members.Add(transaction);
    }

    /// <summary>Sleeps until the next poll is due. Returns false where a transaction joined first.</summary>
    private async Task<bool> SleepAsync(CancellationToken cancellationToken)
    {
        TimeSpan sleep = _sleep - time.GetElapsedTime(_sleepsSince);
        if (TimeLeft() is { } left && left < sleep)
            sleep = left;
        if (sleep <= TimeSpan.Zero)
            return true;
        using CancellationTokenSource awake = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task slept = Task.Delay(sleep, time, awake.Token);
        Task<bool> joined = _joining.Reader.WaitToReadAsync(awake.Token).AsTask();
        await Task.WhenAny(slept, joined).ConfigureAwait(false);
        bool hasJoined = joined.IsCompletedSuccessfully && await joined.ConfigureAwait(false);
        if (!hasJoined)
            await slept.ConfigureAwait(false);
        await awake.CancelAsync().ConfigureAwait(false);
        return !hasJoined;
    }

    private async Task PollAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<Look>? looked = await TryPollAsync(cancellationToken).ConfigureAwait(false);
        if (looked is null)
            return;
        List<Transaction> going = new(looked.Count);
        foreach (Look look in looked)
        {
            if (look.Error is null)
                _unseen.Remove(look.Transaction.Id);
            if (look.Error is { } error && !IsOutage(look.Transaction.Id, error))
            {
                _unseen.Remove(look.Transaction.Id);
                await GiveUpAsync(look.Transaction, error, cancellationToken).ConfigureAwait(false);
            }
            else if (look.Error is null && look.Transaction.IsTerminal)
                _endings.Add(EndAsync(look.Transaction, cancellationToken));
            else
                going.Add(look.Transaction);
            if (look.Error is null && !look.Transaction.IsTerminal)
                await events.WriteAsync(new WaitEvent.Seen(look.Transaction), cancellationToken).ConfigureAwait(false);
        }

        if (looked.Any(look => look.Error is null))
            _outageSince = 0;
        _endings.RemoveAll(ending => ending.IsCompletedSuccessfully);
        _members = going;
    }

    /// <summary>Polls all members once. Returns null where the time was up first.</summary>
    private async Task<IReadOnlyList<Look>?> TryPollAsync(CancellationToken cancellationToken)
    {
        // The timeout bounds a poll too: a server that does not answer must not delay its end.
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (TimeLeft() is { } left)
            limit.CancelAfter(left);
        bool isInside = false;
        try
        {
            await polls.WaitAsync(limit.Token).ConfigureAwait(false);
            isInside = true;
            return await source.LookAsync(_members, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await GiveUpAllAsync(TimedOut, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (IngestException e)
        {
            return _members.ConvertAll(member => new Look(member, e));
        }
        finally
        {
            if (isInside)
                polls.Release();
            _hasPolled = true;
            _sleepsSince = time.GetTimestamp();
            _sleep = options.PollInterval ?? PollPause.WithJitter(_pause);
            _pause = PollPause.Next(_pause, source.LongestPause);
        }
    }

    private TimeSpan FirstPause() => options.PollInterval ?? PollPause.WithJitter(PollPause.First);

    /// <summary>Whether an error is an outage that may end, so that the wait continues.</summary>
    private bool IsOutage(string id, IngestException error)
    {
        if (!error.IsTransient)
            return false;
        if (_outageSince == 0)
            _outageSince = time.GetTimestamp();
        if (time.GetElapsedTime(_outageSince) >= OutageTimeout)
            return false;
        // An outage is reported once, and not for each transaction that it hides.
        if (_unseen.Count == 0)
            logger.LogWarning("{Id} cannot be read right now; the wait continues. {Reason}", id, error.Message);
        _unseen.Add(id);
        return true;
    }

    private TimeSpan? TimeLeft()
    {
        if (options.Timeout is not { } timeout)
            return null;
        TimeSpan left = timeout - time.GetElapsedTime(started);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private async Task GiveUpAllAsync(Func<Transaction, IngestException> why, CancellationToken cancellationToken)
    {
        foreach (Transaction member in _members)
            await GiveUpAsync(NotEnded(member), why(member), cancellationToken).ConfigureAwait(false);
        _members = [];
    }

    /// <summary>One of which only the id is known counts as running.</summary>
    private static Transaction NotEnded(Transaction transaction) =>
        transaction is { Status: TransactionStatus.Unknown, SeenAt: null }
            ? transaction with
            {
                Status = TransactionStatus.Running,
            }
            : transaction;

    private async Task GiveUpAsync(Transaction transaction, IngestException error, CancellationToken cancellationToken)
    {
        await events.WriteAsync(new WaitEvent.Failed(transaction, error), cancellationToken).ConfigureAwait(false);
        await events.WriteAsync(new WaitEvent.GivenUp(transaction), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reports what failed in one that ended, and that it ended. The others are polled meanwhile.</summary>
    private async Task EndAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        try
        {
            if (transaction.Status != TransactionStatus.Succeeded)
                await ReportFailuresAsync(transaction, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            await events.WriteAsync(new WaitEvent.Failed(transaction, e), cancellationToken).ConfigureAwait(false);
        }

        await events.WriteAsync(new WaitEvent.Ended(transaction), cancellationToken).ConfigureAwait(false);
    }

    private async Task ReportFailuresAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        long count = 0;
        await foreach (FailedItem item in source.ReadFailedItemsAsync(transaction, cancellationToken).ConfigureAwait(false))
        {
            if (++count <= TransactionWaiter.MostItemsTold)
                await events
                    .WriteAsync(new WaitEvent.Failed(transaction, ItemFailed(transaction, item)), cancellationToken)
                    .ConfigureAwait(false);
        }

        if (count == 0)
            await events
                .WriteAsync(new WaitEvent.Failed(transaction, TransactionFailed(transaction)), cancellationToken)
                .ConfigureAwait(false);
        if (count > TransactionWaiter.MostItemsTold)
            await events
                .WriteAsync(new WaitEvent.Failed(transaction, MoreFailed(transaction, count)), cancellationToken)
                .ConfigureAwait(false);
    }

    private static IngestException ItemFailed(Transaction transaction, FailedItem item) =>
        Error(
            ErrorId.ItemFailed,
            $"{item.Item} failed in {transaction.Id}: {item.Reason}.",
            "Look at the server's reason, fix it, and send just that again.",
            item.Item
        );

    private IngestException MoreFailed(Transaction transaction, long count) =>
        Error(
            ErrorId.ItemFailed,
            $"{count:N0} items failed in {transaction.Id}, of which the first {TransactionWaiter.MostItemsTold} were reported.",
            $"All of them: {source.ListCommand(transaction)}",
            transaction.Id
        );

    private static IngestException TransactionFailed(Transaction transaction)
    {
        string word = transaction.ServerStatus is null ? "" : $" (the server says {transaction.ServerStatus})";
        string reason = transaction.Message is null ? "." : $": {transaction.Message}";
        return Error(
            ErrorId.TransactionFailed,
            $"{transaction.Id} ended as {transaction.Status}{word}{reason}",
            "Look at the message and at the server's log.",
            transaction.Id
        );
    }

    private IngestException TimedOut(Transaction transaction) =>
        Error(
            ErrorId.WaitTimedOut,
            $"{transaction.Id} has not ended within {options.Timeout}; it was last seen {transaction.Status}.",
            $"It continues to run. Wait again with: Wait-Transaction {transaction.Id}",
            transaction.Id
        );

    private static IngestException Error(ErrorId errorId, string message, string advice, string target) =>
        new(errorId, message) { Advice = advice, Target = target };
}
