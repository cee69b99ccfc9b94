using CsvHelper;

namespace IngestTools.Scheduler.Loads;

/// <summary>
/// A file of data ids: the column DataId or Id of a CSV file; the first column, or each line, where it has no such header.
/// </summary>
internal sealed class DataIdFile(string path)
{
    private static readonly string[] ColumnNames = ["dataid", "id"];

    private static readonly byte[] OldWorkbook = [0xD0, 0xCF, 0x11, 0xE0];

    /// <summary>The ids, as they stand in the file.</summary>
    public IEnumerable<string> Read()
    {
        using CsvReader csv = CsvReader.FromFile(
            path,
            new CsvReaderOptions
            {
                Separator = ',',
                HasHeader = false,
                DetectSeparatorHint = false,
            }
        );
        int column = 0;
        for (bool isFirst = true; csv.Read(); isFirst = false)
        {
            int header = isFirst ? FindHeader(csv) : -1;
            if (header >= 0)
                column = header;
            else if (!csv.IsEmpty(column))
                yield return csv.GetString(column);
        }
    }

    /// <summary>Why no ids can be read from the file, and what to do about it; null where they can.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public (string Reason, string Advice)? FindProblem()
    {
        byte[] start = new byte[OldWorkbook.Length];
        using (FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
        {
            if (file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == 0)
                return ("it is empty", "Write one id a line, or a CSV file with a column DataId.");
        }

        if (start.AsSpan().StartsWith("PK"u8) || start.AsSpan().SequenceEqual(OldWorkbook))
            return ("it is a workbook", "Save it as a CSV file, with commas between its columns.");
        if (Read().FirstOrDefault() is not { } first)
            return ("it has no ids, only a header", "Write one id a line, or a CSV file with a column DataId.");
        return first.AsSpan().IndexOfAny(';', '\t') < 0
            ? null
            : (
                $"its columns have {(first.Contains(';', StringComparison.Ordinal) ? "semicolons" : "tabs")} between them",
                "Save it with commas: Import-Csv -Delimiter reads it, and Export-Csv writes it."
            );
    }

    private static int FindHeader(CsvReader csv) =>
        Enumerable
            .Range(0, csv.FieldCount)
            .FirstOrDefault(field => ColumnNames.Contains(csv.GetString(field).Trim().ToLowerInvariant()), -1);
}
