using System.ComponentModel;
using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.Scheduling;
using IngestTools.Transactions;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A cmdlet that takes transactions, or their ids.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class TransactionCmdlet : IngestCmdlet
{
    private protected const string InputObjectSet = "InputObject";
    private protected const string IdSet = "Id";

    private readonly Dictionary<IngestConnection, ITransactionSource> _sources = [];
    private bool _isJournalLost;
    private RunTransactions? _runs;
    private SchedulerClient? _scheduler;

    /// <summary>The transactions.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = InputObjectSet)]
    [ValidateNotNull]
    public Transaction[] InputObject { get; set; } = [];

    /// <summary>The transactions' ids.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = IdSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(TransactionCompleter))]
    [NameText]
    public string[] Id { get; set; } = [];

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            _scheduler?.Dispose();
    }

    /// <summary>The transactions of this moment's input object, and who to ask about them. What is no id is written as an error.</summary>
    private protected IEnumerable<WaitRequest> FindTransactions() =>
        ParameterSetName == IdSet ? Id.Select(Find).OfType<WaitRequest>() : InputObject.Select(Find).OfType<WaitRequest>();

    private WaitRequest? Find(string id) => Find(id, null);

    private WaitRequest? Find(Transaction transaction) => Find(transaction.Id, transaction);

    private WaitRequest? Find(string id, Transaction? known)
    {
        try
        {
            if (RunTransactions.IsRun(id))
                return new WaitRequest(
                    known ?? RunTransactions.Parse(id),
                    _runs ??= new RunTransactions(_scheduler = new SchedulerClient(Session.SchedulerSocket))
                );
            if (PendingStarts.IsPending(id))
                return FindPending(id);
            (IngestService service, Transaction parsed) = TransactionSources.Parse(id);
            if (
                ResolveConnection(
                    service,
                    known ?? (object)id,
                    known?.Connection,
                    known?.Server ?? (Server is null ? ServerOf(id, service) : null)
                )
                is not { } connection
            )
                return null;
            return new WaitRequest(
                known ?? FindStarted(id, connection) ?? parsed with { Connection = connection.Name, Server = connection.Server },
                SourceOf(connection)
            );
        }
        catch (IngestException e)
        {
            WriteError(e.ToErrorRecord(known ?? (object)id));
            return null;
        }
    }

    /// <summary>The source of a connection's transactions: one for all of them, so that it can look at several at once.</summary>
    private protected ITransactionSource SourceOf(IngestConnection connection)
    {
        if (!_sources.TryGetValue(connection, out ITransactionSource? source))
            _sources.Add(connection, source = TransactionSources.For(connection, Log, Journal));
        return source;
    }

    /// <summary>A start whose answer was not seen when it was written. Where it was answered since, its server is asked.</summary>
    private WaitRequest FindPending(string id)
    {
        JournaledTransaction record = PendingStarts.Read(Journal, id);
        IngestConnection? connection = Session.Connections.FindOf(
            record.Place.Service,
            record.Place.Server,
            record.Transaction.Connection,
            Log
        );
        return new WaitRequest(record.Describe(), new PendingStarts(Journal, connection is null ? null : SourceOf(connection)));
    }

    /// <summary>
    /// The server of a transaction that was started from here, for where an id alone is given and no connection to its service is at hand;
    /// null where one is, since the ids of two servers can be the same.
    /// </summary>
    private string? ServerOf(string id, IngestService service) =>
        Connection is not null || Session.Connections.HasDefault(service)
            ? null
            : ReadNewest(
                new TransactionQuery
                {
                    Id = id,
                    IncludesEnded = true,
                    Last = 1,
                }
            )?.Place.Server;

    /// <summary>
    /// What was known of a transaction when it was last seen; null where it was not started from here. One that had ended is looked at
    /// anew.
    /// </summary>
    private Transaction? FindStarted(string id, IngestConnection connection) =>
        ReadNewest(
            new TransactionQuery
            {
                Id = id,
                Server = connection.Uri.AbsoluteUri,
                IncludesEnded = true,
                Last = 1,
            }
        )
            ?.Resume();

    /// <summary>
    /// A journal that cannot be read is no reason not to look at a transaction. The source warns of it, when it comes to record the look.
    /// </summary>
    private JournaledTransaction? ReadNewest(TransactionQuery query)
    {
        if (_isJournalLost)
            return null;
        try
        {
            return Journal.ReadTransactions(query) is [JournaledTransaction newest] ? newest : null;
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.JournalUnavailable)
        {
            _isJournalLost = true;
            return null;
        }
    }
}
