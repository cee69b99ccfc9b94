using IngestTools.Connections;
using Microsoft.Extensions.Logging;

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

/// <summary>Transaction ids, and who knows about them.</summary>
public static class TransactionSources
{
    /// <summary>The service that an id belongs to, and the transaction as far as its id tells.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is no transaction's id; the message shows the forms.</exception>
    public static (IngestService Service, Transaction Transaction) Parse(string id) => throw new NotImplementedException();

    /// <summary>The source of a connection's transactions.</summary>
    public static ITransactionSource For(IngestConnection connection, ILogger logger) => throw new NotImplementedException();
}
