using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>
/// The rules for a decoded <c>{file}</c> of an upload, in the server's order: the path is normalised and must not leave the folder,
/// then the last segment's form, extension and characters are looked at. Folders are not checked.
/// </summary>
internal static class UploadPath
{
    private const string CannotTraverse = "Cannot traverse out of the upload directory";
    private const string NoExtension = "Filename must have a valid file extension";
    private const string InvalidCharacters = "Filename contains invalid characters";
    private const string PathInformation = "Filename must not contain any path information";
    private const string EmptyPath = "Empty path";

    /// <summary>NAME_MAX of Linux, in bytes.</summary>
    private const int LongestSegment = 255;

    /// <summary>PATH_MAX of Linux in bytes, with room for the folder that the server itself puts before.</summary>
    private const int LongestPath = 4000;

    /// <summary>What a file name may hold beside letters and numbers.</summary>
    private const string AllowedSpecials = "_- .,'`+=!<>|()[]{}";

    private static readonly FrozenSet<string> SinceV0191 = (
        "7z gz gzip tar tgz z zip mp3 mpeg wav doc docx pdf ppt pptx csv xls xlsx "
        + "json odd rng txt xml xsd xsl mp4 jp2 jpeg jpg jpx png tif tiff"
    )
        .Split(' ')
        .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> AddedLater = "epub htm html svg".Split(' ').ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> Images = "jp2 jpeg jpg jpx png tif tiff"
        .Split(' ')
        .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Gives the path below the import folder, or the server's reason to refuse it.</summary>
    public static bool TryParse(string file, DspIngestRelease release, out string path, out string reason)
    {
        path = "";
        // An empty name is a (nameless) file to the server; one of slashes alone is no path at all.
        if (file.Length > 0 && file.All(static c => c == '/'))
        {
            reason = EmptyPath;
            return false;
        }

        path = Normalize(file);
        reason = path.StartsWith("..", StringComparison.Ordinal) ? CannotTraverse : RefuseName(LastSegment(path), release) ?? "";
        return reason.Length == 0;
    }

    /// <summary>Whether the disk takes a path; the server's is of Linux, wherever the sandbox runs.</summary>
    public static bool FitsDisk(string path) =>
        Encoding.UTF8.GetByteCount(path) <= LongestPath
        && path.Split('/').All(static segment => Encoding.UTF8.GetByteCount(segment) <= LongestSegment);

    /// <summary>The reason for which a name alone is refused, null when it is fine.</summary>
    public static string? RefuseName(string name, DspIngestRelease release)
    {
        string composed = name.Normalize(NormalizationForm.FormC);
        if (composed.Contains('/', StringComparison.Ordinal))
            return PathInformation;
        if (!IsSupported(Extension(composed), release))
            return NoExtension;
        return composed.EnumerateRunes().All(IsAllowed) ? null : InvalidCharacters;
    }

    /// <summary>The text after the last dot of the last segment.</summary>
    public static string Extension(string path)
    {
        string name = path[(path.LastIndexOfAny(['/', '\\']) + 1)..];
        int dot = name.LastIndexOf('.');
        return dot < 0 ? "" : name[(dot + 1)..];
    }

    /// <summary>Images become jpx; videos are mp4 already; all others keep their extension, and its case.</summary>
    public static string DerivativeExtension(string path)
    {
        string extension = Extension(path);
        if (Images.Contains(extension))
            return "jpx";
        return extension.Equals("mp4", StringComparison.OrdinalIgnoreCase) ? "mp4" : extension;
    }

    /// <summary>A file whose name starts with a dot is uploaded, and then skipped by every ingest.</summary>
    public static bool IsHidden(string path) => LastSegment(path).StartsWith('.');

    public static string LastSegment(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static bool IsSupported(string extension, DspIngestRelease release) =>
        SinceV0191.Contains(extension) || (release != DspIngestRelease.V0191 && AddedLater.Contains(extension));

    private static string Normalize(string file)
    {
        List<string> kept = [];
        foreach (string segment in file.Split('/'))
        {
            if (segment is "" or ".")
                continue;
            if (segment == ".." && kept.Count > 0 && kept[^1] != "..")
                kept.RemoveAt(kept.Count - 1);
            else
                kept.Add(segment);
        }
        return string.Join('/', kept);
    }

    /// <summary>Letters and numbers by code point, as Java's regex sees them; a mark that has no composed form is refused.</summary>
    private static bool IsAllowed(Rune rune) =>
        Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter
            or UnicodeCategory.LowercaseLetter
            or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter
            or UnicodeCategory.OtherLetter
            or UnicodeCategory.DecimalDigitNumber
            or UnicodeCategory.LetterNumber
            or UnicodeCategory.OtherNumber => true,
            _ => rune.IsAscii && AllowedSpecials.Contains((char)rune.Value, StringComparison.Ordinal),
        };
}
