using IngestTools.Http;

namespace IngestTools.Reports;

/// <summary>What a report is written as.</summary>
internal enum ReportFormat
{
    /// <summary>One page for a person: totals, charts, failures by cause, and the first rows.</summary>
    Html,

    /// <summary>One JSON object: the title, all rows, the totals and the causes of failures.</summary>
    Json,

    /// <summary>One JSON object a line for each row.</summary>
    JsonLines,

    /// <summary>A table of all rows for a spreadsheet, in UTF-8 with a byte order mark. No field of it runs as a formula.</summary>
    Csv,
}

/// <summary>Reads the format of a report from the name of its file.</summary>
internal static class ReportFormats
{
    /// <summary>The format that the extension of a path names: .html, .json, .jsonl or .csv.</summary>
    /// <param name="path">The path of the report.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: the extension is another one.</exception>
    public static ReportFormat Of(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string extension = Path.GetExtension(path);
        return extension.ToUpperInvariant() switch
        {
            ".HTML" or ".HTM" => ReportFormat.Html,
            ".JSON" => ReportFormat.Json,
            ".JSONL" => ReportFormat.JsonLines,
            ".CSV" => ReportFormat.Csv,
            _ => throw new IngestException(
                ErrorId.Rejected,
                $"The report cannot be written to '{Redaction.EscapeControls(path)}': "
                    + (
                        extension.Length == 0
                            ? "the name has no extension."
                            : $"'{Redaction.EscapeControls(extension)}' is not a known format."
                    )
            )
            {
                Operation = "write report",
                Advice = "Give a name that ends in .html, .json, .jsonl or .csv.",
                Target = path,
            },
        };
    }
}
