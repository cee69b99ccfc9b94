using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Logging;
using IngestTools.Services;
using Microsoft.Extensions.Logging;

namespace IngestTools.Transactions;

/// <summary>Transaction ids, and who knows about them.</summary>
public static class TransactionSources
{
    /// <summary>The service that an id belongs to, and the transaction as far as its id tells.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is not the id of a transaction; the message shows the
    /// forms.</exception>
    public static (IngestService Service, Transaction Transaction) Parse(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        (ServiceDefinition definition, string[] parts) = ServiceDefinition.OfTransaction(id);
        return (definition.Service, definition.ReadId(id, parts));
    }

    /// <summary>The source of a connection's transactions, for a host with a log of its own.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="log">The log.</param>
    /// <param name="journal">The journal; null records nothing and knows nothing.</param>
    public static ITransactionSource For(IngestConnection connection, IngestLog log, IIngestJournal? journal = null) =>
        For(connection, log.Logger, journal);

    /// <summary>The source of a connection's transactions.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="logger">The log.</param>
    /// <param name="journal">The journal that each look is recorded in; null records nothing and knows nothing.</param>
    public static ITransactionSource For(IngestConnection connection, ILogger logger, IIngestJournal? journal = null)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ServiceDefinition service = ServiceDefinition.Of(connection.Service);
        return journal is { IsOn: true }
            ? new JournaledSource(used => service.CreateTransactionSource(connection, logger, used), journal, logger)
            : service.CreateTransactionSource(connection, logger, IngestJournal.Off);
    }
}
