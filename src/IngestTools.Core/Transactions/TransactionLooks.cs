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
    public static async IAsyncEnumerable<Look> LookAsync(
        ChannelReader<WaitRequest> requests,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
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

    /// <summary>
    /// Looks at a list that is known as a whole: those that a source can look at together cost one request, and come without their details.
    /// A server that does not answer in time is not asked again, and holds up no other: its transactions are Unknown.
    /// </summary>
    /// <param name="requests">The transactions.</param>
    /// <param name="limit">How long a server may take for its answer.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    public static async IAsyncEnumerable<Look> LookAsync(
        IReadOnlyList<WaitRequest> requests,
        TimeSpan limit,
        TimeProvider time,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(requests);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Dictionary<ITransactionSource, Server> servers = requests
            .Select(request => request.Source)
            .Distinct()
            .ToDictionary(source => source, _ => new Server(limit, time));
        Dictionary<ITransactionSource, Task<IReadOnlyList<Look>>> together = requests
            .Where(request => request.Source.LooksTogether)
            .GroupBy(request => request.Source)
            .ToDictionary(
                group => group.Key,
                group =>
                    LookTogetherAsync(servers[group.Key], group.Key, group.Select(request => request.Transaction).ToArray(), stop.Token)
            );
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
            foreach (Server server in servers.Values)
                server.Dispose();
        }

        async Task<Look> InPlaceAsync(WaitRequest request)
        {
            Server server = servers[request.Source];
            await server.Places.WaitAsync(stop.Token).ConfigureAwait(false);
            try
            {
                return await server.AskAsync(token => LookAsync(request, token), stop.Token).ConfigureAwait(false)
                    ?? server.NoAnswer(request.Transaction);
            }
            finally
            {
                server.Places.Release();
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

    /// <summary>
    /// One that the server does not know, or whose server cannot be reached, is Unknown. For any other reason it stays as it was last seen.
    /// </summary>
    private static Look NotSeen(Look look) =>
        look.Error?.ErrorId switch
        {
            ErrorId.NotFound => look with
            {
                Transaction = look.Transaction with { Status = TransactionStatus.Unknown, Message = look.Error.Message },
            },
            ErrorId.ConnectionFailed => look with
            {
                Transaction = look.Transaction with
                {
                    Status = TransactionStatus.Unknown,
                    Message = $"{look.Error.Message} {WhatToDo(look.Transaction)}",
                },
            },
            _ => look,
        };

    private static async Task<IReadOnlyList<Look>> LookTogetherAsync(
        Server server,
        ITransactionSource source,
        Transaction[] transactions,
        CancellationToken cancellationToken
    ) =>
        await server.AskAsync(token => LookTogetherAsync(source, transactions, token), cancellationToken).ConfigureAwait(false)
        ?? Array.ConvertAll(transactions, server.NoAnswer);

    private static async Task<IReadOnlyList<Look>> LookTogetherAsync(
        ITransactionSource source,
        Transaction[] transactions,
        CancellationToken cancellationToken
    )
    {
        try
        {
            IReadOnlyList<Look> looks = await source.LookAsync(transactions, cancellationToken).ConfigureAwait(false);
            return [.. looks.Select(NotSeen)];
        }
        catch (IngestException e)
        {
            return Array.ConvertAll(transactions, transaction => NotSeen(new Look(transaction, e)));
        }
    }

    /// <summary>A server that is asked about several transactions.</summary>
    private sealed class Server(TimeSpan limit, TimeProvider time) : IDisposable
    {
        private volatile bool _isSilent;

        /// <summary>Its requests that may be under way at once: those to other servers do not wait for them.</summary>
        public SemaphoreSlim Places { get; } = new(MaxLooks);

        /// <summary>Asks; null where it does not answer in time, now or when it was asked before.</summary>
        public async Task<T?> AskAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
            where T : class
        {
            if (_isSilent)
                return null;
            using CancellationTokenSource inTime = new(limit, time);
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(inTime.Token, cancellationToken);
            try
            {
                return await ask(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (inTime.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                _isSilent = true;
                return null;
            }
        }

        /// <summary>What is said of a transaction where it does not answer.</summary>
        public Look NoAnswer(Transaction transaction)
        {
            string message = $"{transaction.Server ?? "Its server"} did not answer within {limit.TotalSeconds:0.#} s.";
            return new Look(
                transaction with
                {
                    Status = TransactionStatus.Unknown,
                    Message = $"{message} {WhatToDo(transaction)}",
                },
                new IngestException(ErrorId.TimedOut, $"{message} Its transactions are listed as Unknown.")
                {
                    Operation = "look at transactions",
                    IsTransient = true,
                    Advice = WhatToDo(transaction),
                    Target = transaction.Id,
                }
            );
        }

        public void Dispose() => Places.Dispose();
    }

    /// <summary>What can be done about a transaction whose server is gone.</summary>
    private static string WhatToDo(Transaction transaction) =>
        $"To wait for the server, use Get-Transaction -Id {transaction.Id}. If it no longer exists, Clear-IngestJournal -Id "
        + $"{transaction.Id} deletes the record.";
}
