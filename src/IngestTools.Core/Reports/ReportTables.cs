using System.Globalization;

namespace IngestTools.Reports;

/// <summary>The page's tables: what stands in which column.</summary>
internal static class ReportTables
{
    // These stand first: the tables below are made of them.
    private static HtmlColumn<ReportRow> Status { get; } =
        new("Status", row => new HtmlCell(row.Status, Style: HtmlPage.StyleOf(row.Outcome), IsShort: true));

    private static HtmlColumn<ReportRow> Message { get; } =
        new("Message", row => row.Reason is null ? row.Message : new HtmlCell(row.Reason.ToString(), row.Message));

    private static HtmlColumn<ReportRow> Duration { get; } =
        new(
            "Duration",
            row => row.Duration is { } time ? new HtmlCell(HtmlText.Duration(time), Value: Invariant(time.TotalSeconds)) : default,
            IsNumber: true
        );

    private static HtmlColumn<ReportRow> Progress { get; } =
        new(
            "Progress",
            row =>
                row.Completed is not { } done
                    ? default
                    : new HtmlCell(
                        row.Total is { } total
                            ? $"{HtmlText.Count(done)} of {HtmlText.Count(total)} {row.Unit}"
                            : $"{HtmlText.Count(done)} {row.Unit}",
                        Value: Invariant(done)
                    ),
            IsNumber: true
        );

    /// <summary>The totals of each kind.</summary>
    public static IReadOnlyList<HtmlColumn<ReportTotals>> Totals { get; } =
    [
        new("Kind", totals => TitleOf(totals.Kind)),
        new("Rows", totals => Number(totals.Rows), IsNumber: true),
        Outcome("Succeeded", ReportOutcome.Succeeded),
        Outcome("Partly", ReportOutcome.PartlySucceeded),
        Outcome("Failed", ReportOutcome.Failed),
        Outcome("Skipped", ReportOutcome.Skipped),
        Outcome("Canceled", ReportOutcome.Canceled),
        Outcome("Not ended", ReportOutcome.Running),
        Outcome("Unknown", ReportOutcome.Unknown),
        new("Data sent", totals => totals.Bytes == 0 ? null : Size(totals.Bytes), IsNumber: true),
    ];

    /// <summary>Why files were skipped.</summary>
    public static IReadOnlyList<HtmlColumn<ReportCause>> Skipped { get; } =
    [
        new("Files", cause => Number(cause.Count), IsNumber: true),
        new("Reason", cause => cause.Reason?.ToString() ?? cause.ErrorId?.ToString() ?? "Skipped"),
        new("What it means", cause => MeaningOf(cause)),
        new("For example", cause => cause.Example),
    ];

    /// <summary>What did not succeed.</summary>
    public static IReadOnlyList<HtmlColumn<ReportRow>> Failures { get; } =
    [
        new("Item", row => new HtmlCell(row.Item, MoreOf(row))),
        new("Kind", row => Short(KindOf(row.Kind))),
        Status,
        new("Error", ErrorOf),
        new("Message", row => row.Message ?? "No reason was given."),
        new(
            "The server said",
            row => row.Message?.Contains(row.ServerMessage ?? "", StringComparison.Ordinal) == true ? null : row.ServerMessage
        ),
    ];

    /// <summary>Why rows failed, the most common cause first.</summary>
    /// <param name="failures">The number of rows that failed.</param>
    public static IReadOnlyList<HtmlColumn<ReportCause>> Causes(long failures) =>
        [
            new(
                "Count",
                cause => new HtmlCell(HtmlText.Count(cause.Count), Value: Invariant(cause.Count), Share: (double)cause.Count / failures),
                IsNumber: true
            ),
            new("Cause", cause => new HtmlCell(cause.Text ?? "Other causes", cause.Advice)),
            new("Error", cause => ErrorOf(cause.ErrorId, cause.StatusCode)),
            new("Of", cause => Short(KindOf(cause.Kind))),
            new("For example", cause => cause.Example),
        ];

    /// <summary>The title and the columns of the table of a kind.</summary>
    public static (string Title, IReadOnlyList<HtmlColumn<ReportRow>> Columns) Of(ReportRowKind kind, TimeZoneInfo zone) =>
        (TitleOf(kind), [.. ColumnsOf(kind, zone)]);

