using System.Threading.Channels;
using IngestTools.Logging;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;
using IngestTools.PowerShell.Formatting;
using IngestTools.Transactions;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>
/// Waits for transactions on behalf of a cmdlet: writes each when it ends, the errors of those that failed, and a progress bar for each
/// that runs.
/// </summary>
/// <param name="cmdlet">Writes.</param>
/// <param name="session">Remembers the transactions, and numbers the bars.</param>
/// <param name="options">How to wait.</param>
/// <param name="log">The log.</param>
internal sealed class TransactionFollower(AsyncCmdlet cmdlet, IngestSession session, WaitOptions options, IngestLog log)
{
    private readonly TransactionBars _bars = new(session.NextActivity);

    /// <summary>Waits for all that come. This is the cmdlet's work.</summary>
    internal async Task FollowAsync(ChannelReader<WaitRequest> requests, CancellationToken cancellationToken)
    {
        TransactionWaiter waiter = new(options, log);
        await foreach (WaitEvent happened in waiter.WaitAsync(requests, cancellationToken).ConfigureAwait(false))
        {
            switch (happened)
            {
                case WaitEvent.Seen seen:
                    _bars.Update(seen.Transaction);
                    break;
                case WaitEvent.Failed failed:
                    await cmdlet
                        .PostErrorAsync(failed.Error.ToErrorRecord(failed.Error.Target ?? failed.Transaction), cancellationToken)
                        .ConfigureAwait(false);
                    break;
                default:
                    _bars.Remove(happened.Transaction);
                    session.Remember(happened.Transaction);
                    await cmdlet.PostAsync(happened.Transaction, cancellationToken).ConfigureAwait(false);
                    break;
            }
        }
    }

    /// <summary>Shows how far the transactions have come. Called on the pipeline's thread.</summary>
    internal void ReportProgress()
    {
        foreach (System.Management.Automation.ProgressRecord record in _bars.TakeRecords())
            cmdlet.ShowProgress(record);
    }
}
