using System.IO.Compression;
using System.Security;
using System.Text;

namespace IngestTools.Sandbox.Samples;

/// <summary>The sample workbook: the smallest .xlsx (ECMA-376) that spreadsheet programs open.</summary>
internal static class SampleWorkbook
{
    private const string Declaration = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>""";
    private const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    private const string Relationships = "http://schemas.openxmlformats.org/package/2006/relationships";
    private const string DocumentRelationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    private const string Content = "application/vnd.openxmlformats-officedocument.spreadsheetml";

    private static readonly string[][] UserRows =
    [
        ["Username", "Email", "Hierarchy"],
        ["ada", "ada@example.com", "sys.hcs.Provider"],
        // Misspelt on purpose: VOSS refuses this row.
        ["grace", "grace@example.com", "sys.hcs.Povider"],
        ["edsger", "edsger@example.com", "sys.hcs.Provider"],
    ];

    /// <summary>A sheet Users with three users, of whom one cannot be loaded.</summary>
    public static byte[] Users()
    {
        using MemoryStream file = new();
        using (ZipArchive zip = new(file, ZipArchiveMode.Create))
        {
            Add(
                zip,
                "[Content_Types].xml",
                $"""
                <Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
                <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
                <Default Extension="xml" ContentType="application/xml"/>
                <Override PartName="/xl/workbook.xml" ContentType="{Content}.sheet.main+xml"/>
                <Override PartName="/xl/worksheets/sheet1.xml" ContentType="{Content}.worksheet+xml"/>
                </Types>
                """
            );
            Add(zip, "_rels/.rels", Relationship("officeDocument", "xl/workbook.xml"));
            Add(
                zip,
                "xl/workbook.xml",
                $"""
                <workbook xmlns="{Main}" xmlns:r="{DocumentRelationships}">
                <sheets><sheet name="Users" sheetId="1" r:id="rId1"/></sheets></workbook>
                """
            );
            Add(zip, "xl/_rels/workbook.xml.rels", Relationship("worksheet", "worksheets/sheet1.xml"));
            Add(
                zip,
                "xl/worksheets/sheet1.xml",
                $"""
                <worksheet xmlns="{Main}"><sheetData>{string.Concat(UserRows.Select(Row))}</sheetData></worksheet>
                """
            );
        }

        return file.ToArray();
    }

    private static string Relationship(string kind, string target) =>
        $"""
            <Relationships xmlns="{Relationships}">
            <Relationship Id="rId1" Type="{DocumentRelationships}/{kind}" Target="{target}"/>
            </Relationships>
            """;

    private static string Row(string[] cells, int index) =>
        $"""<row r="{index + 1}">{string.Concat(cells.Select((text, column) => Cell(text, column, index + 1)))}</row>""";

    private static string Cell(string text, int column, int row) =>
        $"""<c r="{(char)('A' + column)}{row}" t="inlineStr"><is><t>{SecurityElement.Escape(text)}</t></is></c>""";

    /// <summary>Without compression and with a fixed time, so that the file is the same wherever it is made.</summary>
    private static void Add(ZipArchive zip, string name, string xml)
    {
        ZipArchiveEntry entry = zip.CreateEntry(name, CompressionLevel.NoCompression);
        entry.LastWriteTime = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using StreamWriter writer = new(entry.Open(), new UTF8Encoding(false));
        writer.Write(Declaration + xml);
    }
}
