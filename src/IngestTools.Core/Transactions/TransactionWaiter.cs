using System.Runtime.CompilerServices;
using System.Threading.Channels;
using IngestTools.Logging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Transactions;

/// <summary>Waits for transactions side by side. It only polls: when it stops, the server's work continues.</summary>
/// <param name="options">How to wait.</param>
/// <param name="logger">The logger.</param>
/// <param name="time">The clock; null for the system's.</param>
public sealed class TransactionWaiter(WaitOptions options, ILogger? logger = null, TimeProvider? time = null)
{
    /// <summary>Makes a waiter, for a host with a log of its own.</summary>
    /// <param name="options">How to wait.</param>
    /// <param name="log">The log.</param>
    public TransactionWaiter(WaitOptions options, IngestLog log)
        : this(options, log.Logger)
    {
    }

    /// <summary>The maximum number of failed items that are reported one by one.</summary>
    public const int MostItemsTold = 100;

    /// <summary>The maximum number of concurrent polls.</summary>
    private const int MostLooks = 16;

    /// <summary>How long a service that cannot be reached is polled: a server that restarts is back by then.</summary>
    private static readonly TimeSpan OutageTimeout = TimeSpan.FromMinutes(15);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly ILogger _logger = logger ?? NullLogger.Instance;

