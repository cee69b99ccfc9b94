using System.Text;

namespace IngestTools.Uploads;

/// <summary>
/// Finds files that would get a name which another file of the same call has. The files of the first folder have different names by nature,
/// and are not remembered, so that a folder of a million files costs no more memory than one of ten: only where their Unicode form is
/// changed can two become one.
/// </summary>
internal sealed class NameCollisions(UploadOptions options, FileFinder finder)
{
    private readonly SeenKeys _seen = new();

    /// <summary>Names together with the files that have them, of files that were given themselves.</summary>
    private readonly SeenKeys _seenFiles = new();
    private readonly Dictionary<string, string> _flat = new(StringComparer.Ordinal);
    private UploadRequest? _first;
    private string? _firstFolder;

    /// <summary>Takes the name for a file, if it is free.</summary>
    public NameTaking Take(UploadRequest request, FoundFile file, string remoteName)
    {
        if (request.Target.IsFlat)
            return TakeFlat($"{request.Target.Place}\n{remoteName}", file.Path);
        if (_first is null)
        {
            _first = request;
            _firstFolder = file.Root;
        }

        bool isOfFirstFolder = ReferenceEquals(request, _first) && file.Root is not null;
        if (isOfFirstFolder && file.Path.IsNormalized(NormalizationForm.FormC))
            return NameTaking.Free;
        string? other = isOfFirstFolder ? ComposedTwinOf(file) : InFirstFolder(request, remoteName);
        if (!isOfFirstFolder && !_seenFiles.Add($"{request.Target.Place}\n{remoteName}\n{file.Path}"))
            return NameTaking.SameFile;
        if (_seen.Add($"{request.Target.Place}\n{remoteName}") && other is null)
            return NameTaking.Free;
        // Below a base path each file has a name of its own, so that the same name is the same file.
        other ??= options.BasePath is null ? null : PathBelow(options.BasePath, remoteName);
        return other == file.Path ? NameTaking.SameFile : NameTaking.Taken;
    }

    /// <summary>Where names have no folders, the files of the first folder can collide too. There are never very many of them.</summary>
    private NameTaking TakeFlat(string name, string path)
    {
        if (_flat.TryAdd(name, path))
            return NameTaking.Free;
        return _flat[name] == path ? NameTaking.SameFile : NameTaking.Taken;
    }

    /// <summary>Another file of the folder whose name already has the form that this one is sent in.</summary>
    private static string? ComposedTwinOf(FoundFile file)
    {
        // A Mac finds one file under both forms, so there cannot be two.
        if (OperatingSystem.IsMacOS())
            return null;
        string relative = Path.GetRelativePath(file.Root!, file.Path);
        string composed = relative.Normalize(NormalizationForm.FormC);
        string twin = Path.Join(file.Root, composed);
        return composed != relative && File.Exists(twin) ? twin : null;
    }

    /// <summary>The file of the first folder that gets this name.</summary>
    private string? InFirstFolder(UploadRequest request, string remoteName)
    {
        if (
            _firstFolder is null
            || _first!.Target.Place != request.Target.Place
            || PathBelow(options.BasePath ?? _firstFolder, remoteName) is not { } path
        )
            return null;
        string below = Path.GetRelativePath(_firstFolder, path);
        bool isBelow =
            !below.StartsWith("..", StringComparison.Ordinal)
            && (options.Recurse || !below.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal));
        return isBelow && finder.IsWanted(Path.GetFileName(path)) && File.Exists(path) ? path : null;
    }

    /// <summary>The path below a folder that gets a remote name; null where the name does not begin with the destination.</summary>
    private string? PathBelow(string folder, string remoteName)
    {
        string destination = options.Destination?.Replace('\\', '/').Trim('/') is { Length: > 0 } given ? given + "/" : "";
        return remoteName.StartsWith(destination, StringComparison.Ordinal)
            ? Path.GetFullPath(Path.Join(Path.GetFullPath(folder), remoteName[destination.Length..]))
            : null;
    }
}

/// <summary>Whether a name is free.</summary>
internal enum NameTaking
{
    /// <summary>No other file has it.</summary>
    Free,

    /// <summary>The same file was given before.</summary>
    SameFile,

    /// <summary>Another file has it.</summary>
    Taken,
}
