using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;
using IngestTools.Transactions;

namespace IngestTools.PowerShell.Commands;

/// <summary>Stop-Transaction: cancels transactions where the server can, and says so where it cannot.</summary>
[Cmdlet(VerbsLifecycle.Stop, "Transaction", DefaultParameterSetName = InputObjectSet, SupportsShouldProcess = true)]
[OutputType(typeof(Transaction))]
public sealed class StopTransactionCommand : TransactionCmdlet
{
    /// <summary>A run of the scheduler is of no server.</summary>
    private static string DescribeTarget(Transaction transaction) =>
        transaction.Server is { } server ? $"{transaction.Id} at {server}" : transaction.Id;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (WaitRequest asked in FindTransactions())
        {
            if (!ShouldProcess(DescribeTarget(asked.Transaction), "Cancel transaction"))
                continue;
            RunFor(
                asked.Transaction,
                async token =>
                {
                    Transaction stopped = await asked.Source.StopAsync(asked.Transaction, token).ConfigureAwait(false);
                    Session.Remember(stopped);
                    await PostAsync(stopped, token).ConfigureAwait(false);
                }
            );
        }
    }
}
