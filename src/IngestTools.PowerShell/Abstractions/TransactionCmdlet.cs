using System.ComponentModel;
using System.Management.Automation;
using IngestTools.Connections;
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
                return new WaitRequest(known ?? RunTransactions.Parse(id), _runs ??= new RunTransactions(_scheduler = new SchedulerClient(Session.SchedulerSocket)));
            (IngestService service, Transaction parsed) = TransactionSources.Parse(id);
            if (ResolveConnection(service, known ?? (object)id, known?.Connection) is not { } connection)
                return null;
            if (!_sources.TryGetValue(connection, out ITransactionSource? source))
                _sources.Add(connection, source = TransactionSources.For(connection, Log, Journal));
            return new WaitRequest(known ?? parsed with { Connection = connection.Name }, source);
        }
        catch (IngestException e)
        {
            WriteError(e.ToErrorRecord(known ?? (object)id));
            return null;
        }
    }
}
