using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;
using IngestTools.Transactions;

namespace IngestTools.PowerShell.Commands;

/// <summary>Get-Transaction: looks once where transactions stand.</summary>
[Cmdlet(VerbsCommon.Get, "Transaction", DefaultParameterSetName = InputObjectSet)]
[OutputType(typeof(Transaction))]
public sealed class GetTransactionCommand : TransactionCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (WaitRequest asked in FindTransactions())
        {
            RunFor(asked.Transaction, async token =>
            {
                Transaction seen = await asked.Source.LookAsync(asked.Transaction, token).ConfigureAwait(false);
                Session.Remember(seen);
                await PostAsync(seen, token).ConfigureAwait(false);
            });
        }
    }
}
