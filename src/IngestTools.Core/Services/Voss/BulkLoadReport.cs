using IngestTools.Transactions;

namespace IngestTools.Services.Voss;

/// <summary>
/// What the server reports about a load when its parts are followed down. The rows are not parts of the load itself but of its steps
/// "Execute ..", and a row that succeeded is counted and forgotten, so that a load of very many rows takes no more memory than its failures
/// do.
/// </summary>
internal sealed class BulkLoadReport
{
    /// <summary>The steps that hold rows. A row may begin with the same word, as one for data/QuickAddSubscriber does.</summary>
    private static readonly string[] Steps = ["Execute Resource", "Execute Bulk Load", "Execute Schedule"];

    /// <summary>What makes a schedule, in place of running a load.</summary>
    private const string ScheduleStep = "Create Schedule";

    /// <summary>A step may hold steps; deeper than this nothing was ever seen.</summary>
    private const int MostLevels = 4;

    /// <summary>
    /// A load has a handful of parts; should a release list its rows among them, those beyond this that succeeded are left out.
    /// </summary>
    private const int MostParts = 1000;

    /// <summary>So many reasons are asked for at once; the connection's pace bounds them too.</summary>
    private const int MostRequests = 8;

    private readonly List<SubTransaction> _parts = [];
    private readonly List<SubTransaction> _failed = [];

    private BulkLoadReport(TransactionAnswer answer, IReadOnlyList<TransactionLogEntry> log)
    {
        Answer = answer;
        Log = log;
    }

    /// <summary>The load itself.</summary>
    public TransactionAnswer Answer { get; }

    /// <summary>The newest lines of the load's log.</summary>
    public IReadOnlyList<TransactionLogEntry> Log { get; }

    /// <summary>The parts one level down, newest first, then the rows that failed, in their order.</summary>
    public IReadOnlyList<SubTransaction> Parts => [.. _parts, .. _failed];

    /// <summary>The rows that failed, in their order.</summary>
    public IReadOnlyList<SubTransaction> FailedRows => _failed;

    /// <summary>Rows that were loaded.</summary>
    public long RowsLoaded { get; private set; }

    /// <summary>Reads a load and what is below it. The failed rows are asked why, the first of them: each is a request.</summary>
    /// <param name="routes">Who asks.</param>
    /// <param name="pkid">The load.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public static async Task<BulkLoadReport> ReadAsync(VossRoutes routes, string pkid, CancellationToken cancellationToken)
    {
        int kept = 0;
        TransactionContent content = new(part => kept++ < MostParts || IsStep(part) || !IsLoaded(part));
        TransactionAnswer answer = await routes.ReadTransactionAsync(pkid, content, cancellationToken).ConfigureAwait(false);
        BulkLoadReport report = new(answer, content.Log);
        foreach (TransactionPart part in content.Parts)
        {
            bool isStep = IsStep(part);
            bool isFailed = isStep
                ? await report.IsOnlyFailureAsync(routes, part, level: 1, cancellationToken).ConfigureAwait(false)
                : VossStatus.Of(part.Status) == TransactionStatus.Failed;
            (isFailed ? report._failed : report._parts).Add(Of(part));
        }

        report._failed.Reverse();
        await report.ReadReasonsAsync(routes, cancellationToken).ConfigureAwait(false);
        return report;
    }

    /// <summary>Whether a part tells, by being there or not, what <see cref="MakesSchedule"/> asks.</summary>
    public static bool TellsKind(TransactionPart part) => IsStepName(part.Action) || IsScheduleName(part.Action);

    /// <summary>Whether a transaction with such parts made a schedule, and ran no load.</summary>
    public static bool MakesSchedule(IReadOnlyCollection<string?> actions) => actions.Any(IsScheduleName) && !actions.Any(IsStepName);

    private static bool IsScheduleName(string? action) => string.Equals(action?.Trim(), ScheduleStep, StringComparison.OrdinalIgnoreCase);

    private static bool IsStepName(string? action) => Steps.Contains(action?.Trim(), StringComparer.OrdinalIgnoreCase);

    private static bool IsStep(TransactionPart part) => part.Pkid is not null && IsStepName(part.Action);

    private static bool IsLoaded(TransactionPart part) => VossStatus.Of(part.Status) == TransactionStatus.Succeeded;

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

    /// <summary>Reads a step's rows; true where it failed, and nothing below it did.</summary>
    private async Task<bool> IsOnlyFailureAsync(VossRoutes routes, TransactionPart step, int level, CancellationToken cancellationToken)
    {
        int before = _failed.Count;
        await ReadRowsAsync(routes, step.Pkid!, level, cancellationToken).ConfigureAwait(false);
        return _failed.Count == before && VossStatus.Of(step.Status) == TransactionStatus.Failed;
    }

    /// <summary>The rows of a step come newest first.</summary>
    private async Task ReadRowsAsync(VossRoutes routes, string pkid, int level, CancellationToken cancellationToken)
    {
        TransactionContent content = new(static part => IsStep(part) || !IsLoaded(part));
        await routes.ReadTransactionAsync(pkid, content, cancellationToken).ConfigureAwait(false);
        RowsLoaded += content.Passed;
        foreach (TransactionPart part in content.Parts)
        {
            bool isFailed =
                IsStep(part) && level < MostLevels
                    ? await IsOnlyFailureAsync(routes, part, level + 1, cancellationToken).ConfigureAwait(false)
                    : VossStatus.Of(part.Status)
                        is TransactionStatus.Failed
                            or TransactionStatus.Canceled
                            or TransactionStatus.PartlySucceeded;
            if (isFailed)
                _failed.Add(Of(part));
        }
    }

    private async Task ReadReasonsAsync(VossRoutes routes, CancellationToken cancellationToken)
    {
        int count = Math.Min(_failed.Count, TransactionWaiter.MostItemsTold);
        ParallelOptions side = new() { MaxDegreeOfParallelism = MostRequests, CancellationToken = cancellationToken };
        await Parallel
            .ForEachAsync(
                Enumerable.Range(0, count),
                side,
                async (i, token) => _failed[i] = await WithReasonAsync(routes, _failed[i], token).ConfigureAwait(false)
            )
            .ConfigureAwait(false);
    }

    /// <summary>
    /// The row's own message, or what its log calls an error. A row that has gone meanwhile keeps its state, and one that cannot be read
    /// hides no other.
    /// </summary>
    private static async Task<SubTransaction> WithReasonAsync(VossRoutes routes, SubTransaction row, CancellationToken cancellationToken)
    {
        if (row.TransactionId.Length == 0)
            return row;
        TransactionContent content = TransactionContent.Nothing;
        try
        {
            TransactionAnswer answer = await routes
                .ReadTransactionAsync(row.TransactionId, content, cancellationToken)
                .ConfigureAwait(false);
            string? logged = content
                .Log.FirstOrDefault(entry => string.Equals(entry.Severity, "error", StringComparison.OrdinalIgnoreCase))
                ?.Message;
            RowPlace place = RowPlace.Find(row.Detail, answer.Detail, answer.Message, logged);
            return row with { Message = answer.Message ?? logged, Sheet = place.Sheet, Row = place.Row };
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotFound)
        {
            return row;
        }
        catch (IngestException e)
        {
            return row with { Message = $"its reason could not be read: {e.Message}" };
        }
    }
}
