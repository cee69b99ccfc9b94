using System.Runtime.CompilerServices;
using IngestTools.Files;
using IngestTools.Http;

namespace IngestTools.Reports;

/// <summary>Writes reports of what was sent and started, for people and for programs.</summary>
public static class IngestReport
{
    /// <summary>
    /// Writes a report. The file is there whole or not at all; one of other content that is there is set aside, as
    /// <see cref="UserFile"/> does. Rows are written as they come, and a million of them need no more memory than some thousands.
    /// </summary>
    /// <param name="path">The file. Its extension decides the format: .html, .json, .jsonl or .csv.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="title">The title; null is "Ingest report".</param>
    /// <param name="time">The clock and the time zone of the page; null is the machine's.</param>
    /// <param name="cancellationToken">Ends the writing. No file stays.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: the format is not known. <see cref="ErrorId.FileUnreadable"/>: the
    /// file cannot be written.</exception>
    public static async Task<ReportOutput> WriteAsync(
        string path,
        IAsyncEnumerable<ReportRow> rows,
        string? title = null,
        TimeProvider? time = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(rows);
        ReportFormat format = ReportFormats.Of(path);
        ReportHead head = ReportHead.Of(title, time ?? TimeProvider.System);
        ReportAggregator aggregator = new();
        bool isReading = false;
        try
        {
            string? aside = await UserFile
                .Find(path)
                .WriteAsync(
                    async file =>
                    {
                        IReportWriter writer = Create(format, file, head);
                        await using ConfiguredAsyncDisposable disposing = writer.ConfigureAwait(false);
                        isReading = true;
                        await foreach (ReportRow row in rows.WithCancellation(cancellationToken).ConfigureAwait(false))
                        {
                            isReading = false;
                            aggregator.Add(row);
                            await writer.WriteAsync(row, cancellationToken).ConfigureAwait(false);
                            isReading = true;
                        }

                        isReading = false;
                        await writer.CompleteAsync(aggregator.Complete(), cancellationToken).ConfigureAwait(false);
                    },
                    cancellationToken
                )
                .ConfigureAwait(false);
            ReportContent content = aggregator.Complete();
            return new ReportOutput(Path.GetFullPath(path), content.Rows, content.FailureCount, aside);
        }
        // .NET reports a disk's quota (EFBIG) as an argument out of range. What the rows throw is about them.
        catch (Exception e) when (!isReading && e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            throw CannotWrite(path, e);
        }
    }

    /// <summary>Checks that a report can be written, before anything else is done.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: the format is not known. <see cref="ErrorId.FileUnreadable"/>: the
    /// path leads to a folder, a device, a pipe or a socket, or its folder does not exist.</exception>
    public static void Check(string path)
    {
        ReportFormats.Of(path);
        try
        {
            UserFile.Find(path);
            if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
                throw new DirectoryNotFoundException("its folder does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(path, e);
        }
    }

    private static IReportWriter Create(ReportFormat format, Stream file, ReportHead head) =>
        format switch
        {
            ReportFormat.Html => new HtmlReportWriter(file, head),
            ReportFormat.Json => new JsonReportWriter(file, head),
            ReportFormat.JsonLines => new JsonLinesReportWriter(file),
            ReportFormat.Csv => new CsvReportWriter(file),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };

    private static IngestException CannotWrite(string path, Exception cause) =>
        new(
            ErrorId.FileUnreadable,
            $"The report cannot be written to '{Redaction.EscapeControls(path)}': {cause.Message.TrimEnd('.')}.",
            cause
        )
        {
            Operation = "write report",
            Advice = "Name a regular file, in a folder with free space where this account may write.",
            Target = path,
        };
}

/// <summary>What was written.</summary>
/// <param name="Path">The report, as a full path.</param>
/// <param name="Rows">The number of rows.</param>
/// <param name="Failures">The number of rows that failed.</param>
/// <param name="SetAside">The path of an earlier file that was renamed; null where there was none, or it had the same content.</param>
public sealed record ReportOutput(string Path, long Rows, long Failures, string? SetAside);

/// <summary>What stands at the head of a report.</summary>
/// <param name="Title">The title.</param>
/// <param name="CreatedAt">When it was made, in the zone of its times.</param>
/// <param name="Zone">The zone of the page's times.</param>
internal sealed record ReportHead(string Title, DateTimeOffset CreatedAt, TimeZoneInfo Zone)
{
    private const string DefaultTitle = "Ingest report";

    public static ReportHead Of(string? title, TimeProvider time) =>
        new(ReportRows.Words(title) ?? DefaultTitle, TimeZoneInfo.ConvertTime(time.GetUtcNow(), time.LocalTimeZone), time.LocalTimeZone);
}
