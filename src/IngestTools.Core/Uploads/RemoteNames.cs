using System.Text;

namespace IngestTools.Uploads;

/// <summary>Makes the name that a file gets on the server.</summary>
internal sealed class RemoteNames
{
    private readonly string? _basePath;
    private readonly string _destination;

    public RemoteNames(UploadOptions options)
    {
        _basePath = options.BasePath is null ? null : Path.GetFullPath(options.BasePath);
        _destination = options.Destination is null ? "" : ToRemote(options.Destination).Trim('/');
    }

    /// <summary>
    /// The name relative to the base path, else to the folder given, else the bare name; behind the destination; with / between folders, in
    /// Unicode form NFC.
    /// </summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: the file lies outside of the base path.</exception>
    public string NameOf(FoundFile file)
    {
        string? root = _basePath ?? file.Root;
        string local =
            root is null ? Path.GetFileName(file.Path)
            : IsBelow(root, file.Path) ? file.Path[(Path.EndsInDirectorySeparator(root) ? root.Length : root.Length + 1)..]
            : Path.GetRelativePath(root, file.Path);
        if (local == ".." || local.StartsWith(".." + Path.DirectorySeparatorChar, StringComparison.Ordinal) || Path.IsPathRooted(local))
        {
            throw new IngestException(ErrorId.Rejected, $"{Http.Redaction.EscapeControls(file.Path)} does not lie in the base path {root}.")
            {
                Operation = "upload",
                Advice = "Give a -BasePath that holds all files, or none.",
                Target = file.Path,
            };
        }

        string name = ToRemote(local);
        return _destination.Length == 0 ? name : $"{_destination}/{name}";
    }

    /// <summary>The common case, told without asking the file system for the current folder.</summary>
    private static bool IsBelow(string root, string path) =>
        path.StartsWith(root, StringComparison.Ordinal)
        && path.Length > root.Length
        && (Path.EndsInDirectorySeparator(root) || path[root.Length] == Path.DirectorySeparatorChar)
        && !path.Contains($"{Path.DirectorySeparatorChar}.", StringComparison.Ordinal);

    /// <summary>On Windows a backslash separates folders; elsewhere it is a character of the name.</summary>
    private static string ToRemote(string local)
    {
        string name = Path.DirectorySeparatorChar == '\\' ? local.Replace('\\', '/') : local;
        try
        {
            return name.IsNormalized(NormalizationForm.FormC) ? name : name.Normalize(NormalizationForm.FormC);
        }
        catch (ArgumentException)
        {
            // A name that is not valid Unicode stays as it is; the name check says so.
            return name;
        }
    }
}
