using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the ids of transactions that were seen in this session.</summary>
public sealed class TransactionCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) => session.Transactions.ToArray();
}