    private static IEnumerable<HtmlColumn<ReportRow>> ColumnsOf(ReportRowKind kind, TimeZoneInfo zone) =>
        kind switch
        {
            ReportRowKind.Upload =>
            [
                new("File", row => new HtmlCell(row.RemoteName, PlaceOf(row))),
                Status,
                new("Size", row => row.Length is { } length ? Size(length) : default, IsNumber: true),
                new("Rate", row => row.BytesPerSecond is { } rate ? Rate(rate) : default, IsNumber: true),
                Duration,
                new("Tries", row => row.Attempts is { } attempts ? Number(attempts) : default, IsNumber: true),
                Moment("Ended", zone, row => row.CompletedAt),
                Message,
            ],
            ReportRowKind.Transaction =>
            [
                new("Transaction", row => new HtmlCell(row.Id, row.FileName)),
                new("Kind", row => Short(row.Name)),
                Status,
                Progress,
                Moment("Started", zone, row => row.StartedAt),
                Duration,
                Message,
            ],
            ReportRowKind.TransactionItem =>
            [
                new("Item", row => row.Name),
                new("Transaction", row => new HtmlCell(row.Id, row.FileName)),
                Status,
                Message,
            ],
            ReportRowKind.Mapping =>
            [
                new("Original", row => new HtmlCell(row.RemoteName, PlaceOf(row))),
                new("Derivative", row => row.Derivative),
                Status,
                new(
                    "Verified",
                    row =>
                        row.Verified switch
                        {
                            true => "Yes",
                            false => "No",
                            null => null,
                        }
                ),
                Message,
            ],
            ReportRowKind.LinkingItem =>
            [
                new("Data", row => row.DataId ?? row.Id),
                new("Batch", row => row.BatchId),
                new("Project", row => row.ProjectId),
                Status,
                Message,
            ],
            ReportRowKind.Run =>
            [
                new("Schedule", row => new HtmlCell(row.Name, row.Id)),
                Status,
                Progress,
                Moment("Due", zone, row => row.DueAt),
                Moment("Started", zone, row => row.StartedAt),
                Duration,
                Message,
            ],
            _ =>
            [
                new("Job", row => new HtmlCell(row.Id, PlaceOf(row))),
                Status,
                new("Uploaded", row => Number(row.Uploaded ?? 0), IsNumber: true),
                new("Failed", row => Number(row.Failed ?? 0), IsNumber: true),
                new("Skipped", row => Number(row.Skipped ?? 0), IsNumber: true),
                new("Data sent", row => Size(row.Length ?? 0), IsNumber: true),
                Moment("Started", zone, row => row.StartedAt),
                Duration,
                Message,
            ],
        };

    private static string TitleOf(ReportRowKind kind) =>
        kind switch
        {
            ReportRowKind.Upload => "Uploads",
            ReportRowKind.Transaction => "Transactions",
            ReportRowKind.TransactionItem => "Failed items of transactions",
            ReportRowKind.Mapping => "Mapping",
            ReportRowKind.LinkingItem => "Linking items",
            ReportRowKind.Run => "Runs",
            _ => "Jobs",
        };

    private static string KindOf(ReportRowKind kind) =>
        kind switch
        {
            ReportRowKind.TransactionItem => "Transaction item",
            ReportRowKind.LinkingItem => "Linking item",
            _ => kind.ToString(),
        };

    /// <summary>Where an item is: the project, the hierarchy or the batch.</summary>
    private static string? PlaceOf(ReportRow row) =>
        row.Shortcode is { } shortcode ? $"project {shortcode}"
        : row.Hierarchy is { } hierarchy ? hierarchy
        : row.BatchId is { } batch ? $"batch {batch}"
        : null;

    private static string? MoreOf(ReportRow row) => row.Kind == ReportRowKind.TransactionItem ? row.Name : PlaceOf(row);

    private static HtmlCell ErrorOf(ReportRow row) => ErrorOf(row.ErrorId, row.StatusCode);

    private static HtmlCell ErrorOf(ErrorId? id, int? status) =>
        new(id?.ToString(), status is { } code ? string.Create(CultureInfo.InvariantCulture, $"HTTP {code}") : null, IsShort: true);

    private static string? MeaningOf(ReportCause cause) =>
        cause.Reason switch
        {
            SkipReason.AlreadySent => "It was sent before and has not changed since.",
            SkipReason.AlreadyIngested => "It was sent and ingested before and has not changed since.",
            _ => cause.Text,
        };

    private static HtmlColumn<ReportTotals> Outcome(string title, ReportOutcome outcome) =>
        new(
            title,
            totals =>
                totals[outcome] == 0
                    ? default
                    : new HtmlCell(HtmlText.Count(totals[outcome]), Value: Invariant(totals[outcome]), Style: HtmlPage.StyleOf(outcome)),
            IsNumber: true
        );

    private static HtmlColumn<ReportRow> Moment(string title, TimeZoneInfo zone, Func<ReportRow, DateTimeOffset?> read) =>
        new(
            title,
            row =>
                read(row) is { } time
                    ? new HtmlCell(
                        HtmlText.Moment(TimeZoneInfo.ConvertTime(time, zone)),
                        IsShort: true,
                        Time: TimeZoneInfo.ConvertTime(time, zone)
                    )
                    : default
        );

    /// <summary>A word of its own, which stays on one line.</summary>
    private static HtmlCell Short(string? word) => new(word, IsShort: true);

    private static HtmlCell Number(long count) => new(HtmlText.Count(count), Value: Invariant(count));

    private static HtmlCell Size(long bytes) => new(HtmlText.Bytes(bytes), Value: Invariant(bytes));

    private static HtmlCell Rate(double rate) => new(HtmlText.Rate(rate), Value: Invariant(rate));

    private static string Invariant(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
