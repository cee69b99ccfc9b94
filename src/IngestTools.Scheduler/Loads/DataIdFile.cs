using CsvHelper;
using IngestTools.Services.Ica;

namespace IngestTools.Scheduler.Loads;

/// <summary>
/// A file of data ids: the column DataId or Id of a CSV file; the first column, or each line, where it has no such header.
/// </summary>
internal sealed class DataIdFile(string path)
{
    private static readonly string[] ColumnNames = ["dataid", "id"];

    /// <summary>What is looked at to see whether a file is text.</summary>
    private const int StartBytes = 4096;

    /// <summary>Of a long list so many ids are looked at: where none of them is an id, the file is something else.</summary>
    private const int MostLookedAt = 1000;

    private const string HowToWrite = "Write one id a line, or a CSV file with a column DataId.";

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
        byte[] start = new byte[StartBytes];
        using (FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
            start = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        if (start.Length == 0)
            return ("it is empty", HowToWrite);
        if (start.AsSpan().StartsWith("PK"u8) || start.AsSpan().StartsWith(OldWorkbook))
            return ("it is a workbook", "Save it as a CSV file, with commas between its columns.");
        // UTF-16 has a byte order mark, and is read.
        if (start.AsSpan().Contains((byte)0) && start is not ([0xFF, 0xFE, ..] or [0xFE, 0xFF, ..]))
            return ("it is a binary file", HowToWrite);
        string[] first = [.. Read().Take(MostLookedAt)];
        if (first.Length == 0)
            return ("it has no ids, only a header", HowToWrite);
        if (first[0].AsSpan().IndexOfAny(';', '\t') >= 0)
            return (
                $"its columns have {(first[0].Contains(';', StringComparison.Ordinal) ? "semicolons" : "tabs")} between them",
                "Save it with commas: Import-Csv -Delimiter reads it, and Export-Csv writes it."
            );
        // Single lines that are not ids are reported by the run, which links the others.
        IngestException? wrong = null;
        for (int i = 0; i < first.Length; i++)
        {
            if (IcaIds.WhatIsWrong(first[i].Trim(), i + 1) is not { } error)
                return null;
            wrong ??= error;
        }

        string lines = $"{(first.Length == MostLookedAt ? "first " : "")}{Quantity.Of(first.Length, "line")}";
        return ($"none of its {lines} is an id: {wrong!.Message.TrimEnd('.')}", wrong.Advice!);
    }

    private static int FindHeader(CsvReader csv) =>
        Enumerable
            .Range(0, csv.FieldCount)
            .FirstOrDefault(field => ColumnNames.Contains(csv.GetString(field).Trim().ToLowerInvariant()), -1);
}
