using IngestTools.Transactions;

namespace IngestTools.Services.Voss;

/// <summary>
/// What the server tells of a load when its parts are followed down. The rows are not parts of the load itself but of its steps "Execute ..", and a row that
/// succeeded is counted and forgotten, so that a load of very many rows takes no more memory than its failures do.
/// </summary>
internal sealed class BulkLoadReport
{
    /// <summary>Steps that hold rows begin with this word.</summary>
    private const string StepPrefix = "Execute";

    /// <summary>A step may hold steps; deeper than this nothing was ever seen.</summary>
    private const int MostLevels = 4;

    /// <summary>Of a long log the newest lines are kept.</summary>
    private const int MostLogLines = 1000;

    /// <summary>So many reasons are asked for at once; the connection's pace bounds them too.</summary>
    private const int MostRequests = 8;

    private readonly List<SubTransaction> _parts = [];
    private readonly List<SubTransaction> _failed = [];
    private readonly Queue<TransactionLogEntry> _log = new();
    private long _counted;

    private BulkLoadReport(TransactionAnswer answer) => Answer = answer;

    /// <summary>The load itself.</summary>
    public TransactionAnswer Answer { get; private set; }

    /// <summary>The parts one level down, newest first, then the rows that failed, in their order.</summary>
    public IReadOnlyList<SubTransaction> Parts => [.. _parts, .. _failed];

    /// <summary>The rows that failed, in their order.</summary>
    public IReadOnlyList<SubTransaction> FailedRows => _failed;

    /// <summary>The newest lines of the load's log.</summary>
    public IReadOnlyList<TransactionLogEntry> Log => [.. _log];

    /// <summary>Rows that have ended.</summary>
    public long RowsEnded => _counted;

    /// <summary>Rows that failed.</summary>
    public long RowsFailed => _failed.Count;

    /// <summary>Reads a load and what is below it.</summary>
    /// <param name="routes">Who asks.</param>
    /// <param name="pkid">The load.</param>
    /// <param name="withReasons">Whether the failed rows are asked why, the first of them: each is a request.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<BulkLoadReport> ReadAsync(VossRoutes routes, string pkid, bool withReasons, CancellationToken cancellationToken)
    {
        BulkLoadReport report = new(new TransactionAnswer());
        report.Answer = await routes.ReadTransactionAsync(pkid, part => report._parts.Add(Of(part)), report.Keep, cancellationToken).ConfigureAwait(false);
        foreach (SubTransaction part in report._parts.ToArray())
        {
            if (IsStep(part))
                await report.ReadRowsAsync(routes, part.TransactionId, level: 1, cancellationToken).ConfigureAwait(false);
            else if (part.Status == TransactionStatus.Failed)
                report._failed.Add(part);
        }

        report._parts.RemoveAll(report._failed.Contains);
        report._failed.Reverse();
        if (withReasons)
            await report.ReadReasonsAsync(routes, cancellationToken).ConfigureAwait(false);
        return report;
    }

    private static bool IsStep(SubTransaction part) => part.Action?.StartsWith(StepPrefix, StringComparison.OrdinalIgnoreCase) == true && part.TransactionId.Length > 0;

    private static SubTransaction Of(TransactionPart part)
    {
        RowPlace place = RowPlace.Find(part.Detail);
        return new SubTransaction
        {
            TransactionId = part.Pkid ?? "",
            Action = part.Action,
            Detail = part.Detail,
            Status = VossStatus.Of(part.Status) ?? TransactionStatus.Running,
            ServerStatus = part.Status,
            Sheet = place.Sheet,
            Row = place.Row,
        };
    }

    private void Keep(TransactionLogEntry entry)
    {
        if (_log.Count == MostLogLines)
            _log.Dequeue();
        _log.Enqueue(entry);
    }

    /// <summary>The rows of a step come newest first.</summary>
    private async Task ReadRowsAsync(VossRoutes routes, string pkid, int level, CancellationToken cancellationToken)
    {
        List<string> steps = [];
        await routes.ReadTransactionAsync(pkid, Take, static _ => { }, cancellationToken).ConfigureAwait(false);
        foreach (string step in steps.TakeWhile(_ => level < MostLevels))
            await ReadRowsAsync(routes, step, level + 1, cancellationToken).ConfigureAwait(false);

        void Take(TransactionPart part)
        {
            SubTransaction row = Of(part);
            if (IsStep(row))
            {
                steps.Add(row.TransactionId);
                return;
            }

            if (row.Status is TransactionStatus.Queued or TransactionStatus.Running)
                return;
            _counted++;
            if (row.Status != TransactionStatus.Succeeded)
                _failed.Add(row);
        }
    }

    private async Task ReadReasonsAsync(VossRoutes routes, CancellationToken cancellationToken)
    {
        int count = Math.Min(_failed.Count, TransactionWaiter.MostItemsTold);
        ParallelOptions side = new() { MaxDegreeOfParallelism = MostRequests, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(Enumerable.Range(0, count), side, async (i, token) => _failed[i] = await WithReasonAsync(routes, _failed[i], token).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>The row's own message, or what its log calls an error. A row that has gone meanwhile keeps its state.</summary>
    private static async Task<SubTransaction> WithReasonAsync(VossRoutes routes, SubTransaction row, CancellationToken cancellationToken)
    {
        if (row.TransactionId.Length == 0)
            return row;
        string? logged = null;
        try
        {
            TransactionAnswer answer = await routes.ReadTransactionAsync(row.TransactionId, static _ => { }, Look, cancellationToken).ConfigureAwait(false);
            RowPlace place = RowPlace.Find(row.Detail, answer.Detail, answer.Message, logged);
            return row with { Message = answer.Message ?? logged, Sheet = place.Sheet, Row = place.Row };
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotFound)
        {
            return row;
        }

        void Look(TransactionLogEntry entry)
        {
            if (logged is null && string.Equals(entry.Severity, "error", StringComparison.OrdinalIgnoreCase))
                logged = entry.Message;
        }
    }
}
