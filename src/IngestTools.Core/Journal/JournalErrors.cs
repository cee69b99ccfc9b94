using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>What can be wrong with the journal.</summary>
internal static class JournalErrors
{
    private const int Busy = 5;

    private const int Locked = 6;

    private const int ReadOnly = 8;

    private const int Corrupt = 11;

    private const int Full = 13;

    private const int CannotOpen = 14;

    private const int NotADatabase = 26;

    /// <summary>Whether an exception is one of the journal's file, and not an error of this program.</summary>
    public static bool IsOfFile(Exception e) =>
        e
            is SqliteException
                or InvalidDataException
                or IOException
                or UnauthorizedAccessException
                or DllNotFoundException
                or BadImageFormatException
                or EntryPointNotFoundException
        || (e is TypeInitializationException { InnerException: { } inner } && IsOfFile(inner));

    public static IngestException Of(string path, Exception cause) =>
        cause switch
        {
            SqliteException { SqliteErrorCode: Corrupt or NotADatabase } or InvalidDataException => Unavailable(
                path,
                "it is damaged",
                $"Move it to another folder, and {Path.GetFileName(path)}-wal with it where there is one; a new journal is made. What "
                    + $"was sent before is then unknown.",
                cause
            ),
            SqliteException { SqliteErrorCode: ReadOnly } or UnauthorizedAccessException => Unavailable(
                path,
                "this account cannot write it",
                "Give this account the right to write the file and its folder.",
                cause
            ),
            SqliteException { SqliteErrorCode: CannotOpen } => Unavailable(
                path,
                "it cannot be opened",
                "Check that its folder exists, and that this account can write there.",
                cause
            ),
            SqliteException { SqliteErrorCode: Full } => Unavailable(path, "the disk is full", "Free some space.", cause),
            SqliteException { SqliteErrorCode: Busy or Locked } => Unavailable(
                path,
                "another process keeps it locked",
                "Try again when the other process has ended.",
                cause
            ),
            DllNotFoundException or BadImageFormatException or EntryPointNotFoundException or TypeInitializationException => Unavailable(
                path,
                $"SQLite cannot be loaded on this system ({cause.GetBaseException().Message})",
                "SQLite needs glibc 2.34 or musl on Linux.",
                cause
            ),
            _ => Unavailable(path, cause.Message, "Check the file and its folder.", cause),
        };

    public static IngestException TooNew(string path, long version, long known) =>
        Unavailable(
            path,
            $"a newer version of IngestTools wrote it (format {version}; this version reads up to {known})",
            "Update IngestTools.",
            null
        );

    public static IngestException NoSuchJob(long number) =>
        new(ErrorId.NotFound, $"The journal has no {IngestJob.FormatId(number)}.")
        {
            Operation = "read journal",
            Advice = "Get-IngestJob lists the jobs. They are kept for 400 days.",
            Target = IngestJob.FormatId(number),
        };

    public static IngestException NotAJournal(string path) =>
        Unavailable(path, "it is a database of another program", "Move it to another folder; a new journal is made.", null);

    public static IngestException Unsafe(string path, string reason, string advice) => Unavailable(path, reason, advice, null);

    private static IngestException Unavailable(string path, string why, string advice, Exception? cause) =>
        new(ErrorId.JournalUnavailable, $"The journal {path} cannot be used: {Http.Redaction.EscapeControls(why).TrimEnd('.')}.", cause)
        {
            Operation = "journal",
            Advice =
                $"{advice} To continue without the journal, use -NoJournal or set INGESTTOOLS_JOURNAL=off: files that were sent "
                + $"before are then sent again.",
            Target = path,
        };
}
