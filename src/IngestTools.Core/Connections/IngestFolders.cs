namespace IngestTools.Connections;

/// <summary>The one place that knows where files of this library lie, and makes them so that only their owner can read them.</summary>
public static class IngestFolders
{
    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The configuration folder: <c>INGESTTOOLS_HOME</c>, else <c>XDG_CONFIG_HOME/ingesttools</c> or <c>%APPDATA%\IngestTools</c>.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: <c>INGESTTOOLS_HOME</c> is a relative path.</exception>
    public static string Configuration
    {
        get
        {
            if (ReadHome() is { } home)
                return home;
            if (OperatingSystem.IsWindows())
                return Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "IngestTools");
            string? configuration = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
            if (string.IsNullOrEmpty(configuration) || !Path.IsPathRooted(configuration))
                configuration = Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config");
            return Path.Join(configuration, "ingesttools");
        }
    }

    /// <summary>The state folder: <c>INGESTTOOLS_HOME</c>, else <c>XDG_STATE_HOME/ingesttools</c> or <c>%LOCALAPPDATA%\IngestTools</c>.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: <c>INGESTTOOLS_HOME</c> is a relative path.</exception>
    public static string State
    {
        get
        {
            if (ReadHome() is { } home)
                return home;
            if (OperatingSystem.IsWindows())
                return Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "IngestTools");
            string? state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
            if (string.IsNullOrEmpty(state) || !Path.IsPathRooted(state))
                state = Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
            return Path.Join(state, "ingesttools");
        }
    }

    /// <summary>The folder that <c>INGESTTOOLS_HOME</c> names; null where it is not set.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: it is a relative path.</exception>
    private static string? ReadHome()
    {
        if (Environment.GetEnvironmentVariable("INGESTTOOLS_HOME") is not { Length: > 0 } home)
            return null;
        return Path.IsPathFullyQualified(home) ? Path.GetFullPath(home) : throw new IngestException(
            ErrorId.Rejected, $"INGESTTOOLS_HOME is '{Http.Redaction.EscapeControls(home)}', a relative path. It means another folder to each process.")
        {
            Advice = $"Set it to a full path, such as '{Path.GetFullPath(home)}'.",
        };
    }

    /// <summary>Makes a folder that only its owner can enter; one that is there is left as it is.</summary>
    internal static void CreatePrivateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else if (!Directory.Exists(path))
            Directory.CreateDirectory(path, OwnerOnlyFolder);
    }

    /// <summary>Makes a new file that only its owner can read, from the moment it exists.</summary>
    internal static FileStream CreatePrivateFile(string path, FileOptions options = FileOptions.None)
    {
        FileStreamOptions how = new() { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, Options = options };
        if (!OperatingSystem.IsWindows())
            how.UnixCreateMode = OwnerOnlyFile;
        return new FileStream(path, how);
    }

    /// <summary>Deletes what is left of an attempt; where even that cannot be done, the error of the attempt itself counts.</summary>
    internal static void TryDelete(string path)
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

    /// <summary>A temporary file that only its owner can read, and that is gone when it is closed.</summary>
    internal static FileStream CreateTemporaryFile()
    {
        string path = Path.Join(Path.GetTempPath(), $"ingesttools-{Guid.NewGuid():N}.tmp");
        FileStream file = CreatePrivateFile(path, FileOptions.DeleteOnClose);
        // On Unix a file can go on without its name, so that nothing is left even of a process that is killed.
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        return file;
    }
}
