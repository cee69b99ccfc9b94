using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace IngestTools.Transactions;

/// <summary>Looks once at many transactions, side by side. The results come in the order of the requests.</summary>
public static class TransactionLooks
{
    /// <summary>The maximum number of requests that are under way at once.</summary>
    private const int MaxLooks = 16;

    /// <summary>Looks at each as it comes, in full.</summary>
    /// <param name="requests">The transactions, taken as they come.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    public static async IAsyncEnumerable<Look> LookAsync(ChannelReader<WaitRequest> requests, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(requests);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Channel<Task<Look>> looks = Channel.CreateBounded<Task<Look>>(MaxLooks - 1);
        Task starting = StartAllAsync();
        try
        {
            await foreach (Task<Look> look in looks.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return await look.ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await starting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task StartAllAsync()
        {
            try
            {
                await foreach (WaitRequest request in requests.ReadAllAsync(stop.Token).ConfigureAwait(false))
                    await looks.Writer.WriteAsync(LookAsync(request, stop.Token), stop.Token).ConfigureAwait(false);
            }
            finally
            {
                looks.Writer.Complete();
            }
        }
    }

    /// <summary>Looks at a list that is known as a whole: those that a source can look at together cost one request, and come without their details.</summary>
    /// <param name="requests">The transactions.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    public static async IAsyncEnumerable<Look> LookAsync(IReadOnlyList<WaitRequest> requests, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(requests);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using SemaphoreSlim places = new(MaxLooks);
        Dictionary<ITransactionSource, Task<IReadOnlyList<Look>>> together = requests.Where(request => request.Source.LooksTogether).GroupBy(request => request.Source)
            .ToDictionary(group => group.Key, group => LookTogetherAsync(group.Key, group.Select(request => request.Transaction).ToArray(), stop.Token));
        Dictionary<ITransactionSource, int> taken = [];
        Task<Look>?[] alone = requests.Select(request => request.Source.LooksTogether ? null : InPlaceAsync(request)).ToArray();
        try
        {
            for (int i = 0; i < requests.Count; i++)
            {
                if (alone[i] is { } look)
                {
                    yield return await look.ConfigureAwait(false);
                    continue;
                }

                ITransactionSource source = requests[i].Source;
                int index = taken.GetValueOrDefault(source);
                taken[source] = index + 1;
                yield return (await together[source].ConfigureAwait(false))[index];
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll([.. together.Values, .. alone.OfType<Task>()]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task<Look> InPlaceAsync(WaitRequest request)
        {
            await places.WaitAsync(stop.Token).ConfigureAwait(false);
            try
            {
                return await LookAsync(request, stop.Token).ConfigureAwait(false);
            }
            finally
            {
                places.Release();
            }
        }
    }

    private static async Task<Look> LookAsync(WaitRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return new Look(await request.Source.LookAsync(request.Transaction, cancellationToken).ConfigureAwait(false));
        }
        catch (IngestException e)
        {
            return NotSeen(new Look(request.Transaction, e));
        }
    }

    /// <summary>One that the server does not know is Unknown; how it ended cannot be seen any longer. For any other reason it stays as it was last seen.</summary>
    private static Look NotSeen(Look look) => look.Error?.ErrorId == ErrorId.NotFound
        ? look with { Transaction = look.Transaction with { Status = TransactionStatus.Unknown, Message = look.Error.Message } }
        : look;

    private static async Task<IReadOnlyList<Look>> LookTogetherAsync(ITransactionSource source, Transaction[] transactions, CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlyList<Look> looks = await source.LookAsync(transactions, cancellationToken).ConfigureAwait(false);
            return [.. looks.Select(NotSeen)];
        }
        catch (IngestException e)
        {
            return Array.ConvertAll(transactions, transaction => new Look(transaction, e));
        }
    }
}
