namespace IngestTools.Files;

/// <summary>Makes folders and files that only their owner can read, from the moment they exist.</summary>
internal static class PrivateFiles
{
    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes a folder that only its owner can enter. An existing one stays as it is.</summary>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else if (!Directory.Exists(path))
            Directory.CreateDirectory(path, OwnerOnlyFolder);
    }

    /// <summary>Makes a new file that only its owner can read.</summary>
    public static FileStream Create(string path, FileOptions options = FileOptions.None)
    {
        FileStreamOptions how = new()
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            Options = options,
        };
        if (!OperatingSystem.IsWindows())
            how.UnixCreateMode = OwnerOnlyFile;
        return new FileStream(path, how);
    }

    /// <summary>Opens a file, or makes a new one that only its owner can read.</summary>
    public static FileStream Open(string path, FileAccess access, FileShare share)
    {
        FileStreamOptions how = new()
        {
            Mode = FileMode.OpenOrCreate,
            Access = access,
            Share = share,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
            how.UnixCreateMode = OwnerOnlyFile;
        return new FileStream(path, how);
    }

    /// <summary>A temporary file, which is deleted when it is closed.</summary>
    public static FileStream CreateTemporary()
    {
        string path = Path.Join(Path.GetTempPath(), $"ingesttools-{Guid.NewGuid():N}.tmp");
        FileStream file = Create(path, FileOptions.DeleteOnClose);
        // On Unix an open file needs no name, so nothing is left even of a process that is killed.
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        return file;
    }

    /// <summary>Deletes what is left of an attempt. Where that fails too, the error of the attempt counts.</summary>
    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            System.Diagnostics.Trace.TraceWarning($"{path} is left over: {e.Message}");
        }
    }
}
