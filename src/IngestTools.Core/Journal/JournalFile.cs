using IngestTools.Connections;
using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>The journal's file: created so that only its owner can read it, and checked for its format before it is used.</summary>
internal sealed class JournalFile(string path)
{
    /// <summary>The format that this version reads and writes.</summary>
    private const long Version = 1;

    /// <summary>How long a process waits for another that writes. In a test with four writers without a pause, the longest wait was 3.2 s.</summary>
    private const int BusyTimeout = 10_000;

    private const string Schema = """
        CREATE TABLE place (
            id INTEGER PRIMARY KEY, service TEXT NOT NULL, server TEXT NOT NULL, name TEXT NOT NULL, mark_rows INTEGER NOT NULL DEFAULT 0, mark_last TEXT, closing INTEGER NOT NULL DEFAULT 0,
            UNIQUE (service, server, name));
        CREATE TABLE folder (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
        CREATE TABLE job (
            id INTEGER PRIMARY KEY AUTOINCREMENT, place INTEGER NOT NULL, call INTEGER NOT NULL, connection TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER,
            status INTEGER NOT NULL, machine TEXT NOT NULL, process INTEGER NOT NULL, process_start TEXT NOT NULL,
            uploaded INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX job_place ON job (place);
        CREATE TABLE file (
            place INTEGER NOT NULL, name TEXT NOT NULL, folder INTEGER, cut INTEGER, length INTEGER, written INTEGER, sha BLOB, job INTEGER NOT NULL,
            state INTEGER NOT NULL, server_name TEXT, PRIMARY KEY (place, name)) WITHOUT ROWID;
        CREATE TABLE replaced (
            place INTEGER NOT NULL, name TEXT NOT NULL, folder INTEGER, cut INTEGER, length INTEGER, written INTEGER, sha BLOB, job INTEGER NOT NULL,
            state INTEGER NOT NULL, server_name TEXT);
        CREATE INDEX replaced_job ON replaced (job);
        CREATE TABLE failure (job INTEGER NOT NULL, path TEXT NOT NULL, name TEXT NOT NULL, length INTEGER NOT NULL, error TEXT NOT NULL, message TEXT NOT NULL);
        CREATE INDEX failure_job ON failure (job);
        CREATE TABLE start (
            id INTEGER PRIMARY KEY AUTOINCREMENT, place INTEGER NOT NULL, transaction_id TEXT NOT NULL, state INTEGER NOT NULL,
            started INTEGER NOT NULL, sha BLOB, before_rows INTEGER, before_last TEXT, last_job INTEGER NOT NULL, manual_check TEXT NOT NULL,
            machine TEXT NOT NULL, process INTEGER NOT NULL, process_start TEXT NOT NULL, content TEXT NOT NULL);
        CREATE INDEX start_transaction ON start (transaction_id);
        CREATE INDEX start_open ON start (state) WHERE state <> 2;
        """;

    private readonly object _lock = new();
    private bool _isReady;

    /// <summary>The full path.</summary>
    public string Path => path;

    /// <summary>Opens a connection of its own. The file is created where there is none.</summary>
    /// <param name="isDurable">Whether what was committed survives a power failure, and not only the end of this process.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.JournalUnavailable"/></exception>
    public SqliteConnection Open(bool isDurable) => JournalAccess.Run(path, () =>
    {
        lock (_lock)
        {
            if (!_isReady)
                CreateFile();
        }

        SqliteConnection connection = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        try
        {
            connection.Open();
            // What is read is checked against the lock of another process by SQLite itself, which waits in smaller steps than the provider does.
            connection.Execute($"PRAGMA busy_timeout = {BusyTimeout}; PRAGMA synchronous = {(isDurable ? "FULL" : "NORMAL")}; PRAGMA cache_size = -2048;");
            lock (_lock)
            {
                if (!_isReady)
                    Prepare(connection);
                _isReady = true;
            }

            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    });

    private void CreateFile()
    {
        IngestFolders.CreatePrivateFolder(System.IO.Path.GetDirectoryName(path)!);
        if (File.Exists(path))
            return;
        try
        {
            IngestFolders.CreatePrivateFile(path).Dispose();
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process created it in the same moment.
            return;
        }
    }

    private void Prepare(SqliteConnection connection)
    {
        long version = connection.ReadNumber("PRAGMA user_version") ?? 0;
        if (version > Version)
            throw JournalErrors.TooNew(path, version, Version);
        // A write-ahead log needs memory that its processes share, so it does not work on a network file system.
        connection.Execute(IsOnNetwork(path) ? "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL;" : "PRAGMA journal_mode = WAL;");
        if (version == Version)
            return;
        using SqliteTransaction transaction = connection.BeginTransaction();
        if ((connection.ReadNumber("PRAGMA user_version") ?? 0) == 0)
            connection.Execute($"{Schema} PRAGMA user_version = {Version};");
        transaction.Commit();
    }

    private static bool IsOnNetwork(string path)
    {
        try
        {
            return new DriveInfo(path).DriveType == DriveType.Network;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }
}
