namespace IngestTools.Journal;

/// <summary>Opens the journal of this account.</summary>
public static class IngestJournal
{
    private const string Switch = "INGESTTOOLS_JOURNAL";

    /// <summary>A journal that records nothing.</summary>
    public static IIngestJournal Off => NoJournal.Instance;

    /// <summary>Whether the environment variable INGESTTOOLS_JOURNAL is <c>off</c>.</summary>
    public static bool IsTurnedOff => string.Equals(Environment.GetEnvironmentVariable(Switch), "off", StringComparison.OrdinalIgnoreCase);

    /// <summary>The journal's file: <c>journal.db</c> in the state folder.</summary>
    public static string DefaultPath => Path.Join(Connections.IngestFolders.State, "journal.db");

    /// <summary>
    /// The journal of this account; one that records nothing where it is turned off. The file is opened when it is first used.
    /// </summary>
    /// <param name="path">The file; null takes <see cref="DefaultPath"/>.</param>
    /// <param name="origin">The run of a schedule that starts are recorded for; null where a person starts them.</param>
    public static IIngestJournal Open(string? path = null, StartOrigin? origin = null) =>
        IsTurnedOff ? Off : new SqliteJournal(path ?? DefaultPath, TimeProvider.System, origin);
}
