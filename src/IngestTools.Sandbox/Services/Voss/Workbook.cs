using System.Globalization;
using System.Xml;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Spreadsheet;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>A row of a sheet that has cells.</summary>
/// <param name="Sheet">The name on the sheet's tab.</param>
/// <param name="Number">The number that a spreadsheet shows.</param>
/// <param name="Cells">The cells by their column, from 0.</param>
internal sealed record WorkbookRow(string Sheet, int Number, IReadOnlyDictionary<int, string> Cells);

/// <summary>
/// Reads the sheets of an .xlsx file row by row, so that memory does not grow with them. Shared texts are kept, since rows name them by
/// their place.
/// </summary>
internal static class Workbook
{
    /// <summary>A part that would be larger unpacked is a bomb, not a sheet.</summary>
    private const long MostCharacters = 512L * 1024 * 1024;

    private static readonly OpenSettings Settings = new() { AutoSave = false, MaxCharactersInPart = MostCharacters };

    /// <summary>The names of the sheets, from left to right.</summary>
    /// <exception cref="InvalidDataException">The file is not a workbook, or a broken one.</exception>
    public static IReadOnlyList<string> ReadSheetNames(byte[] file) => Guard(SheetNames(file)).ToArray();

    /// <summary>The rows that have cells, sheet by sheet, read as they are asked for.</summary>
    /// <param name="file">The workbook.</param>
    /// <param name="wants">Whether a sheet is read, by its name.</param>
    /// <exception cref="InvalidDataException">The file is not a workbook, or a broken one; thrown where the broken part is
    /// read.</exception>
    public static IEnumerable<WorkbookRow> ReadRows(byte[] file, Func<string, bool> wants) => Guard(Rows(file, wants));

    private static IEnumerable<string> SheetNames(byte[] file)
    {
        using SpreadsheetDocument document = Open(file);
        foreach (Sheet sheet in SheetsOf(document))
            yield return sheet.Name?.Value ?? "";
    }

    private static IEnumerable<WorkbookRow> Rows(byte[] file, Func<string, bool> wants)
    {
        using SpreadsheetDocument document = Open(file);
        WorkbookPart workbook = document.WorkbookPart!;
        string[] texts = ReadSharedTexts(workbook);
        foreach (Sheet sheet in SheetsOf(document).Where(sheet => wants(sheet.Name?.Value ?? "")).ToArray())
        {
            if (sheet.Id?.Value is not { } id || !workbook.TryGetPartById(id, out OpenXmlPart? part) || part is not WorksheetPart worksheet)
                throw new InvalidDataException($"the sheet {sheet.Name?.Value} has no content");
            using OpenXmlReader xml = OpenXmlReader.Create(worksheet);
            int number = 0;
            while (xml.Read())
            {
                if (xml.ElementType != typeof(Row) || !xml.IsStartElement)
                    continue;
                Row row = (Row)xml.LoadCurrentElement()!;
                number = row.RowIndex?.Value is { } told ? checked((int)told) : number + 1;
                if (CellsOf(row, texts) is { Count: > 0 } cells)
                    yield return new WorkbookRow(sheet.Name?.Value ?? "", number, cells);
            }
        }
    }

    private static SpreadsheetDocument Open(byte[] file)
    {
        SpreadsheetDocument document = SpreadsheetDocument.Open(new MemoryStream(file, writable: false), isEditable: false, Settings);
        if (document.WorkbookPart is not null)
            return document;
        document.Dispose();
        throw new InvalidDataException("it has no workbook part");
    }

    private static IEnumerable<Sheet> SheetsOf(SpreadsheetDocument document) =>
        document.WorkbookPart!.Workbook?.Sheets?.Elements<Sheet>() ?? [];

    private static string[] ReadSharedTexts(WorkbookPart workbook)
    {
        if (workbook.SharedStringTablePart is not { } part)
            return [];
        List<string> texts = [];
        using OpenXmlReader xml = OpenXmlReader.Create(part);
        while (xml.Read())
        {
            if (xml.ElementType == typeof(SharedStringItem) && xml.IsStartElement)
                texts.Add(TextOf((SharedStringItem)xml.LoadCurrentElement()!));
        }

        return [.. texts];
    }

    private static Dictionary<int, string> CellsOf(Row row, string[] texts)
    {
        Dictionary<int, string> cells = [];
        int column = -1;
        foreach (Cell cell in row.Elements<Cell>())
        {
            column = cell.CellReference?.Value is { } told ? ColumnOf(told) : column + 1;
            string value = cell.InlineString is { } inline ? TextOf(inline) : cell.CellValue?.Text ?? "";
            if (value.Length > 0 && cell.DataType?.Value == CellValues.SharedString)
                value = texts[int.Parse(value, CultureInfo.InvariantCulture)];
            if (value.Length > 0)
                cells[column] = value;
        }

        return cells;
    }

    /// <summary>The text of an element whose text may lie in several runs. How it is to be read aloud is left out.</summary>
    private static string TextOf(OpenXmlElement element) =>
        string.Concat(
            element.ChildElements.Select(static child =>
                child switch
                {
                    Text text => text.Text,
                    Run run => run.Text?.Text,
                    _ => null,
                }
            )
        );

    /// <summary>"A1" is column 0, "AA7" column 26.</summary>
    private static int ColumnOf(string reference)
    {
        int column = 0;
        foreach (char letter in reference.TakeWhile(char.IsAsciiLetterUpper))
            column = checked(column * 26 + letter - 'A' + 1);
        return column - 1;
    }

    /// <summary>Whatever is wrong with a file is one kind of exception.</summary>
    private static IEnumerable<T> Guard<T>(IEnumerable<T> items)
    {
        IEnumerator<T>? all = null;
        try
        {
            while (true)
            {
                T item;
                try
                {
                    all ??= items.GetEnumerator();
                    if (!all.MoveNext())
                        yield break;
                    item = all.Current;
                }
                catch (Exception e)
                    when (e
                            is XmlException
                                or FormatException
                                or OverflowException
                                or ArgumentException
                                or IndexOutOfRangeException
                                or OpenXmlPackageException
                                or FileFormatException
                                or InvalidOperationException
                                or IOException
                                or InvalidCastException
                    )
                {
                    throw new InvalidDataException(e.Message, e);
                }

                yield return item;
            }
        }
        finally
        {
            all?.Dispose();
        }
    }
}
