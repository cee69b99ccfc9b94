namespace IngestTools.Connections;

/// <summary>The one place that knows where the files of this library lie.</summary>
public static class IngestFolders
{
    /// <summary>
    /// The configuration folder: <c>INGESTTOOLS_HOME</c>, else <c>XDG_CONFIG_HOME/ingesttools</c> or <c>%APPDATA%\IngestTools</c>.
    /// </summary>
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

    /// <summary>
    /// The state folder: <c>INGESTTOOLS_HOME</c>, else <c>XDG_STATE_HOME/ingesttools</c> or <c>%LOCALAPPDATA%\IngestTools</c>.
    /// </summary>
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
        return Path.IsPathFullyQualified(home)
            ? Path.GetFullPath(home)
            : throw new IngestException(
                ErrorId.Rejected,
                $"INGESTTOOLS_HOME is '{Http.Redaction.EscapeControls(home)}', a relative path. It means another folder to each process."
            )
            {
                Advice = $"Set it to a full path, such as '{Path.GetFullPath(home)}'.",
            };
    }
}
