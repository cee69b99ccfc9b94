using System.Management.Automation;

namespace IngestTools.PowerShell.Formatting;

/// <summary>
/// A progress bar for each transaction that is waited for; of many, for some, and one that sums up the rest. May be told from any thread.
/// </summary>
/// <param name="nextActivity">Numbers the bars.</param>
internal sealed class TransactionBars(Func<int> nextActivity)
{
    /// <summary>More would push everything else off the screen.</summary>
    private const int MostBars = 10;

    private readonly object _gate = new();
    private readonly Dictionary<string, Transaction> _running = [];
    private readonly Dictionary<string, int> _shown = [];
    private readonly int _summary = nextActivity();
    private bool _isSummaryShown;

    /// <summary>Tells how a transaction was when last seen.</summary>
    internal void Update(Transaction transaction)
    {
        lock (_gate)
            _running[transaction.Id] = transaction;
    }

    /// <summary>Tells that a transaction is waited for no longer.</summary>
    internal void Remove(Transaction transaction)
    {
        lock (_gate)
            _running.Remove(transaction.Id);
    }

    /// <summary>What there is to show now.</summary>
    internal IReadOnlyList<ProgressRecord> TakeRecords()
    {
        lock (_gate)
        {
            List<ProgressRecord> records = [];
            foreach (string ended in _shown.Keys.Where(id => !_running.ContainsKey(id)).ToArray())
            {
                _shown.Remove(ended, out int activity);
                records.Add(Gone(activity));
            }

            foreach (Transaction transaction in _running.Values.Where(HasRoom))
                records.Add(Bar(transaction));
            AddSummary(records);
            return records;
        }
    }

    private bool HasRoom(Transaction transaction) => _shown.ContainsKey(transaction.Id) || _shown.Count < MostBars;

    private ProgressRecord Bar(Transaction transaction)
    {
        if (!_shown.TryGetValue(transaction.Id, out int activity))
            _shown.Add(transaction.Id, activity = nextActivity());
        string[] facts =
        [
            transaction.ServerStatus ?? transaction.Status.ToString(),
            Display.Progress(transaction),
            Display.Time(transaction.Elapsed),
        ];
        return new ProgressRecord(activity, $"{transaction.Kind} {transaction.Id}", string.Join(", ", facts.Where(f => f.Length > 0)))
        {
            CurrentOperation = transaction.Message ?? "",
            PercentComplete = transaction is { Completed: { } completed, Total: > 0 and { } total }
                ? (int)Math.Clamp(100 * completed / total, 0, 100)
                : -1,
        };
    }

    private void AddSummary(List<ProgressRecord> records)
    {
        int more = _running.Count - _shown.Count;
        if (more > 0)
            records.Add(new ProgressRecord(_summary, "More transactions", $"{more:N0} that are not shown"));
        else if (_isSummaryShown)
            records.Add(Gone(_summary));
        _isSummaryShown = more > 0;
    }

    private static ProgressRecord Gone(int activity) => new(activity, "-", "-") { RecordType = ProgressRecordType.Completed };
}
