using System.Text;

namespace IngestTools.Reports;

/// <summary>
/// One self-contained page. It is written when all rows have been counted: totals come first, and of the rows it shows the first ones.
/// </summary>
internal sealed class HtmlReportWriter(Stream file, ReportHead head) : IReportWriter
{
    private const int BufferLength = 64 * 1024;

    private readonly StreamWriter _page = new(file, new UTF8Encoding(false), BufferLength, leaveOpen: true) { NewLine = "\n" };

    public ValueTask WriteAsync(ReportRow row, CancellationToken cancellationToken) => default;

    public async ValueTask CompleteAsync(ReportContent content, CancellationToken cancellationToken)
    {
        await _page.WriteAsync(HtmlPage.Head(head)).ConfigureAwait(false);
        List<HtmlSection> sections = [.. SectionsOf(content)];
        await _page.WriteAsync(HeaderOf(content, sections)).ConfigureAwait(false);
        await _page.WriteAsync("<main>\n").ConfigureAwait(false);
        foreach (HtmlSection section in sections)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await _page
                .WriteAsync(
                    $"<section aria-labelledby=\"{section.Id}-title\">\n<h2 id=\"{section.Id}-title\">"
                        + $"{HtmlText.Escape(section.Title)}</h2>\n"
                )
                .ConfigureAwait(false);
            if (section.Note is { } note)
                await _page.WriteAsync($"<p class=\"note\">{HtmlText.Escape(note)}</p>\n").ConfigureAwait(false);
            await section.Write(section.Id).ConfigureAwait(false);
            await _page.WriteAsync("</section>\n").ConfigureAwait(false);
        }

        await _page.WriteAsync("</main>\n").ConfigureAwait(false);
        await _page.WriteAsync(HtmlPage.Foot()).ConfigureAwait(false);
        await _page.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _page.DisposeAsync();

    private string HeaderOf(ReportContent content, List<HtmlSection> sections)
    {
        List<string> header = [];
        header.Add(
            $"<header>\n<h1>{HtmlText.Escape(head.Title)}</h1>\n<p class=\"quiet\">Written "
                + $"<time datetime=\"{ReportText.Of(head.CreatedAt)}\">{HtmlText.Moment(head.CreatedAt)}</time>"
        );
        if (content.Servers.Count > 0)
            header.Add($". {(content.Servers.Count == 1 ? "Server" : "Servers")}: {HtmlText.Escape(string.Join(", ", content.Servers))}");
        header.Add($"</p>\n<p class=\"lead\">{HtmlText.Escape(ReportSentence.Of(content))}</p>\n");
        header.Add(ReportSentence.Figures(content));
        if (sections.Count > 1)
        {
            header.Add("<nav aria-label=\"Sections\"><ul>");
            foreach (HtmlSection section in sections)
                header.Add($"<li><a href=\"#{section.Id}-title\">{HtmlText.Escape(section.Title)}</a></li>");
            header.Add("</ul></nav>\n");
        }

        return string.Concat([.. header, "</header>\n"]);
    }

    private IEnumerable<HtmlSection> SectionsOf(ReportContent content)
    {
        if (content.Rows == 0)
            yield break;
        yield return new HtmlSection(
            "totals",
            "Totals",
            null,
            id => HtmlTable.WriteAsync(_page, id, "totals", ReportTables.Totals, content.Totals)
        );
        // Of a single job there would be bars of one height.
        if (content.Throughput is { Bytes.Count: > 1 } throughput && !(throughput.IsOfJobs && content.TimelineCount == 1))
            yield return new HtmlSection("throughput", "Throughput", null, _ => _page.WriteAsync(ReportCharts.Of(throughput, head.Zone)));
        if (content.Timeline.Count > 0)
        {
            yield return new HtmlSection(
                "timeline",
                "Timeline",
                LimitOf(content.Timeline.Count, content.TimelineCount, "are shown"),
                _ => _page.WriteAsync(ReportCharts.Timeline(content.Timeline, head.CreatedAt, head.Zone))
            );
        }

        foreach (HtmlSection section in CausesOf(content))
            yield return section;
        if (content.Failures.Count > 0)
        {
            yield return new HtmlSection(
                "failures",
                "What did not succeed",
                LimitOf(content.Failures.Count, content.FailureCount, "are listed"),
                id => HtmlTable.WriteAsync(_page, id, "failures", ReportTables.Failures, content.Failures)
            );
        }

        foreach (HtmlSection section in RowsOf(content))
            yield return section;
    }

    private IEnumerable<HtmlSection> CausesOf(ReportContent content)
    {
        ReportCause[] failed = [.. content.Causes.Where(cause => cause.Outcome != ReportOutcome.Skipped)];
        ReportCause[] skipped = [.. content.Causes.Where(cause => cause.Outcome == ReportOutcome.Skipped)];
        string? note = content.OtherCauses
            ? $"The first {HtmlText.Count(ReportAggregator.MaxCauses)} causes are kept apart. "
                + "The others are counted together for each error."
            : null;
        if (failed.Length > 0)
        {
            yield return new HtmlSection(
                "causes",
                "Failures by cause",
                note,
                id => HtmlTable.WriteAsync(_page, id, "causes", ReportTables.Causes(content.FailureCount), failed)
            );
        }

        if (skipped.Length > 0)
        {
            yield return new HtmlSection(
                "skipped",
                "Skipped files by reason",
                null,
                id => HtmlTable.WriteAsync(_page, id, "reasons", ReportTables.Skipped, skipped)
            );
        }
    }

    /// <summary>A table for each kind that is among the first rows.</summary>
    private IEnumerable<HtmlSection> RowsOf(ReportContent content)
    {
        foreach (IGrouping<ReportRowKind, ReportRow> rows in content.First.GroupBy(row => row.Kind).OrderBy(rows => rows.Key))
        {
            ReportRow[] shown = [.. rows];
            ReportTotals totals = content.Totals.First(total => total.Kind == rows.Key);
            (string title, IReadOnlyList<HtmlColumn<ReportRow>> columns) = ReportTables.Of(rows.Key, head.Zone);
            yield return new HtmlSection(
#pragma warning disable CA1308 // An id of the page.
                rows.Key.ToString().ToLowerInvariant(),
#pragma warning restore CA1308
                title,
                LimitOf(shown.Length, totals.Rows, "are listed"),
                id => HtmlTable.WriteAsync(_page, id, "rows", columns, shown)
            );
        }
    }

    private static string? LimitOf(int shown, long all, string verb) =>
        shown == all
            ? null
            : $"The first {HtmlText.Count(shown)} of {HtmlText.Count(all)} {verb}; "
                + $"{HtmlText.Count(all - shown)} more are not on this page. "
                + "A report in .jsonl or .csv has all rows.";

    /// <summary>A part of the page.</summary>
    private sealed record HtmlSection(string Id, string Title, string? Note, Func<string, Task> Write);
}
