using System.Globalization;
using System.Text;
using IngestTools.Http;

namespace IngestTools.Services.DspIngest;

/// <summary>What DSP-INGEST will say of a file's name, known before it is sent.</summary>
internal static class FileNameRules
{
    /// <summary>Characters that the server takes beside letters and digits.</summary>
    private const string AllowedMarks = "_- .,'`+=!<>|()[]{}";

    /// <summary>Extensions that the server ingests. Its list grows with its versions, so this one may be behind.</summary>
    private static readonly HashSet<string> Extensions = new(StringComparer.OrdinalIgnoreCase)
    {
        "7z",
        "gz",
        "gzip",
        "tar",
        "tgz",
        "z",
        "zip",
        "mp3",
        "mpeg",
        "wav",
        "doc",
        "docx",
        "epub",
        "pdf",
        "ppt",
        "pptx",
        "csv",
        "xls",
        "xlsx",
        "htm",
        "html",
        "json",
        "odd",
        "rng",
        "txt",
        "xml",
        "xsd",
        "xsl",
        "mp4",
        "jp2",
        "jpeg",
        "jpg",
        "jpx",
        "png",
        "tif",
        "tiff",
        "svg",
    };

    /// <summary>Common kinds of files that the server has no use for today.</summary>
    private static readonly HashSet<string> RefusedExtensions = new(StringComparer.OrdinalIgnoreCase) { "gif", "rtf", "webp", "m4a" };

    /// <summary>Why the server will refuse a name; null where it will take it.</summary>
    /// <param name="remoteName">The name, with / between folders, in Unicode form NFC.</param>
    public static string? WhyRefused(string remoteName)
    {
        string fileName = LastSegment(remoteName);
        if (remoteName.StartsWith("..", StringComparison.Ordinal))
            return "it begins with '..', which the server takes for a way out of its folder";
        foreach (Rune rune in fileName.EnumerateRunes())
        {
            if (!IsAllowed(rune))
                return $"the server takes no '{Redaction.EscapeControls(rune.ToString())}' (U+{rune.Value:X4}) in a file's name";
        }

        string extension = Path.GetExtension(fileName).TrimStart('.');
        if (extension.Length == 0)
            return "it has no extension, by which the server recognizes the kind of a file";
        return RefusedExtensions.Contains(extension) ? $"the server ingests no .{extension} files" : null;
    }

    /// <summary>Why the server may refuse a name; null where nothing speaks for it.</summary>
    /// <param name="remoteName">A name that is not refused.</param>
    public static string? WhyDoubtful(string remoteName)
    {
        string extension = Path.GetExtension(LastSegment(remoteName)).TrimStart('.');
        return Extensions.Contains(extension) ? null : $".{extension} is not an extension that the server is known to ingest; it decides";
    }

    /// <summary>Whether the server's run passes over the file: it takes it, and never ingests it.</summary>
    public static bool IsHidden(string remoteName) => LastSegment(remoteName).StartsWith('.');

    private static string LastSegment(string remoteName) => remoteName[(remoteName.LastIndexOf('/') + 1)..];

    private static bool IsAllowed(Rune rune) =>
        (rune.IsAscii && AllowedMarks.Contains((char)rune.Value, StringComparison.Ordinal))
        || Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.UppercaseLetter
                or UnicodeCategory.LowercaseLetter
                or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter
                or UnicodeCategory.OtherLetter
                or UnicodeCategory.DecimalDigitNumber
                or UnicodeCategory.LetterNumber
                or UnicodeCategory.OtherNumber;
}
