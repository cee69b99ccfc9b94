using IngestTools.Logging;

namespace IngestTools.Reports;

/// <summary>
/// Makes the totals of a report while its rows pass. What it keeps is bounded: a million rows need no more memory than some thousands.
/// </summary>
internal sealed class ReportAggregator
{
    /// <summary>Rows that a page shows. A browser sorts and filters them without a pause.</summary>
    public const int MaxRows = 1000;

    /// <summary>Failures that a page lists, besides their causes.</summary>
    public const int MaxFailures = 1000;

    /// <summary>Bars of the timeline: about three screens.</summary>
    public const int MaxTimeline = 100;

    /// <summary>
    /// Causes that are kept apart. Where each row has a cause of its own, the later ones are counted together for each error id.
    /// </summary>
    public const int MaxCauses = 500;

    private const int MaxServers = 20;

    private readonly SortedDictionary<ReportRowKind, ReportTotals> _totals = [];
    private readonly Dictionary<ReportCause, ReportCause> _causes = [];
    private readonly List<ReportRow> _failures = [];
    private readonly List<ReportRow> _first = [];
    private readonly List<ReportRow> _timeline = [];
    private readonly SortedSet<string> _servers = new(StringComparer.Ordinal);
    private readonly ThroughputMeter _uploads = new();
    private readonly ThroughputMeter _jobs = new();
    private long _rows;
    private long _failureCount;
    private long _timelineCount;
    private bool _hasOtherCauses;

    /// <summary>Counts a row.</summary>
    public void Add(ReportRow row)
    {
        _rows++;
        if (!_totals.TryGetValue(row.Kind, out ReportTotals? totals))
            _totals.Add(row.Kind, totals = new ReportTotals(row.Kind));
        totals.Add(row);
        Keep(_first, MaxRows, row);
        if (row.Server is { } server && _servers.Count < MaxServers)
            _servers.Add(server);
        AddTimes(row);
        if (row.IsFailure)
        {
            _failureCount++;
            Keep(_failures, MaxFailures, row);
        }

        if (row.IsFailure || row.Outcome == ReportOutcome.Skipped)
            AddCause(row);
    }

    /// <summary>What was counted.</summary>
    public ReportContent Complete() =>
        new(
            _rows,
            [.. _totals.Values],
            [.. _causes.Values.OrderByDescending(cause => cause.Count).ThenBy(cause => cause.Text, StringComparer.Ordinal)],
            _hasOtherCauses,
            _failures,
            _failureCount,
            _first,
            _timeline,
            _timelineCount,
            FindThroughput(),
            [.. _servers]
        );

    /// <summary>A job counts the same bytes as its uploads, and is of use only where these have no times.</summary>
    private Throughput? FindThroughput() => _uploads.Complete() ?? (_jobs.Complete() is { } jobs ? jobs with { IsOfJobs = true } : null);

    private void AddTimes(ReportRow row)
    {
        if (row.Kind == ReportRowKind.Upload)
        {
            if (row is { Outcome: ReportOutcome.Succeeded, CompletedAt: { } sent })
                _uploads.Add(row.StartedAt ?? sent, sent, row.Length ?? 0);
            return;
        }

        if (row.StartedAt is not { } began)
            return;
        _timelineCount++;
        Keep(_timeline, MaxTimeline, row);
        if (row is { Kind: ReportRowKind.Job, CompletedAt: { } ended })
            _jobs.Add(began, ended, row.Length ?? 0);
    }

    private void AddCause(ReportRow row)
    {
        ReportCause cause = CauseOf(row);
        if (!_causes.TryGetValue(cause, out ReportCause? known))
        {
            if (_causes.Count >= MaxCauses)
            {
                _hasOtherCauses = true;
                cause = cause with { StatusCode = null, Text = null };
            }

            if (!_causes.TryGetValue(cause, out known))
            {
                _causes.Add(cause, known = cause);
                known.Example = row.Item;
                known.Advice = cause.Text is null ? null : WithoutNames(row.Advice, row);
            }
        }

        known.Count++;
    }

    /// <summary>The cause of a row: the server's reason where it gave one, else what is known.</summary>
    private static ReportCause CauseOf(ReportRow row) =>
        new(
            row.Kind,
            row.Outcome,
            row.ErrorId,
            row.Reason,
            row.StatusCode,
            WithoutNames(row.ServerMessage ?? row.Message, row) ?? "No reason was given."
        );

    private static string? WithoutNames(string? text, ReportRow row) =>
        text is null
            ? null
            : RepeatedText.WithoutNames(
                text,
                row.Path,
                row.RemoteName,
                row.RemoteName is { } name ? name[(name.LastIndexOf('/') + 1)..] : null,
                row.DataId
            );

    private static void Keep(List<ReportRow> rows, int most, ReportRow row)
    {
        if (rows.Count < most)
            rows.Add(row);
    }
}
