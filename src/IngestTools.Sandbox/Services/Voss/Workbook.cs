using System.IO.Compression;
using System.Xml;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>A sheet of a workbook, with the rows that have cells.</summary>
/// <param name="Name">The name on its tab.</param>
/// <param name="Rows">The rows in their order: the number that a spreadsheet shows, and the cells by their column, from 0.</param>
internal sealed record WorkbookSheet(string Name, IReadOnlyList<(int Number, IReadOnlyDictionary<int, string> Cells)> Rows);

/// <summary>Reads the sheets of an .xlsx file: a zip of XML parts (ECMA-376). Only what a load needs: texts and numbers as they are written.</summary>
internal static class Workbook
{
    private const string Relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

    private const string ContentTypes = "[Content_Types].xml";

    private const string WorkbookPart = "xl/workbook.xml";

    /// <summary>A part that would be larger unpacked is a bomb, not a sheet.</summary>
    private const long MostCharacters = 512L * 1024 * 1024;

    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
        MaxCharactersInDocument = MostCharacters,
    };

    /// <exception cref="InvalidDataException">The file is no workbook, or a broken one.</exception>
    public static IReadOnlyList<WorkbookSheet> Read(byte[] file)
    {
        try
        {
            using ZipArchive zip = new(new MemoryStream(file, writable: false), ZipArchiveMode.Read);
            if (zip.GetEntry(ContentTypes) is null)
                throw new InvalidDataException($"it has no {ContentTypes}");
            Dictionary<string, string> parts = ReadRelationships(zip);
            IReadOnlyList<string> texts = ReadSharedStrings(zip);
            return ReadSheetNames(zip)
                .Select(sheet => new WorkbookSheet(sheet.Name, ReadRows(zip, "xl/" + parts.GetValueOrDefault(sheet.Id, ""), texts)))
                .ToArray();
        }
        catch (Exception e) when (e is XmlException or FormatException or OverflowException or ArgumentOutOfRangeException)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }

    private static List<(string Name, string Id)> ReadSheetNames(ZipArchive zip)
    {
        using XmlReader xml = Open(zip, WorkbookPart);
        List<(string, string)> sheets = [];
        while (xml.ReadToFollowing("sheet"))
            sheets.Add((xml.GetAttribute("name") ?? "", xml.GetAttribute("id", Relationships) ?? ""));
        return sheets;
    }

    /// <summary>Which part each id stands for. A target is relative to xl, or begins with a slash and names the whole path.</summary>
    private static Dictionary<string, string> ReadRelationships(ZipArchive zip)
    {
        using XmlReader xml = Open(zip, "xl/_rels/workbook.xml.rels");
        Dictionary<string, string> parts = new(StringComparer.Ordinal);
        while (xml.ReadToFollowing("Relationship"))
        {
            string target = xml.GetAttribute("Target") ?? "";
            parts[xml.GetAttribute("Id") ?? ""] = target.StartsWith("/xl/", StringComparison.Ordinal) ? target["/xl/".Length..] : target;
        }

        return parts;
    }

    private static List<string> ReadSharedStrings(ZipArchive zip)
    {
        List<string> texts = [];
        if (zip.GetEntry("xl/sharedStrings.xml") is null)
            return texts;
        using XmlReader xml = Open(zip, "xl/sharedStrings.xml");
        while (xml.ReadToFollowing("si"))
            texts.Add(ReadText(xml));
        return texts;
    }

    private static List<(int, IReadOnlyDictionary<int, string>)> ReadRows(ZipArchive zip, string part, IReadOnlyList<string> texts)
    {
        List<(int, IReadOnlyDictionary<int, string>)> rows = [];
        using XmlReader xml = Open(zip, part);
        int number = 0;
        while (xml.ReadToFollowing("row"))
        {
            number = xml.GetAttribute("r") is { } told ? XmlConvert.ToInt32(told) : number + 1;
            if (!xml.IsEmptyElement)
                rows.Add((number, ReadCells(xml, texts)));
        }

        return rows;
    }

    private static Dictionary<int, string> ReadCells(XmlReader row, IReadOnlyList<string> texts)
    {
        using XmlReader xml = row.ReadSubtree();
        Dictionary<int, string> cells = [];
        int column = -1;
        while (xml.ReadToFollowing("c"))
        {
            column = xml.GetAttribute("r") is { } told ? ColumnOf(told) : column + 1;
            bool isShared = xml.GetAttribute("t") == "s";
            string value = xml.IsEmptyElement ? "" : ReadValue(xml);
            if (isShared && value.Length > 0)
                value = texts[XmlConvert.ToInt32(value)];
            if (value.Length > 0)
                cells[column] = value;
        }

        return cells;
    }

    /// <summary>A cell's value, or its inline text; a formula is left out, its value counts.</summary>
    private static string ReadValue(XmlReader cell)
    {
        using XmlReader xml = cell.ReadSubtree();
        while (xml.Read())
        {
            if (xml.NodeType == XmlNodeType.Element && xml.LocalName == "v")
                return xml.ReadElementContentAsString();
            if (xml.NodeType == XmlNodeType.Element && xml.LocalName == "is")
                return ReadText(xml);
        }

        return "";
    }

    /// <summary>The text of an element whose text may lie in several runs. How it is to be read aloud is left out.</summary>
    private static string ReadText(XmlReader element)
    {
        if (element.IsEmptyElement)
            return "";
        using XmlReader xml = element.ReadSubtree();
        System.Text.StringBuilder text = new();
        while (xml.Read())
        {
            if (xml.NodeType == XmlNodeType.Element && xml.LocalName == "rPh")
                xml.Skip();
            if (xml.NodeType is XmlNodeType.Text or XmlNodeType.SignificantWhitespace or XmlNodeType.Whitespace)
                text.Append(xml.Value);
        }

        return text.ToString();
    }

    /// <summary>"A1" is column 0, "AA7" column 26.</summary>
    private static int ColumnOf(string reference)
    {
        int column = 0;
        foreach (char letter in reference.TakeWhile(char.IsAsciiLetterUpper))
            column = checked(column * 26 + letter - 'A' + 1);
        return column - 1;
    }

    private static XmlReader Open(ZipArchive zip, string part) =>
        XmlReader.Create((zip.GetEntry(part) ?? throw new InvalidDataException($"it has no {part}")).Open(), Settings);
}
