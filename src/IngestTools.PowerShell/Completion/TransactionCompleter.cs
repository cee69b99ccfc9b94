using IngestTools.Journal;
using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the ids of transactions that were seen in this session, and of those that the journal has.</summary>
public sealed class TransactionCompleter : NameCompleter
{
    /// <summary>More than fit on a screen of completions.</summary>
    private const int MaxJournaled = 64;

    private protected override IEnumerable<string> Names(IngestSession session) =>
        session.Transactions.ToArray().Union(ReadJournal(), StringComparer.OrdinalIgnoreCase);

    /// <summary>A journal that cannot be read completes nothing, and none is made for it.</summary>
    private static string[] ReadJournal()
    {
        if (!File.Exists(IngestJournal.DefaultPath))
            return [];
        try
        {
            using IIngestJournal journal = IngestJournal.Open();
            return
            [
                .. journal
                    .ReadTransactions(new TransactionQuery { IncludesEnded = true, Last = MaxJournaled })
                    .Select(record => record.Transaction.Id),
            ];
        }
        catch (IngestException)
        {
            return [];
        }
    }
}
