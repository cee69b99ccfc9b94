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
/// <param name="Transaction">The transaction as last seen.</param>
/// <param name="Source">Who to ask.</param>
public sealed record WaitRequest(Transaction Transaction, ITransactionSource Source);
