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
        : this(options, log.Logger) { }

    /// <summary>The maximum number of failed items that are reported one by one.</summary>
    public const int MostItemsTold = 100;

    /// <summary>The maximum number of concurrent polls.</summary>
    private const int MaxConcurrentPolls = 16;

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly ILogger _logger = logger ?? NullLogger.Instance;

    /// <summary>Waits for all that come, and reports events as they happen.</summary>
    /// <param name="requests">The transactions, taken as they come.</param>
    /// <param name="cancellationToken">Cancels the wait. The server's work continues.</param>
    public async IAsyncEnumerable<WaitEvent> WaitAsync(
        ChannelReader<WaitRequest> requests,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
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

    private async Task WaitForAllAsync(
        ChannelReader<WaitRequest> requests,
        ChannelWriter<WaitEvent> events,
        CancellationToken cancellationToken
    )
    {
        long started = _time.GetTimestamp();
        using SemaphoreSlim polls = new(MaxConcurrentPolls);
        List<Task> waits = [];
        Dictionary<ITransactionSource, TransactionPoller> groups = [];
        try
        {
            await foreach (WaitRequest request in requests.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                waits.RemoveAll(wait => wait.IsCompletedSuccessfully);
                if (!groups.TryGetValue(request.Source, out TransactionPoller? group))
                {
                    group = new TransactionPoller(options, request.Source, events, polls, started, _logger, _time);
                    waits.Add(group.RunAsync(cancellationToken));
                }

                group.Join(request.Transaction);
                if (request.Source.LooksTogether)
                    groups[request.Source] = group;
                else
                    group.Close();
            }

            foreach (TransactionPoller group in groups.Values)
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
}
