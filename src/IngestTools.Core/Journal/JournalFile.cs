using IngestTools.Connections;
using IngestTools.Files;
using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>The journal's file: created so that only its owner can read it, and checked before each use.</summary>
internal sealed class JournalFile(string path)
{
    /// <summary>The format that this version reads and writes.</summary>
    private const long Version = 3;

    /// <summary>
    /// How long a process waits for another that writes, in seconds. In a test with four writers without a pause, the longest wait was 3.2
    /// s.
    /// </summary>
    private const int BusyTimeout = 10;

    private const string Schema = """
        CREATE TABLE place (
            id INTEGER PRIMARY KEY, service TEXT NOT NULL, server TEXT NOT NULL, name TEXT NOT NULL, mark_rows INTEGER NOT NULL DEFAULT 0,
                mark_last TEXT, closing INTEGER NOT NULL DEFAULT 0,
            UNIQUE (service, server, name));
        CREATE TABLE folder (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE);
        CREATE TABLE job (
            id INTEGER PRIMARY KEY AUTOINCREMENT, place INTEGER NOT NULL, call INTEGER NOT NULL, connection TEXT NOT NULL,
                started INTEGER NOT NULL, ended INTEGER,
            status INTEGER NOT NULL, machine TEXT NOT NULL, process INTEGER NOT NULL, process_start TEXT NOT NULL,
            uploaded INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0,
                bytes INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX job_place ON job (place);
        CREATE TABLE file (
            place INTEGER NOT NULL, name TEXT NOT NULL, folder INTEGER, cut INTEGER, length INTEGER, written INTEGER, sha BLOB,
                job INTEGER NOT NULL,
            state INTEGER NOT NULL, server_name TEXT, PRIMARY KEY (place, name)) WITHOUT ROWID;
        CREATE TABLE former_file (
            place INTEGER NOT NULL, name TEXT NOT NULL, folder INTEGER, cut INTEGER, length INTEGER, written INTEGER, sha BLOB,
                job INTEGER NOT NULL,
            state INTEGER NOT NULL, server_name TEXT);
        CREATE INDEX former_file_job ON former_file (job);
        CREATE TABLE other_file (
            place INTEGER NOT NULL, name TEXT NOT NULL, server_name TEXT NOT NULL, PRIMARY KEY (place, name, server_name)) WITHOUT ROWID;
        CREATE TABLE upload (
            id INTEGER PRIMARY KEY AUTOINCREMENT, place INTEGER NOT NULL, name TEXT NOT NULL, server_name TEXT NOT NULL,
                sent INTEGER NOT NULL DEFAULT 0,
            UNIQUE (server_name, place));
        CREATE TABLE failure (job INTEGER NOT NULL, path TEXT NOT NULL, name TEXT NOT NULL, length INTEGER NOT NULL, error TEXT NOT NULL,
            message TEXT NOT NULL);
        CREATE INDEX failure_job ON failure (job);
        CREATE TABLE start (
            id INTEGER PRIMARY KEY AUTOINCREMENT, place INTEGER NOT NULL, transaction_id TEXT NOT NULL, state INTEGER NOT NULL,
            started INTEGER NOT NULL, sha BLOB, before_rows INTEGER, before_last TEXT, last_job INTEGER NOT NULL,
                manual_check TEXT NOT NULL,
            machine TEXT NOT NULL, process INTEGER NOT NULL, process_start TEXT NOT NULL, content TEXT NOT NULL,
            schedule TEXT, run TEXT);
        CREATE INDEX start_transaction ON start (transaction_id);
        CREATE INDEX start_open ON start (state) WHERE state <> 2;
        """;

    /// <summary>
    /// What makes format 2 of format 1: a start names the schedule and the run that sent it, and a name can have several files on the
    /// server.
    /// </summary>
    private const string SecondVersion = """
        ALTER TABLE start ADD COLUMN schedule TEXT; ALTER TABLE start ADD COLUMN run TEXT;
        CREATE TABLE other_file (
            place INTEGER NOT NULL, name TEXT NOT NULL, server_name TEXT NOT NULL, PRIMARY KEY (place, name, server_name)) WITHOUT ROWID;
        """;

