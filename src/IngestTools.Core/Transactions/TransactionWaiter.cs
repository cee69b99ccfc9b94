using System.Threading.Channels;

namespace IngestTools.Transactions;

/// <summary>How transactions are waited for.</summary>
public sealed record WaitOptions
{
    /// <summary>How long to wait in all; null waits for as long as it takes.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>A fixed pause between looks; null starts at 1 s and grows to 30 s with jitter.</summary>
    public TimeSpan? PollInterval { get; init; }

    /// <summary>Whether the first that ends, ends the wait.</summary>
    public bool Any { get; init; }
}

/// <summary>A transaction to wait for, and who to ask.</summary>
public sealed record WaitRequest(Transaction Transaction, ITransactionSource Source);

/// <summary>Something that happened while waiting.</summary>
/// <param name="Transaction">The transaction as last seen.</param>
public abstract record WaitEvent(Transaction Transaction)
{
    /// <summary>It was looked at, and goes on.</summary>
    public sealed record Seen(Transaction Transaction) : WaitEvent(Transaction);

    /// <summary>It ended. Its failed items were told before.</summary>
    public sealed record Ended(Transaction Transaction) : WaitEvent(Transaction);

    /// <summary>One of its items failed, or it did as a whole, or it could not be waited for any longer. Target is the item.</summary>
    public sealed record Failed(Transaction Transaction, IngestException Error) : WaitEvent(Transaction);

    /// <summary>The wait is over before its end (time is up, or it can no longer be looked at): the transaction as last seen. An error was told before.</summary>
    public sealed record GivenUp(Transaction Transaction) : WaitEvent(Transaction);
}

/// <summary>Waits for transactions side by side.</summary>
public sealed class TransactionWaiter
{
    /// <summary>Makes a waiter.</summary>
    public TransactionWaiter(WaitOptions options, TimeProvider? time = null) => throw new NotImplementedException();

    /// <summary>Waits for all that come, and tells what happens as it happens.</summary>
    public IAsyncEnumerable<WaitEvent> WaitAsync(ChannelReader<WaitRequest> requests, CancellationToken cancellationToken) => throw new NotImplementedException();
}
