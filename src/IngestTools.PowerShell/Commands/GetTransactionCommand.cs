using System.Management.Automation;
using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Errors;
using IngestTools.Transactions;

namespace IngestTools.PowerShell.Commands;

/// <summary>
/// Get-Transaction: looks once where transactions stand. Without arguments, at all that were started from here and had not ended when they
/// were last seen.
/// </summary>
[Cmdlet(VerbsCommon.Get, "Transaction", DefaultParameterSetName = StartedSet)]
[OutputType(typeof(Transaction))]
public sealed class GetTransactionCommand : TransactionCmdlet
{
    private const string StartedSet = "Started";
    private const int MaxWaitingRequests = 256;

    private readonly Channel<WaitRequest> _requests = Channel.CreateBounded<WaitRequest>(
        new BoundedChannelOptions(MaxWaitingRequests) { SingleWriter = true }
    );

    private StartedTransactions? _started;

    /// <summary>All that were started from here, those too that have ended.</summary>
    [Parameter(ParameterSetName = StartedSet)]
    public SwitchParameter All { get; set; }

    /// <summary>The newest of all that were started from here.</summary>
    [Parameter(ParameterSetName = StartedSet)]
    [ValidateRange(1, int.MaxValue)]
    public int? Last { get; set; }

    /// <summary>All that were started from here since then.</summary>
    [Parameter(ParameterSetName = StartedSet)]
    public DateTime? Since { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (!IsForStarted)
            Start(token => WriteAllAsync(TransactionLooks.LookAsync(_requests.Reader, token), token));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (IsForStarted)
        {
            WriteStarted();
            return;
        }

        foreach (WaitRequest request in FindTransactions())
        {
            if (!Feed(_requests.Writer, request))
                return;
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        _requests.Writer.TryComplete();
        Finish();
    }

    private bool IsForStarted => ParameterSetName == StartedSet && !MyInvocation.ExpectingInput;

    private void WriteStarted()
    {
        if (!Journal.IsOn)
        {
            WriteWarning(
                "The journal is turned off (INGESTTOOLS_JOURNAL), so what was started is not known. Give Ids to look at transactions."
            );
            return;
        }

        try
        {
            IngestConnection? only = Connection is null ? null : Session.Connections.Resolve(Connection, Log);
            _started = new StartedTransactions(Journal.ReadTransactions(QueryFor(only)), record => FindConnection(record, only), SourceOf);
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(Connection));
        }

        foreach (string warning in _started!.Warnings)
            WriteWarning(warning);
        Run(token => WriteAllAsync(_started.LookAsync(token), token));
    }

    private TransactionQuery QueryFor(IngestConnection? only) =>
        new()
        {
            Service = only?.Service,
            Server = only?.Uri.AbsoluteUri,
            IncludesEnded = All || Last is not null || Since is not null,
            Last = Last,
            Since = Since is { } since ? new DateTimeOffset(since) : null,
        };

    private IngestConnection? FindConnection(JournaledTransaction record, IngestConnection? only) =>
        only ?? Session.Connections.FindOf(record.Place.Service, record.Place.Server, record.Transaction.Connection, Log);

    private async Task WriteAllAsync(IAsyncEnumerable<Look> looks, CancellationToken cancellationToken)
    {
        await foreach (Look look in looks.ConfigureAwait(false))
        {
            if (look.Error is { } error)
            {
                await PostErrorAsync(error.ToErrorRecord(look.Transaction), cancellationToken).ConfigureAwait(false);
                if (_started is null && error.ErrorId != ErrorId.NotFound)
                    continue;
            }

            Session.Remember(look.Transaction);
            await PostAsync(look.Transaction, cancellationToken).ConfigureAwait(false);
        }
    }
}
