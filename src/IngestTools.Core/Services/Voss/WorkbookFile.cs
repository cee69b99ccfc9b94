using System.IO.Compression;
using System.Text;
using System.Xml;
using IngestTools.Uploads;

namespace IngestTools.Services.Voss;

/// <summary>Tells a workbook from what only looks like one, before it is sent.</summary>
/// <remarks>
/// VOSS Automate takes .xlsx: a zip of XML parts. Another file is refused only later, by a transaction that fails as a whole.
/// </remarks>
internal static class WorkbookFile
{
    private const int HeadBytes = 512;

    /// <summary>
    /// Offsets in the header of a compound file: the size of its sectors, as a power of two, and the first sector of its directory.
    /// </summary>
    private const int SectorShiftAt = 30;
    private const int DirectorySectorAt = 48;

    /// <summary>Between sectors of 512 bytes and of 4 KiB there is nothing that programs write.</summary>
    private const int LargestSectorShift = 12;

    private const int DirectoryBytes = 4096;

    /// <summary>The list of a document's parts is a few KiB; one that is larger is read no further.</summary>
    private const int MostContentTypes = 1024 * 1024;

    /// <summary>What the main part of a workbook is, whatever its name: a workbook or a template, with macros or without.</summary>
    private static readonly string[] MainParts =
    [
        "spreadsheetml.sheet.main+xml",
        "spreadsheetml.template.main+xml",
        "ms-excel.sheet.macroEnabled.main+xml",
        "ms-excel.template.macroEnabled.main+xml",
    ];

    private static readonly byte[] CompoundFile = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

    /// <summary>Checks a workbook.</summary>
    /// <returns>What VOSS may make of it, to warn about; null where nothing speaks against it.</returns>
    /// <exception cref="IngestException"><see cref="ErrorId.NotAWorkbook"/> with the reason; <see cref="ErrorId.FileNotFound"/>,
    /// <see cref="ErrorId.FileUnreadable"/></exception>
    public static string? Check(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            (string? wrong, string advice) = WhatIsWrong(file);
            if (wrong is not null)
                throw NotAWorkbook(path, wrong, advice);
            return HasComments(file)
                ? "It has cell comments, and VOSS is documented to fail on such a workbook. Delete all comments and send it again."
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw LocalFileErrors.NotFound(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LocalFileErrors.Unreadable(path, e.Message, e);
        }
    }

    private static (string? Wrong, string Advice) WhatIsWrong(FileStream file)
    {
        const string SaveAgain = "Open it in a spreadsheet program and save it as an Excel workbook (.xlsx).";
        byte[] head = new byte[HeadBytes];
        ReadOnlySpan<byte> start = head.AsSpan(0, file.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false));
        if (start.IsEmpty)
            return ("it is empty", "Check where it comes from.");
        if (start.StartsWith(CompoundFile))
            return IsEncrypted(file, start)
                ? ("it is encrypted with a password", "Save it without a password.")
                : ("it is of the old form .xls, or of another old program", SaveAgain);
        if (start.StartsWith("PK"u8))
            return WhatIsWrongInZip(file) is { } wrong ? (wrong, SaveAgain) : (null, "");
        string text = Encoding.UTF8.GetString(start).TrimStart('\uFEFF', ' ', '\r', '\n', '\t');
        if (text.StartsWith('<'))
            return ("it is a web page or another XML file", SaveAgain);
        return LooksLikeText(text)
            ? ("it is text, such as comma-separated values, whatever its name", SaveAgain)
            : ("it does not begin like a zip file, as every .xlsx does", SaveAgain);
    }

    private static string? WhatIsWrongInZip(FileStream file)
    {
        try
        {
            file.Position = 0;
            using ZipArchive zip = new(file, ZipArchiveMode.Read, leaveOpen: true);
            if (zip.GetEntry("[Content_Types].xml") is not { } types)
                return "it is a zip file of something else";
            if (zip.GetEntry("xl/workbook.xml") is { } workbook)
                return FindSheetProblem(workbook);
            if (NamesWorkbook(types))
                return null;
            return zip switch
            {
                _ when zip.GetEntry("xl/workbook.bin") is not null => "it is a binary workbook (.xlsb)",
                _ when zip.GetEntry("word/document.xml") is not null => "it is a text document (.docx)",
                _ when zip.GetEntry("ppt/presentation.xml") is not null => "it is a presentation (.pptx)",
                _ => "it is a document without a workbook in it",
            };
        }
        catch (InvalidDataException e)
        {
            return $"its zip is broken, as after a copy that was cut off ({e.Message.TrimEnd('.')})";
        }
    }

    /// <summary>A workbook has at least one sheet. The list of its sheets comes early in its main part.</summary>
    private static string? FindSheetProblem(ZipArchiveEntry workbook)
    {
        try
        {
            using Stream content = workbook.Open();
            using XmlReader xml = XmlReader.Create(content, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            while (xml.Read())
            {
                if (xml.NodeType == XmlNodeType.Element && xml.LocalName == "sheet")
                    return null;
            }

            return "it has no sheet";
        }
        catch (XmlException e)
        {
            return $"the list of its sheets cannot be read ({e.Message.TrimEnd('.')})";
        }
    }

    /// <summary>Comments and threaded comments are parts of their own, below whatever folder.</summary>
    private static bool HasComments(FileStream file)
    {
        file.Position = 0;
        using ZipArchive zip = new(file, ZipArchiveMode.Read, leaveOpen: true);
        return zip.Entries.Any(part =>
            part.FullName.EndsWith(".xml", StringComparison.OrdinalIgnoreCase)
            && (
                part.Name.StartsWith("comment", StringComparison.OrdinalIgnoreCase)
                || part.Name.StartsWith("threadedComment", StringComparison.OrdinalIgnoreCase)
            )
        );
    }

    private static bool NamesWorkbook(ZipArchiveEntry contentTypes)
    {
        using Stream content = contentTypes.Open();
        byte[] start = new byte[Math.Min(contentTypes.Length, MostContentTypes)];
        string text = Encoding.UTF8.GetString(start, 0, content.ReadAtLeast(start, start.Length, throwOnEndOfStream: false));
        return MainParts.Any(part => text.Contains(part, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>A workbook with a password lies whole, as one stream, in a compound file.</summary>
    private static bool IsEncrypted(FileStream file, ReadOnlySpan<byte> head)
    {
        if (head.Length < HeadBytes)
            return false;
        int shift = Math.Min((int)BitConverter.ToUInt16(head[SectorShiftAt..]), LargestSectorShift);
        byte[] directory = new byte[DirectoryBytes];
        file.Position = (BitConverter.ToUInt32(head[DirectorySectorAt..]) + 1L) << shift;
        int length = file.ReadAtLeast(directory, DirectoryBytes, throwOnEndOfStream: false);
        return directory.AsSpan(0, length).IndexOf(Encoding.Unicode.GetBytes("EncryptedPackage")) >= 0;
    }

    private static bool LooksLikeText(string text) =>
        text.Length > 0 && text.All(c => c is '\r' or '\n' or '\t' || (!char.IsControl(c) && c != '\uFFFD'));

    private static IngestException NotAWorkbook(string path, string wrong, string advice) =>
        new(ErrorId.NotAWorkbook, $"{Http.Redaction.EscapeControls(path)} is not a workbook: {wrong}. It was not sent.")
        {
            Service = IngestService.Voss,
            Operation = "upload",
            Advice = advice,
            Target = path,
        };
}
