using System.Management.Automation;
using System.Threading.Channels;
using IngestTools.PowerShell.Abstractions;
using IngestTools.Transactions;

namespace IngestTools.PowerShell.Commands;

/// <summary>
/// Wait-Transaction: waits side by side for all transactions that come, and writes each when it ends. Ctrl+C leaves the server's work
/// alone.
/// </summary>
[Cmdlet(VerbsLifecycle.Wait, "Transaction", DefaultParameterSetName = InputObjectSet)]
[OutputType(typeof(Transaction))]
public sealed class WaitTransactionCommand : TransactionCmdlet
{
    private const int MostWaitingRequests = 256;

    private readonly Channel<WaitRequest> _requests = Channel.CreateBounded<WaitRequest>(
        new BoundedChannelOptions(MostWaitingRequests) { SingleWriter = true }
    );

    private TransactionFollower? _follower;

    /// <summary>How long to wait in all: seconds, or a time span. Without it, for as long as it takes.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? Timeout { get; set; }

    /// <summary>The pause between two looks at a transaction: seconds, or a time span. Without it, 1 s that grows to 30 s.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? PollInterval { get; set; }

    /// <summary>Ends with the first that ends.</summary>
    [Parameter]
    public SwitchParameter Any { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _follower = new TransactionFollower(
            this,
            Session,
            new WaitOptions
            {
                Timeout = Timeout,
                PollInterval = PollInterval,
                Any = Any,
            },
            Log
        );
        Start(token => _follower.FollowAsync(_requests.Reader, token));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (WaitRequest request in FindTransactions())
        {
            if (!Feed(_requests.Writer, request))
                return;
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        _requests.Writer.Complete();
        Finish();
    }

    /// <inheritdoc/>
    protected override void ReportProgress() => _follower?.ReportProgress();
}
