namespace IngestTools.Reports;

/// <summary>A column of a table on the page.</summary>
/// <param name="Title">Its head.</param>
/// <param name="Read">The cell of a row.</param>
/// <param name="IsNumber">Whether it is sorted by number and stands at the right.</param>
internal sealed record HtmlColumn<T>(string Title, Func<T, HtmlCell> Read, bool IsNumber = false);

/// <summary>A cell. What is in it is text, and becomes HTML when it is written.</summary>
/// <param name="Text">What it shows.</param>
/// <param name="More">What it shows below, smaller.</param>
/// <param name="Value">What it is sorted by; null is its text.</param>
/// <param name="Style">The class of its text.</param>
/// <param name="IsShort">Whether it stays on one line.</param>
/// <param name="Time">The time that it shows.</param>
/// <param name="Share">How long a bar before it is, from 0 to 1.</param>
internal readonly record struct HtmlCell(
    string? Text,
    string? More = null,
    string? Value = null,
    string? Style = null,
    bool IsShort = false,
    DateTimeOffset? Time = null,
    double? Share = null
)
{
    public static implicit operator HtmlCell(string? text) => new(text);
}

/// <summary>
/// Writes tables. Roles stand beside the elements: on a phone rows are shown as blocks, and some browsers then forget that this is a table.
/// </summary>
internal static class HtmlTable
{
    /// <summary>From this number of rows on, a table can be filtered.</summary>
    private const int FilterFrom = 10;

    /// <summary>Writes a table whose rows can be sorted.</summary>
    /// <param name="page">The page.</param>
    /// <param name="id">Its id.</param>
    /// <param name="noun">What its rows are, in the plural.</param>
    /// <param name="columns">Its columns. One that is empty in all rows is left out.</param>
    /// <param name="rows">Its rows.</param>
    public static async Task WriteAsync<T>(
        TextWriter page,
        string id,
        string noun,
        IEnumerable<HtmlColumn<T>> columns,
        IReadOnlyList<T> rows
    )
    {
        HtmlColumn<T>[] used = [.. columns.Where(column => rows.Any(row => !IsEmpty(column.Read(row))))];
        await page.WriteAsync(
                $"<table class=\"rows\" id=\"{id}\" role=\"table\" aria-labelledby=\"{id}-title\" data-noun=\"{noun}\" "
                    + $"data-filter-from=\"{FilterFrom}\">\n<thead role=\"rowgroup\"><tr role=\"row\">"
            )
            .ConfigureAwait(false);
        foreach (HtmlColumn<T> column in used)
        {
            string style = column.IsNumber ? " class=\"n\"" : "";
            await page.WriteAsync($"<th role=\"columnheader\" scope=\"col\"{style}>{HtmlText.Escape(column.Title)}</th>")
                .ConfigureAwait(false);
        }

        await page.WriteAsync("</tr></thead>\n<tbody role=\"rowgroup\">\n").ConfigureAwait(false);
        foreach (T row in rows)
        {
            await page.WriteAsync("<tr role=\"row\">").ConfigureAwait(false);
            foreach (HtmlColumn<T> column in used)
                await page.WriteAsync(CellOf(column, column.Read(row))).ConfigureAwait(false);
            await page.WriteAsync("</tr>\n").ConfigureAwait(false);
        }

        await page.WriteAsync("</tbody>\n</table>\n").ConfigureAwait(false);
    }

    private static bool IsEmpty(HtmlCell cell) => string.IsNullOrEmpty(cell.Text);

    private static string CellOf<T>(HtmlColumn<T> column, HtmlCell cell)
    {
        string style =
            column.IsNumber ? " class=\"n\""
            : cell.IsShort ? " class=\"k\""
            : "";
        string value =
            cell.Time is { } moment ? $" data-value=\"{moment.UtcTicks}\""
            : cell.Value is { } given ? $" data-value=\"{HtmlText.Escape(given)}\""
            : "";
        string label = $" data-label=\"{HtmlText.Escape(column.Title)}\"";
        string content = IsEmpty(cell) ? "" : ContentOf(cell);
        return $"<td role=\"cell\"{style}{value}{label}>{content}</td>";
    }

    private static string ContentOf(HtmlCell cell)
    {
        string text = HtmlText.Escape(cell.Text);
        string shown =
            cell.Time is { } time ? $"<time datetime=\"{ReportText.Of(time)}\">{text}</time>"
            : cell.Style is { } style ? $"<span class=\"{style}\">{text}</span>"
            : $"<span>{text}</span>";
        string bar = cell.Share is { } share ? ReportCharts.Share(share) : "";
        string more = string.IsNullOrEmpty(cell.More) ? "" : $"<span class=\"more\">{HtmlText.Escape(cell.More)}</span>";
        return bar + shown + more;
    }
}
