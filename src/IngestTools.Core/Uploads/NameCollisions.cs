using System.Text;

namespace IngestTools.Uploads;

/// <summary>
/// Finds files that would get a name which another file of the same call has. The files of the first folder have different names by nature, and are not
/// remembered, so that a folder of a million files costs no more memory than one of ten: only where their Unicode form is changed can two become one.
/// </summary>
internal sealed class NameCollisions(UploadOptions options, FileFinder finder)
{
    private readonly SeenKeys _seen = new();
    private UploadRequest? _first;
    private string? _firstFolder;

    /// <summary>Takes the name for a file; false where another has it.</summary>
    public bool TryTake(UploadRequest request, FoundFile file, string remoteName)
    {
        if (_first is null)
        {
            _first = request;
            _firstFolder = file.Root;
        }

        bool isOfFirstFolder = ReferenceEquals(request, _first) && file.Root is not null;
        if (isOfFirstFolder && file.Path.IsNormalized(NormalizationForm.FormC))
            return true;
        bool isTaken = isOfFirstFolder ? HasComposedTwin(file) : IsInFirstFolder(request, remoteName);
        return _seen.Add($"{request.Target.Lane}\n{remoteName}") && !isTaken;
    }

    /// <summary>Whether the folder has another file whose name already has the form that this one is sent in.</summary>
    private static bool HasComposedTwin(FoundFile file)
    {
        // A Mac finds one file under both forms, so there cannot be two.
        if (OperatingSystem.IsMacOS())
            return false;
        string relative = Path.GetRelativePath(file.Root!, file.Path);
        string composed = relative.Normalize(NormalizationForm.FormC);
        return composed != relative && File.Exists(Path.Join(file.Root, composed));
    }

    /// <summary>Whether the first folder has a file that gets this name.</summary>
    private bool IsInFirstFolder(UploadRequest request, string remoteName)
    {
        if (_firstFolder is null || _first!.Target.Lane != request.Target.Lane)
            return false;
        string destination = options.Destination is null ? "" : options.Destination.Replace('\\', '/').Trim('/') + "/";
        if (!remoteName.StartsWith(destination, StringComparison.Ordinal))
            return false;
        string path = Path.GetFullPath(Path.Join(options.BasePath ?? _firstFolder, remoteName[destination.Length..]));
        string below = Path.GetRelativePath(_firstFolder, path);
        bool isBelow = !below.StartsWith("..", StringComparison.Ordinal) && (options.Recurse || !below.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal));
        return isBelow && finder.IsWanted(Path.GetFileName(path)) && File.Exists(path);
    }
}
