namespace IngestTools.Transactions;

/// <summary>Something that happened while waiting.</summary>
/// <param name="Transaction">The transaction as last seen.</param>
public abstract record WaitEvent(Transaction Transaction)
{
    /// <summary>It was polled, and is still running.</summary>
    /// <param name="Transaction">The transaction as last seen.</param>
    public sealed record Seen(Transaction Transaction) : WaitEvent(Transaction);

    /// <summary>It ended. Its failed items were reported before.</summary>
    /// <param name="Transaction">The transaction as last seen.</param>
    public sealed record Ended(Transaction Transaction) : WaitEvent(Transaction);

    /// <summary>One of its items failed, or it did as a whole, or it cannot be waited for any longer.</summary>
    /// <param name="Transaction">The transaction as last seen.</param>
    /// <param name="Error">What happened; its target is the item.</param>
    public sealed record Failed(Transaction Transaction, IngestException Error) : WaitEvent(Transaction);

    /// <summary>
    /// The wait ended before the transaction did: time is up, or it can no longer be polled. An error was reported before.
    /// </summary>
    /// <param name="Transaction">The transaction as last seen.</param>
    public sealed record GivenUp(Transaction Transaction) : WaitEvent(Transaction);
}
