using System.Runtime.CompilerServices;
using System.Threading.Channels;
using IngestTools.Logging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Transactions;

/// <summary>Waits for transactions side by side. It only looks: when it stops, the server's work goes on.</summary>
/// <param name="options">How to wait.</param>
/// <param name="logger">Takes what happens.</param>
/// <param name="time">The clock; null takes the system's.</param>
public sealed class TransactionWaiter(WaitOptions options, ILogger? logger = null, TimeProvider? time = null)
{
    /// <summary>Makes a waiter, for a host with a log of its own.</summary>
    /// <param name="options">How to wait.</param>
    /// <param name="log">Takes what happens.</param>
    public TransactionWaiter(WaitOptions options, IngestLog log)
        : this(options, log.Logger)
    {
    }

    /// <summary>So many failed items are told one by one.</summary>
    public const int MostItemsTold = 100;

    /// <summary>So many looks are under way at once.</summary>
    private const int MostLooks = 16;

    /// <summary>A service that cannot be reached is asked again for so long: a server that restarts is back by then.</summary>
    private static readonly TimeSpan OutagePatience = TimeSpan.FromMinutes(15);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly ILogger _logger = logger ?? NullLogger.Instance;

    /// <summary>Waits for all that come, and tells what happens as it happens.</summary>
    /// <param name="requests">The transactions, taken as they come.</param>
    /// <param name="cancellationToken">Ends the wait, and leaves the server's work alone.</param>
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
        try
        {
            await foreach (WaitRequest request in requests.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                waits.RemoveAll(wait => wait.IsCompletedSuccessfully);
                waits.Add(new OneWait(this, request, events, looks, started).RunAsync(cancellationToken));
            }

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

    /// <summary>The wait for one transaction.</summary>
    private sealed class OneWait(TransactionWaiter waiter, WaitRequest request, ChannelWriter<WaitEvent> events, SemaphoreSlim looks, long started)
    {
        private Transaction _transaction = request.Transaction;
        private long _outageSince;

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            TimeSpan pause = PollPause.First;
            // One that was just started has not ended yet; one of which only the id is known may have long ago.
            bool lookAtOnce = _transaction.SeenAt is not { } seen || waiter._time.GetUtcNow() - seen > PollPause.First;
            while (!_transaction.IsTerminal || _transaction.SeenAt is null)
            {
                if (!lookAtOnce && !await SleepAsync(pause, cancellationToken).ConfigureAwait(false))
                {
                    await GiveUpAsync(TimedOut(), cancellationToken).ConfigureAwait(false);
                    return;
                }

                if (!lookAtOnce)
                    pause = PollPause.Next(pause);
                lookAtOnce = false;
                if (await LookAsync(cancellationToken).ConfigureAwait(false) is { } error)
                {
                    await GiveUpAsync(error, cancellationToken).ConfigureAwait(false);
                    return;
                }

                if (!_transaction.IsTerminal)
                    await events.WriteAsync(new WaitEvent.Seen(_transaction), cancellationToken).ConfigureAwait(false);
            }

            await TellFailuresAsync(cancellationToken).ConfigureAwait(false);
            await events.WriteAsync(new WaitEvent.Ended(_transaction), cancellationToken).ConfigureAwait(false);
        }

        /// <summary>Looks once. The error, if it can no longer be looked at.</summary>
        private async Task<IngestException?> LookAsync(CancellationToken cancellationToken)
        {
            // The time to wait bounds a look too: a server that does not answer must not hold it up.
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (TimeLeft() is { } left)
                limit.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            bool isInside = false;
            try
            {
                await looks.WaitAsync(limit.Token).ConfigureAwait(false);
                isInside = true;
                _transaction = await request.Source.LookAsync(_transaction, limit.Token).ConfigureAwait(false);
                _outageSince = 0;
                return null;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return TimedOut();
            }
            catch (IngestException e) when (e.IsTransient)
            {
                if (_outageSince == 0)
                    _outageSince = waiter._time.GetTimestamp();
                if (waiter._time.GetElapsedTime(_outageSince) >= OutagePatience)
                    return e;
                waiter._logger.LogWarning("{Id} cannot be looked at right now; the wait goes on. {Reason}", _transaction.Id, e.Message);
                return null;
            }
            catch (IngestException e)
            {
                return e;
            }
            finally
            {
                if (isInside)
                    looks.Release();
            }
        }

        /// <summary>Waits until the next look; false where the time is up.</summary>
        private async Task<bool> SleepAsync(TimeSpan pause, CancellationToken cancellationToken)
        {
            TimeSpan sleep = waiter.Options.PollInterval ?? PollPause.WithJitter(pause);
            if (TimeLeft() is { } left)
            {
                if (left <= TimeSpan.Zero)
                    return false;
                if (left < sleep)
                    sleep = left;
            }

            await Task.Delay(sleep, waiter._time, cancellationToken).ConfigureAwait(false);
            return true;
        }

        private TimeSpan? TimeLeft() => waiter.Options.Timeout is { } timeout ? timeout - waiter._time.GetElapsedTime(started) : null;

        private async Task GiveUpAsync(IngestException error, CancellationToken cancellationToken)
        {
            await events.WriteAsync(new WaitEvent.Failed(_transaction, error), cancellationToken).ConfigureAwait(false);
            await events.WriteAsync(new WaitEvent.GivenUp(_transaction), cancellationToken).ConfigureAwait(false);
        }

        private async Task TellFailuresAsync(CancellationToken cancellationToken)
        {
            if (_transaction.Status == TransactionStatus.Succeeded)
                return;
            long count = 0;
            await foreach (FailedItem item in request.Source.ReadFailedItemsAsync(_transaction, cancellationToken).ConfigureAwait(false))
            {
                if (++count <= MostItemsTold)
                    await events.WriteAsync(new WaitEvent.Failed(_transaction, ItemFailed(item)), cancellationToken).ConfigureAwait(false);
            }

            if (count == 0)
                await events.WriteAsync(new WaitEvent.Failed(_transaction, TransactionFailed()), cancellationToken).ConfigureAwait(false);
            if (count > MostItemsTold)
                await events.WriteAsync(new WaitEvent.Failed(_transaction, MoreFailed(count)), cancellationToken).ConfigureAwait(false);
        }

        private IngestException ItemFailed(FailedItem item) => Error(
            ErrorId.ItemFailed, $"{item.Item} failed in {_transaction.Id}: {item.Reason}.", "Look at the server's reason, mend it, and send just that again.", item.Item);

        private IngestException MoreFailed(long count) => Error(
            ErrorId.ItemFailed, $"{count:N0} items failed in {_transaction.Id}, of which the first {MostItemsTold} were told.", $"All of them: {request.Source.ListCommand(_transaction)}", _transaction.Id);

        private IngestException TransactionFailed() => Error(
            ErrorId.TransactionFailed,
            $"{_transaction.Id} ended as {_transaction.Status}{(_transaction.ServerStatus is null ? "" : $" (the server says {_transaction.ServerStatus})")}{(_transaction.Message is null ? "." : $": {_transaction.Message}")}",
            "Look at the message and at the server's log.",
            _transaction.Id);

        private IngestException TimedOut() => Error(
            ErrorId.WaitTimedOut,
            $"{_transaction.Id} has not ended within {waiter.Options.Timeout}; it was last seen {_transaction.Status}.",
            $"It goes on. Wait again with: Wait-Transaction {_transaction.Id}",
            _transaction.Id);

        private static IngestException Error(ErrorId errorId, string message, string advice, string target) =>
            new(errorId, message) { Advice = advice, Target = target };
    }

    private WaitOptions Options => options;
}
