using System.Globalization;
using System.Text.RegularExpressions;

namespace IngestTools.Services.Voss;

/// <summary>Where in a workbook a row is.</summary>
/// <param name="Sheet">The sheet's name; null where the server does not tell.</param>
/// <param name="Row">The row's number, as a spreadsheet shows it; null where the server does not tell.</param>
internal readonly partial record struct RowPlace(string? Sheet, int? Row)
{
    /// <summary>
    /// Looks for it in what the server says of a row. How it is written is not documented, so anything like "Sheet: Users, Row: 7" counts.
    /// </summary>
    public static RowPlace Find(params string?[] texts)
    {
        RowPlace found = default;
        foreach (string text in texts.OfType<string>())
        {
            Match sheet = SheetName().Match(text);
            Match row = RowNumber().Match(text);
            found = new RowPlace(
                found.Sheet ?? (sheet.Success ? sheet.Groups[1].Value.Trim() : null),
                found.Row
                    ?? (
                        row.Success && int.TryParse(row.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                            ? number
                            : null
                    )
            );
        }

        return found;
    }

    /// <summary>For a person; null where nothing is known.</summary>
    public string? Describe() =>
        (Sheet, Row) switch
        {
            ({ } sheet, { } row) => string.Create(CultureInfo.InvariantCulture, $"Sheet {sheet}, row {row}"),
            (null, { } row) => string.Create(CultureInfo.InvariantCulture, $"Row {row}"),
            ({ } sheet, null) => $"Sheet {sheet}",
            _ => null,
        };

    [GeneratedRegex(
        @"\bsheet\b *[:=\[""']+ *([^,;\]""']+)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex SheetName();

    [GeneratedRegex(@"\brow\b *[:=\[#]* *([0-9]+)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex RowNumber();
}