    /// <summary>Waits for all that come, and reports events as they happen.</summary>
    /// <param name="requests">The transactions, taken as they come.</param>
    /// <param name="cancellationToken">Cancels the wait. The server's work continues.</param>
    public async IAsyncEnumerable<WaitEvent> WaitAsync(ChannelReader<WaitRequest> requests, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(requests);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Channel<WaitEvent> events = Channel.CreateBounded<WaitEvent>(256);
        Task waits = WaitForAllAsync(requests, events.Writer, stop.Token);
        try
        {
            await foreach (WaitEvent happened in events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return happened;
                if (options.Any && happened is WaitEvent.Ended)
                    yield break;
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await waits.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await waits.ConfigureAwait(false);
    }

    private async Task WaitForAllAsync(ChannelReader<WaitRequest> requests, ChannelWriter<WaitEvent> events, CancellationToken cancellationToken)
    {
        long started = _time.GetTimestamp();
        using SemaphoreSlim looks = new(MostLooks);
        List<Task> waits = [];
        Dictionary<ITransactionSource, GroupWait> groups = [];
        try
        {
            await foreach (WaitRequest request in requests.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                waits.RemoveAll(wait => wait.IsCompletedSuccessfully);
                if (!groups.TryGetValue(request.Source, out GroupWait? group))
                {
                    group = new GroupWait(this, request.Source, events, looks, started);
                    waits.Add(group.RunAsync(cancellationToken));
                }

                group.Join(request.Transaction);
                if (request.Source.LooksTogether)
                    groups[request.Source] = group;
                else
                    group.Close();
            }

            foreach (GroupWait group in groups.Values)
                group.Close();
            await Task.WhenAll(waits).ConfigureAwait(false);
            events.Complete();
        }
        catch (Exception e)
        {
            events.TryComplete(e);
            await Task.WhenAll(waits).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    /// <summary>The wait for transactions that are looked at in step: all of a source that can look at several, one of any other.</summary>
    private sealed class GroupWait(TransactionWaiter waiter, ITransactionSource source, ChannelWriter<WaitEvent> events, SemaphoreSlim looks, long started)
    {
        private readonly Channel<Transaction> _joining = Channel.CreateUnbounded<Transaction>();
        private readonly List<Task> _endings = [];
        private readonly HashSet<string> _unseen = [];
        private List<Transaction> _members = [];
        private TimeSpan _pause = PollPause.First;
        private TimeSpan _sleep;
        private long _sleepsSince = waiter._time.GetTimestamp();
        private long _outageSince;
        private bool _hasLooked;

        /// <summary>Adds one to wait for.</summary>
        public void Join(Transaction transaction) => _joining.Writer.TryWrite(transaction);

        /// <summary>No more will join.</summary>
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
                        await LookAsync(cancellationToken).ConfigureAwait(false);
                }
            }
            finally
            {
                await Task.WhenAll(_endings).ConfigureAwait(false);
            }
        }

        /// <summary>Takes those that have joined, and waits for one where there is none; false where none is left.</summary>
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

            // One that was just started has not ended yet; one of which only the id is known may have long ago. But where one look serves all, those that
            // come one by one down a pipeline do not each get one.
            bool isNew = transaction.SeenAt is { } seen && waiter._time.GetUtcNow() - seen <= PollPause.First;
            TimeSpan sinceSleep = waiter._time.GetElapsedTime(_sleepsSince);
            bool isPatient = isNew || _hasLooked;
            TimeSpan sleep = isPatient ? sinceSleep + FirstPause() : TimeSpan.Zero;
            _sleep = _members.Count == 0 || sleep < _sleep ? sleep : _sleep;
            _pause = isPatient ? PollPause.Next(PollPause.First, source.LongestPause) : PollPause.First;
            _members.Add(transaction);
        }

        /// <summary>Sleeps until the next look is due; false where somebody joined first.</summary>
        private async Task<bool> SleepAsync(CancellationToken cancellationToken)
        {
            TimeSpan sleep = _sleep - waiter._time.GetElapsedTime(_sleepsSince);
            if (TimeLeft() is { } left && left < sleep)
                sleep = left;
            if (sleep <= TimeSpan.Zero)
                return true;
            using CancellationTokenSource awake = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            Task slept = Task.Delay(sleep, waiter._time, awake.Token);
            Task<bool> joined = _joining.Reader.WaitToReadAsync(awake.Token).AsTask();
            await Task.WhenAny(slept, joined).ConfigureAwait(false);
            bool hasJoined = joined.IsCompletedSuccessfully && await joined.ConfigureAwait(false);
            if (!hasJoined)
                await slept.ConfigureAwait(false);
            await awake.CancelAsync().ConfigureAwait(false);
            return !hasJoined;
        }

        private async Task LookAsync(CancellationToken cancellationToken)
        {
            IReadOnlyList<Look>? looked = await TryLookAsync(cancellationToken).ConfigureAwait(false);
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

        /// <summary>Looks once at all members; null where the time was up first.</summary>
        private async Task<IReadOnlyList<Look>?> TryLookAsync(CancellationToken cancellationToken)
        {
            // The time to wait bounds a look too: a server that does not answer must not hold it up.
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (TimeLeft() is { } left)
                limit.CancelAfter(left);
            bool isInside = false;
            try
            {
                await looks.WaitAsync(limit.Token).ConfigureAwait(false);
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
                    looks.Release();
                _hasLooked = true;
                _sleepsSince = waiter._time.GetTimestamp();
                _sleep = waiter.Options.PollInterval ?? PollPause.WithJitter(_pause);
                _pause = PollPause.Next(_pause, source.LongestPause);
            }
        }

        private TimeSpan FirstPause() => waiter.Options.PollInterval ?? PollPause.WithJitter(PollPause.First);

        /// <summary>Whether an error is one that passes, and is sat out.</summary>
        private bool IsOutage(string id, IngestException error)
        {
            if (!error.IsTransient)
                return false;
            if (_outageSince == 0)
                _outageSince = waiter._time.GetTimestamp();
            if (waiter._time.GetElapsedTime(_outageSince) >= OutageTimeout)
                return false;
            // An outage is told once, and not for each that it hides.
            if (_unseen.Count == 0)
                waiter._logger.LogWarning("{Id} cannot be read right now; the wait continues. {Reason}", id, error.Message);
            _unseen.Add(id);
            return true;
        }

        private TimeSpan? TimeLeft()
        {
            if (waiter.Options.Timeout is not { } timeout)
                return null;
            TimeSpan left = timeout - waiter._time.GetElapsedTime(started);
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
            transaction is { Status: TransactionStatus.Unknown, SeenAt: null } ? transaction with { Status = TransactionStatus.Running } : transaction;

        private async Task GiveUpAsync(Transaction transaction, IngestException error, CancellationToken cancellationToken)
        {
            await events.WriteAsync(new WaitEvent.Failed(transaction, error), cancellationToken).ConfigureAwait(false);
            await events.WriteAsync(new WaitEvent.GivenUp(transaction), cancellationToken).ConfigureAwait(false);
        }

        /// <summary>Tells what failed in one that ended, and that it ended. The others are looked at meanwhile.</summary>
        private async Task EndAsync(Transaction transaction, CancellationToken cancellationToken)
        {
            try
            {
                if (transaction.Status != TransactionStatus.Succeeded)
                    await TellFailuresAsync(transaction, cancellationToken).ConfigureAwait(false);
            }
            catch (IngestException e)
            {
                await events.WriteAsync(new WaitEvent.Failed(transaction, e), cancellationToken).ConfigureAwait(false);
            }

            await events.WriteAsync(new WaitEvent.Ended(transaction), cancellationToken).ConfigureAwait(false);
        }

        private async Task TellFailuresAsync(Transaction transaction, CancellationToken cancellationToken)
        {
            long count = 0;
            await foreach (FailedItem item in source.ReadFailedItemsAsync(transaction, cancellationToken).ConfigureAwait(false))
            {
                if (++count <= MostItemsTold)
                    await events.WriteAsync(new WaitEvent.Failed(transaction, ItemFailed(transaction, item)), cancellationToken).ConfigureAwait(false);
            }

            if (count == 0)
                await events.WriteAsync(new WaitEvent.Failed(transaction, TransactionFailed(transaction)), cancellationToken).ConfigureAwait(false);
            if (count > MostItemsTold)
                await events.WriteAsync(new WaitEvent.Failed(transaction, MoreFailed(transaction, count)), cancellationToken).ConfigureAwait(false);
        }

        private static IngestException ItemFailed(Transaction transaction, FailedItem item) => Error(
            ErrorId.ItemFailed, $"{item.Item} failed in {transaction.Id}: {item.Reason}.", "Look at the server's reason, fix it, and send just that again.", item.Item);

        private IngestException MoreFailed(Transaction transaction, long count) => Error(
            ErrorId.ItemFailed, $"{count:N0} items failed in {transaction.Id}, of which the first {MostItemsTold} were reported.", $"All of them: {source.ListCommand(transaction)}", transaction.Id);

        private static IngestException TransactionFailed(Transaction transaction) => Error(
            ErrorId.TransactionFailed,
            $"{transaction.Id} ended as {transaction.Status}{(transaction.ServerStatus is null ? "" : $" (the server says {transaction.ServerStatus})")}{(transaction.Message is null ? "." : $": {transaction.Message}")}",
            "Look at the message and at the server's log.",
            transaction.Id);

        private IngestException TimedOut(Transaction transaction) => Error(
            ErrorId.WaitTimedOut,
            $"{transaction.Id} has not ended within {waiter.Options.Timeout}; it was last seen {transaction.Status}.",
            $"It continues to run. Wait again with: Wait-Transaction {transaction.Id}",
            transaction.Id);

        private static IngestException Error(ErrorId errorId, string message, string advice, string target) =>
            new(errorId, message) { Advice = advice, Target = target };
    }

    private WaitOptions Options => options;
}