    /// <summary>What makes format 3 of format 2: the order in which files came to the server under a name of its own.</summary>
    private const string ThirdVersion = """
        CREATE TABLE upload (
            id INTEGER PRIMARY KEY AUTOINCREMENT, place INTEGER NOT NULL, name TEXT NOT NULL, server_name TEXT NOT NULL,
                sent INTEGER NOT NULL DEFAULT 0,
            UNIQUE (server_name, place));
        REPLACE INTO upload (place, name, server_name)
            SELECT f.place, f.name, f.server_name FROM place p JOIN file f ON f.place = p.id WHERE p.service = 'Voss'
                AND f.server_name IS NOT NULL ORDER BY f.job;
        """;

    /// <summary>The full path.</summary>
    public string Path => path;

    /// <summary>Opens a connection of its own. The file is created where there is none.</summary>
    /// <param name="isDurable">Whether what was committed survives a power failure, and not only the end of this process.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.JournalUnavailable"/></exception>
    public SqliteConnection Open(bool isDurable) =>
        JournalAccess.Run(
            path,
            () =>
            {
                CreateFile();
                // SQLite itself would create a file that others can read.
                SqliteConnection connection = new(
                    new SqliteConnectionStringBuilder
                    {
                        DataSource = path,
                        Mode = SqliteOpenMode.ReadWrite,
                        Pooling = false,
                        DefaultTimeout = BusyTimeout,
                    }.ToString()
                );
                try
                {
                    connection.Open();
                    Prepare(connection, isDurable);
                    return connection;
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            }
        );

    /// <summary>A user can delete the file while a session has a journal, so this is not done only once.</summary>
    private void CreateFile()
    {
        PrivateFiles.CreateFolder(System.IO.Path.GetDirectoryName(path)!);
        if (FileAccount.FindRisk(path) is { } risk)
            throw JournalErrors.Unsafe(path, risk.Reason, $"{risk.Advice} Or set INGESTTOOLS_HOME to a folder of this account.");
        try
        {
            if (!File.Exists(path))
                PrivateFiles.Create(path).Dispose();
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process created it in the same moment.
        }
    }

    private void Prepare(SqliteConnection connection, bool isDurable)
    {
        // SQLite itself waits in smaller steps than the provider does. The provider's waiting covers what SQLite does not wait for.
        connection.Execute($"PRAGMA busy_timeout = {BusyTimeout * 1000}; PRAGMA cache_size = -2048;");
        long version = VersionOf(connection);
        if (version > Version)
            throw JournalErrors.TooNew(path, version, Version);
        // A write-ahead log needs memory that its processes share, so it does not work on a network file system.
        string mode = connection.Read($"PRAGMA journal_mode = {(IsOnNetwork(path) ? "TRUNCATE" : "WAL")}", static r => r.GetString(0))[0];
        // Without a write-ahead log, NORMAL could damage the file in a power failure.
        connection.Execute($"PRAGMA synchronous = {(mode == "wal" && !isDurable ? "NORMAL" : "FULL")}");
        if (version < Version)
            CreateTables(connection);
    }

    private void CreateTables(SqliteConnection connection)
    {
        using SqliteTransaction transaction = connection.BeginTransaction();
        // Another process may have done it meanwhile.
        switch (VersionOf(connection))
        {
            case 0 when connection.ReadNumber("SELECT count(*) FROM sqlite_master") != 0:
                throw JournalErrors.NotAJournal(path);
            case 0:
                connection.Execute($"{Schema} PRAGMA user_version = {Version};");
                break;
            case 1:
                connection.Execute($"{SecondVersion} {ThirdVersion} PRAGMA user_version = {Version};");
                break;
            case 2:
                connection.Execute($"{ThirdVersion} PRAGMA user_version = {Version};");
                break;
        }

        transaction.Commit();
    }

    private static long VersionOf(SqliteConnection connection) => connection.ReadNumber("PRAGMA user_version") ?? 0;

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
