namespace IngestTools.Transactions;

/// <summary>What a service can do with its transactions.</summary>
public interface ITransactionSource
{
    /// <summary>Looks once.</summary>
    Task<Transaction> LookAsync(Transaction transaction, CancellationToken cancellationToken);

    /// <summary>The items of an ended transaction that failed; none where the service does not name items.</summary>
    IAsyncEnumerable<FailedItem> ReadFailedItemsAsync(Transaction transaction, CancellationToken cancellationToken);

    /// <summary>How the user lists all failed items: a command.</summary>
    string ListCommand(Transaction transaction);

    /// <summary>Cancels it where the server can.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.CannotCancel"/> where it cannot.</exception>
    Task<Transaction> StopAsync(Transaction transaction, CancellationToken cancellationToken);
}
