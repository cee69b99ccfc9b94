namespace IngestTools.Reports;

/// <summary>What the page says first: one sentence, and the figures that most readers look for.</summary>
internal static class ReportSentence
{
    /// <summary>What became of all, in words.</summary>
    public static string Of(ReportContent content)
    {
        if (content.Rows == 0)
            return "There is nothing to report: no rows were given.";
        long running = Sum(content, ReportOutcome.Running);
        string ended =
            content.FailureCount == 0
                ? $"Nothing failed among {HtmlText.Count(content.Rows, "row")}."
                : $"{HtmlText.Count(content.FailureCount)} of {HtmlText.Count(content.Rows, "row")} did not succeed, "
                    + $"for {CausesOf(content)}.";
        return running == 0 ? ended : $"{ended} {HtmlText.Count(running)} had not ended when this was written.";
    }

    /// <summary>The figures.</summary>
    public static string Figures(ReportContent content)
    {
        List<string> list = ["<dl class=\"figures\">"];
        ReportTotals? uploads = Find(content, ReportRowKind.Upload);
        if (uploads is not null)
        {
            Add("Files sent", HtmlText.Count(uploads[ReportOutcome.Succeeded]));
            Add("Data sent", HtmlText.Bytes(uploads.Bytes));
        }
        else if (Find(content, ReportRowKind.Job) is { } jobs)
            Add("Data sent", HtmlText.Bytes(jobs.Bytes));

        if (content.Throughput is { } throughput)
            Add("Average rate", HtmlText.Rate(throughput.Average));
        if (Find(content, ReportRowKind.Transaction) is { } transactions)
            Add(
                "Transactions succeeded",
                $"{HtmlText.Count(transactions[ReportOutcome.Succeeded])} of {HtmlText.Count(transactions.Rows)}"
            );
        if (Find(content, ReportRowKind.Run) is { } runs)
            Add("Runs succeeded", $"{HtmlText.Count(runs[ReportOutcome.Succeeded])} of {HtmlText.Count(runs.Rows)}");
        if (Find(content, ReportRowKind.LinkingItem) is { } items)
            Add("Data linked", $"{HtmlText.Count(items[ReportOutcome.Succeeded])} of {HtmlText.Count(items.Rows)}");
        if (Find(content, ReportRowKind.Mapping) is { } mappings)
            Add("Files ingested", $"{HtmlText.Count(mappings[ReportOutcome.Succeeded])} of {HtmlText.Count(mappings.Rows)}");
        if (Sum(content, ReportOutcome.Skipped) is > 0 and var skipped)
            Add("Skipped", HtmlText.Count(skipped));
        Add("Did not succeed", HtmlText.Count(content.FailureCount), content.FailureCount > 0 ? "bad" : null);
        return string.Concat([.. list, "</dl>\n"]);

        void Add(string name, string value, string? style = null) =>
            list.Add($"<div><dt>{name}</dt><dd{(style is null ? "" : $" class=\"{style}\"")}>{HtmlText.Escape(value)}</dd></div>");
    }

    private static string CausesOf(ReportContent content)
    {
        int causes = content.Causes.Count(cause => cause.Outcome != ReportOutcome.Skipped);
        return content.OtherCauses ? $"more than {HtmlText.Count(ReportAggregator.MaxCauses)} causes" : HtmlText.Count(causes, "cause");
    }

    private static ReportTotals? Find(ReportContent content, ReportRowKind kind) =>
        content.Totals.FirstOrDefault(totals => totals.Kind == kind);

    private static long Sum(ReportContent content, ReportOutcome outcome) => content.Totals.Sum(totals => totals[outcome]);
}
