using System.Globalization;

namespace IngestTools.Reports;

/// <summary>
/// The page's charts, as SVG that is written here. No library draws them: they are a few bars, and a library would be many times the size
/// of the page, with a script that must be kept up to date. Their scales are text beside them, so that it has its size on every screen.
/// </summary>
internal static class ReportCharts
{
    private const int Height = 100;

    /// <summary>A bar is never so narrow that it cannot be seen.</summary>
    private const double MinPercent = 0.5;

    /// <summary>Bytes over time as bars, with the average as a line.</summary>
    public static string Of(Throughput throughput, TimeZoneInfo zone)
    {
        double top = HtmlText.RoundUp(throughput.Peak);
        int count = throughput.Bytes.Count;
        DateTimeOffset from = TimeZoneInfo.ConvertTime(throughput.From, zone);
        DateTimeOffset to = from + (throughput.Interval * count);
        string what =
            $"Data sent from {HtmlText.Moment(from)} to {HtmlText.Moment(to)}: on average {HtmlText.Rate(throughput.Average)}, "
            + $"at most {HtmlText.Rate(throughput.Peak)}.";
        List<string> svg = [];
        svg.Add(
            $"<figure><figcaption>Average {HtmlText.Rate(throughput.Average)} (dashed), highest {HtmlText.Rate(throughput.Peak)}. "
                + $"One bar is {LengthOf(throughput.Interval)}."
                + $"{NoteOf(throughput)}</figcaption>\n<div class=\"plot\"><div class=\"y\" aria-hidden=\"true\">"
                + $"<span>{HtmlText.RoundRate(top)}</span><span>{HtmlText.RoundRate(top / 2)}</span><span>0</span></div>\n"
                + $"<svg viewBox=\"0 0 {count} {Height}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{HtmlText.Escape(what)}\">"
        );
        foreach (int y in (int[])[0, Height / 2, Height])
            svg.Add($"<line class=\"grid\" x1=\"0\" x2=\"{count}\" y1=\"{y}\" y2=\"{y}\"/>");
        for (int i = 0; i < count; i++)
        {
            double rate = throughput.Bytes[i] / throughput.Interval.TotalSeconds;
            double height = rate / top * Height;
            if (height <= 0)
                continue;
            string title = $"{HtmlText.Moment(from + (throughput.Interval * i))}: {HtmlText.Rate(rate)}";
            svg.Add(
                $"<rect class=\"bar\" x=\"{HtmlText.Number(i + 0.08)}\" y=\"{HtmlText.Number(Height - height)}\" width=\"0.84\" "
                    + $"height=\"{HtmlText.Number(height)}\"><title>{HtmlText.Escape(title)}</title></rect>"
            );
        }

        string mean = HtmlText.Number(Height - (throughput.Average / top * Height));
        svg.Add($"<line class=\"mean\" x1=\"0\" x2=\"{count}\" y1=\"{mean}\" y2=\"{mean}\"/></svg>\n");
        svg.Add(
            $"<div class=\"x\"><span>{HtmlText.Escape(HtmlText.Moment(from))}</span><span>{Beside(from, to)}</span></div>"
                + "</div></figure>\n"
        );
        return string.Concat(svg);
    }

    /// <summary>When things ran, one bar each.</summary>
    public static string Timeline(IReadOnlyList<ReportRow> rows, DateTimeOffset now, TimeZoneInfo zone)
    {
        DateTimeOffset from = TimeZoneInfo.ConvertTime(rows.Min(row => row.StartedAt!.Value), zone);
        DateTimeOffset to = TimeZoneInfo.ConvertTime(rows.Max(row => EndOf(row, now)), zone);
        double span = Math.Max((to - from).TotalSeconds, 0.001);
        List<string> list = ["<ol class=\"timeline\">\n"];
        foreach (ReportRow row in rows.OrderBy(row => row.StartedAt))
        {
            double left = (row.StartedAt!.Value - from).TotalSeconds / span * 100;
            double width = Math.Max((EndOf(row, now) - row.StartedAt.Value).TotalSeconds / span * 100, MinPercent);
            left = Math.Min(left, 100 - MinPercent);
            string name = row.Kind == ReportRowKind.Run ? row.Name! : row.Id!;
            string kind = row.Kind == ReportRowKind.Transaction ? row.Name! : row.Kind.ToString();
            string ended = row.Duration is { } duration ? $"{row.Status}, {HtmlText.Duration(duration)}" : row.Status;
            list.Add(
                $"<li><span class=\"name\">{HtmlText.Escape(name)}<span>{HtmlText.Escape(kind)}, "
                    + $"{Beside(from, TimeZoneInfo.ConvertTime(row.StartedAt.Value, zone))}</span></span>"
                    + "<svg aria-hidden=\"true\"><rect class=\"track\" width=\"100%\" height=\"12\"/>"
                    + $"<rect class=\"f-{HtmlPage.StyleOf(row.Outcome)}\" x=\"{HtmlText.Number(left)}%\" "
                    + $"width=\"{HtmlText.Number(Math.Min(width, 100 - left))}%\" height=\"12\" rx=\"2\"/></svg>"
                    + $"<span class=\"{HtmlPage.StyleOf(row.Outcome)}\">{HtmlText.Escape(ended)}</span></li>\n"
            );
        }

        list.Add(
            $"</ol>\n<div class=\"scale\" aria-hidden=\"true\"><div><span>{HtmlText.Moment(from)}</span>"
                + $"<span>{Beside(from, to)}</span></div></div>\n"
        );
        return string.Concat(list);
    }

    /// <summary>A part of a whole, as a bar.</summary>
    public static string Share(double share) =>
        "<svg aria-hidden=\"true\"><rect class=\"track\" width=\"100%\" height=\"100%\"/>"
        + $"<rect class=\"bar\" width=\"{HtmlText.Number(Math.Max(share * 100, 2))}%\" height=\"100%\"/></svg>";

    private static DateTimeOffset EndOf(ReportRow row, DateTimeOffset now)
    {
        DateTimeOffset end =
            row.CompletedAt
            ?? (
                row.Duration is { } duration ? row.StartedAt!.Value + duration
                : row.Outcome == ReportOutcome.Running ? now
                : row.StartedAt!.Value
            );
        return end < row.StartedAt ? row.StartedAt.Value : end;
    }

    /// <summary>A time beside the beginning of its scale: without the day, where it is the same.</summary>
    private static string Beside(DateTimeOffset from, DateTimeOffset to) =>
        from.Date == to.Date && from.Offset == to.Offset ? to.ToString("HH':'mm':'ss", CultureInfo.InvariantCulture) : HtmlText.Moment(to);

    private static string NoteOf(Throughput throughput) =>
        throughput.IsOfJobs ? " Only beginnings and ends of jobs are known, so the data of each is spread evenly over its time." : "";

    private static string LengthOf(TimeSpan interval) =>
        interval switch
        {
            { TotalSeconds: < 1 } => $"{interval.TotalMilliseconds:0} ms",
            { TotalMinutes: < 1 } => $"{interval.TotalSeconds:0} s",
            { TotalHours: < 1 } => $"{interval.TotalMinutes:0} min",
            { TotalDays: < 1 } => $"{interval.TotalHours:0} h",
            _ => $"{interval.TotalDays:0} d",
        };
}
