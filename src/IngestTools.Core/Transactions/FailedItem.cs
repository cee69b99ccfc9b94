namespace IngestTools.Transactions;

/// <summary>An item of a transaction that failed.</summary>
/// <param name="Item">What failed: a file name, a data id, a row.</param>
/// <param name="Reason">The server's reason, or what is known of it.</param>
public sealed record FailedItem(string Item, string Reason)
{
    /// <summary>The item and its reason.</summary>
    public override string ToString() => $"{Item}: {Reason}";
}
