using System.Globalization;
using System.IO.Compression;
using System.Security;
using System.Text;

namespace IngestTools.Units.Support;

/// <summary>Makes .xlsx files, the smallest that a spreadsheet opens.</summary>
internal sealed class TestWorkbook
{
    private const string Content = "application/vnd.openxmlformats-officedocument.spreadsheetml";

    private const string Relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

    private readonly List<(string Name, IReadOnlyList<string?[]> Rows)> _sheets = [];
    private readonly List<string> _texts = [];

    /// <summary>Whether texts lie in a table of their own, as spreadsheets write them; else in their cells.</summary>
    public bool SharesTexts { get; init; } = true;

    /// <summary>Adds a sheet. A row of nulls is a gap; a cell of null is empty.</summary>
    public TestWorkbook Add(string name, params string?[][] rows)
    {
        _sheets.Add((name, rows));
        return this;
    }

    /// <summary>A sheet of so many rows below one header.</summary>
    public TestWorkbook AddUsers(string name, int rows) =>
        Add(
            name,
            [
                ["Username", "Email"],
                .. Enumerable.Range(1, rows).Select(i => new[] { $"user{i}", $"user{i}@example.org" }),
            ]
        );

    public byte[] ToBytes()
    {
        using MemoryStream file = new();
        using (ZipArchive zip = new(file, ZipArchiveMode.Create))
        {
            Write(
                zip,
                "[Content_Types].xml",
                $"""
                <Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
                <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
                <Default Extension="xml" ContentType="{Content}.worksheet+xml"/>
                <Override PartName="/xl/workbook.xml" ContentType="{Content}.sheet.main+xml"/>
                <Override PartName="/xl/sharedStrings.xml" ContentType="{Content}.sharedStrings+xml"/></Types>
                """
            );
            Write(
                zip,
                "_rels/.rels",
                $"""
                <Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
                <Relationship Id="rId1" Type="{Relationships}/officeDocument" Target="xl/workbook.xml"/></Relationships>
                """
            );
            Write(
                zip,
                "xl/workbook.xml",
                $"""
                <workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{Relationships}">
                <sheets>{string.Concat(
                    _sheets.Select(
                        (sheet, i) =>
                            $"<sheet name=\"{SecurityElement.Escape(sheet.Name)}\" sheetId=\"{Text(i + 1)}\" r:id=\"rId{Text(i + 1)}\"/>"
                    )
                )}</sheets></workbook>
                """
            );
            Write(
                zip,
                "xl/_rels/workbook.xml.rels",
                $"""
                <Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
                {string.Concat(_sheets.Select((_, i) => RelationshipOf(Text(i + 1))))}
                {(
                    SharesTexts ? $"<Relationship Id=\"texts\" Type=\"{Relationships}/sharedStrings\" Target=\"sharedStrings.xml\"/>" : ""
                )}</Relationships>
                """
            );
            for (int i = 0; i < _sheets.Count; i++)
                Write(zip, $"xl/worksheets/sheet{Text(i + 1)}.xml", SheetOf(_sheets[i].Rows));
            if (SharesTexts)
            {
                string items = string.Concat(_texts.Select(t => $"<si><t>{SecurityElement.Escape(t)}</t></si>"));
                Write(
                    zip,
                    "xl/sharedStrings.xml",
                    $"""<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{items}</sst>"""
                );
            }
        }

        return file.ToArray();
    }

    public string Save(string path)
    {
        File.WriteAllBytes(path, ToBytes());
        return path;
    }

    private string SheetOf(IReadOnlyList<string?[]> rows)
    {
        StringBuilder xml = new("""<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>""");
        for (int row = 0; row < rows.Count; row++)
        {
            if (rows[row].All(cell => cell is null))
                continue;
            xml.Append(CultureInfo.InvariantCulture, $"<row r=\"{row + 1}\">");
            for (int column = 0; column < rows[row].Length; column++)
            {
                if (rows[row][column] is { } text)
                    xml.Append(CellOf($"{(char)('A' + column)}{Text(row + 1)}", text));
            }

            xml.Append("</row>");
        }

        return xml.Append("</sheetData></worksheet>").ToString();
    }

    private string CellOf(string reference, string text)
    {
        if (!SharesTexts)
            return $"<c r=\"{reference}\" t=\"inlineStr\"><is><t>{SecurityElement.Escape(text)}</t></is></c>";
        _texts.Add(text);
        return $"<c r=\"{reference}\" t=\"s\"><v>{Text(_texts.Count - 1)}</v></c>";
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static void Write(ZipArchive zip, string name, string content)
    {
        using StreamWriter writer = new(zip.CreateEntry(name, CompressionLevel.Fastest).Open(), new UTF8Encoding(false));
        writer.Write(content);
    }

    private static string RelationshipOf(string number) =>
        $"<Relationship Id=\"rId{number}\" Type=\"{Relationships}/worksheet\" Target=\"worksheets/sheet{number}.xml\"/>";
}
