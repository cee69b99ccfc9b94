namespace IngestTools.Reports;

/// <summary>What a report says in its end: totals, causes, and the rows that a page shows.</summary>
/// <param name="Rows">The number of rows.</param>
/// <param name="Totals">The totals of each kind that has rows, in the order of the kinds.</param>
/// <param name="Causes">Failures and skipped files, grouped by cause, the most common first.</param>
/// <param name="OtherCauses">The number of causes that did not fit, counted in one group for each error id.</param>
/// <param name="Failures">The first rows that failed.</param>
/// <param name="FailureCount">The number of rows that failed.</param>
/// <param name="First">The first rows.</param>
/// <param name="Timeline">The first rows that have a beginning: transactions, runs and jobs.</param>
/// <param name="TimelineCount">The number of rows that have a beginning.</param>
/// <param name="Throughput">Bytes that were uploaded over time; null where no row says when.</param>
/// <param name="Servers">The servers that rows are of.</param>
internal sealed record ReportContent(
    long Rows,
    IReadOnlyList<ReportTotals> Totals,
    IReadOnlyList<ReportCause> Causes,
    bool OtherCauses,
    IReadOnlyList<ReportRow> Failures,
    long FailureCount,
    IReadOnlyList<ReportRow> First,
    IReadOnlyList<ReportRow> Timeline,
    long TimelineCount,
    Throughput? Throughput,
    IReadOnlyList<string> Servers
);

/// <summary>The totals of one kind of rows.</summary>
internal sealed class ReportTotals(ReportRowKind kind)
{
    private readonly long[] _outcomes = new long[Enum.GetValues<ReportOutcome>().Length];

    public ReportRowKind Kind => kind;

    public long Rows { get; private set; }

    /// <summary>Bytes of the rows that succeeded.</summary>
    public long Bytes { get; private set; }

    /// <summary>The beginning of the first row, where rows say when.</summary>
    public DateTimeOffset? From { get; private set; }

    /// <summary>The end of the last row, where rows say when.</summary>
    public DateTimeOffset? To { get; private set; }

    public long this[ReportOutcome outcome] => _outcomes[(int)outcome];

    public void Add(ReportRow row)
    {
        Rows++;
        _outcomes[(int)row.Outcome]++;
        if (row.Outcome == ReportOutcome.Succeeded || row.Kind == ReportRowKind.Job)
            Bytes += row.Length ?? 0;
        if (row.StartedAt is { } from && !(from >= From))
            From = from;
        if (row.CompletedAt is { } to && !(to <= To))
            To = to;
    }
}

/// <summary>Rows that have one cause.</summary>
/// <param name="Kind">What the rows were made of.</param>
/// <param name="Outcome">How they ended.</param>
/// <param name="ErrorId">The error's id; null for skipped files.</param>
/// <param name="Reason">Why files were skipped.</param>
/// <param name="StatusCode">The HTTP status of the server's answer.</param>
/// <param name="Text">The cause, without the names of items; null where it is one of several that did not fit.</param>
internal sealed record ReportCause(
    ReportRowKind Kind,
    ReportOutcome Outcome,
    ErrorId? ErrorId,
    SkipReason? Reason,
    int? StatusCode,
    string? Text
)
{
    public long Count { get; set; }

    /// <summary>What the first of the rows is about.</summary>
    public string? Example { get; set; }

    public string? Advice { get; set; }

    /// <summary>Two causes are one where all but the counts are equal.</summary>
    public bool Equals(ReportCause? other) =>
        other is not null
        && (Kind, Outcome, ErrorId, Reason, StatusCode) == (other.Kind, other.Outcome, other.ErrorId, other.Reason, other.StatusCode)
        && string.Equals(Text, other.Text, StringComparison.Ordinal);

    public override int GetHashCode() => HashCode.Combine(Kind, Outcome, ErrorId, Reason, StatusCode, Text);
}
