using System.Data.Common;
using System.Globalization;
using IngestTools.Scheduling;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace IngestTools.Scheduler.Store;

/// <summary>What differs between the two databases that the store can lie in.</summary>
internal abstract class StoreDialect
{
    /// <summary>Where the store lies, for people; without a password.</summary>
    public abstract string Place { get; }

    /// <summary>Whether several daemons may share it.</summary>
    public abstract bool IsShared { get; }

    /// <summary>A column that numbers its rows.</summary>
    public abstract string NumberedKey { get; }

    /// <summary>A column of bytes.</summary>
    public abstract string Bytes { get; }

    /// <summary>The database's own clock in milliseconds since 1970, so that nodes whose clocks differ agree on who is alive.</summary>
    public abstract string Now { get; }

    /// <summary>Opens a connection that keeps what it commits.</summary>
    public abstract Task<DbConnection> OpenAsync(CancellationToken cancellationToken);

    /// <summary>Lets one after the other change the store.</summary>
    public abstract Task<IDisposable> EnterAsync(CancellationToken cancellationToken);

    /// <summary>Begins to change the store.</summary>
    public virtual async Task<DbTransaction> BeginAsync(DbConnection connection, CancellationToken cancellationToken) =>
        await connection.BeginTransactionAsync(cancellationToken);

    /// <summary>Within a transaction: waits until no other node is in this part.</summary>
    public abstract Task LockAsync(StoreSession session, StoreLockName name, CancellationToken cancellationToken);

    /// <summary>Ends a query whose rows nobody else changes, and reads in the same way, until the transaction ends.</summary>
    public abstract string ForUpdate { get; }

    /// <summary>How many tables the database has that are not the store's.</summary>
    public abstract string CountTables { get; }

    /// <summary>How many columns of a name (@column) a table (@table) has: one or none.</summary>
    public abstract string CountColumns { get; }

    /// <summary>Whether the database itself is broken, or none at all.</summary>
    public abstract bool IsCorrupt(DbException error);

    /// <summary>What became of the store of a daemon that runs; null where it is still its own.</summary>
    /// <param name="store">The store.</param>
    /// <param name="isThorough">Whether its content is looked at too, which takes longer.</param>
    /// <param name="cancellationToken">Ends the looking.</param>
    public virtual Task<string?> FindLossAsync(SchedulerStore store, bool isThorough, CancellationToken cancellationToken) =>
        Task.FromResult<string?>(null);

    /// <summary>What the store takes on its disk, in bytes; null where that is not known.</summary>
    public abstract Task<long?> MeasureAsync(SchedulerStore store, CancellationToken cancellationToken);

    /// <summary>Within a transaction: has the other nodes know, when it is committed, at which times schedules are due.</summary>
    public virtual Task AnnounceAsync(StoreSession session, IReadOnlyCollection<DateTimeOffset> due, CancellationToken cancellationToken) =>
        Task.CompletedTask;

    /// <summary>
    /// Removes what earlier versions kept of Quartz: everything in it stands in the tables too. No node of such a version works on a store
    /// whose tables have this version.
    /// </summary>
    /// <returns>What was removed; null where there is nothing.</returns>
    public abstract Task<string?> RemoveQuartzAsync(SchedulerStore store, CancellationToken cancellationToken);
}

/// <summary>What only one node does at a time.</summary>
internal enum StoreLockName
{
    /// <summary>Making the tables.</summary>
    Schema = 1,

    /// <summary>Taking a run, which depends on how many are taken and on who lives, and holding one.</summary>
    Claim = 2,
}

/// <summary>One file, one daemon.</summary>
internal sealed class SqliteDialect : StoreDialect, IDisposable
{
    public const int SqliteCorrupt = 11;

    private const int SqliteNotADatabase = 26;

    /// <summary>SQLite has no code of its own for it.</summary>
    private const int SqliteNoSuchTable = 1;

    /// <summary>How long to wait for another program that writes: the daemon has to be able to stop within ten seconds.</summary>
    private const int BusySeconds = 5;

    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>A descriptor of the store, as the system lists it; null where none is known.</summary>
    private string? _open;

    private readonly string _connection;
    private readonly string _path;

    /// <summary>Where earlier versions kept Quartz's triggers.</summary>
    private readonly string _alarms;

    /// <param name="folder">The folder of the store.</param>
    /// <param name="place">What the store is called for people, where this is a copy of it.</param>
    public SqliteDialect(string folder, string? place = null)
    {
        string path = _path = SchedulerPlace.StoreOf(folder);
        Place = place ?? path;
        _alarms = Path.Join(folder, "alarms.db");
        _connection = ConnectionTo(path);
    }

    public override string Place { get; }

    public override bool IsShared => false;

    public override string NumberedKey => "INTEGER PRIMARY KEY AUTOINCREMENT";

    public override string Bytes => "BLOB";

    public override string Now => "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";

    public override string CountTables =>
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'ingest\\_%' ESCAPE '\\' AND name NOT LIKE "
        + "'sqlite\\_%' ESCAPE '\\'";

    public override string CountColumns => "SELECT count(*) FROM pragma_table_info(@table) WHERE name = @column";

    public override bool IsCorrupt(DbException error) => error is SqliteException { SqliteErrorCode: SqliteCorrupt or SqliteNotADatabase };

    public override async Task<DbConnection> OpenAsync(CancellationToken cancellationToken)
    {
        SqliteConnection connection = new(_connection);
        try
        {
            await connection.OpenAsync(cancellationToken);
            using SqliteCommand command = connection.CreateCommand();
            // FULL: what is committed is on the disk when the next step, which may be a request that cannot be taken back, is done.
            command.CommandText = "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA cache_size = -512;";
            await command.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public override async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        return new Turn(_turn);
    }

    public override Task LockAsync(StoreSession session, StoreLockName name, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>One transaction at a time writes.</summary>
    public override string ForUpdate => "";

    public override Task<string?> RemoveQuartzAsync(SchedulerStore store, CancellationToken cancellationToken)
    {
        if (!File.Exists(_alarms))
            return Task.FromResult<string?>(null);
        SqliteFiles.Remove(_alarms);
        return Task.FromResult<string?>($"{_alarms} of an earlier version was deleted. All that it held stands in {Place} too.");
    }

    /// <remarks>A connection that is open stays with the file that it opened, whatever lies in its place now.</remarks>
    public override async Task<string?> FindLossAsync(SchedulerStore store, bool isThorough, CancellationToken cancellationToken)
    {
        const string replaced = "was replaced by another";
        const string emptied = "was emptied or overwritten";
        FileInfo file = new(_path);
        if (!file.Exists)
            return "was removed";
        if (file.Length == 0)
            return emptied;
        if (IsReplaced(isThorough))
            return replaced;
        if (!isThorough)
            return null;
        try
        {
            return await StoreMark.IsOfAsync(store, cancellationToken) ? null : replaced;
        }
        catch (SqliteException e) when (e.SqliteErrorCode is SqliteNoSuchTable or SqliteCorrupt or SqliteNotADatabase)
        {
            return emptied;
        }
        catch (SqliteException)
        {
            // Held by another program, or out of reach for now: whoever needs it says so.
            return null;
        }
    }

    /// <summary>
    /// Whether this process has the store open as a file that has no name any more, as far as the system shows that. The log beside the
    /// store is read into whatever lies in its place, so the content does not show it.
    /// </summary>
    private bool IsReplaced(bool isThorough)
    {
        const string folder = "/proc/self/fd";
        const string deleted = " (deleted)";
        string name = "/" + Path.GetFileName(_path);
        if (!Directory.Exists(folder))
            return false;
        if (!isThorough && _open is not null && TargetOf(_open) is { } known)
        {
            if (known.EndsWith(name + deleted, StringComparison.Ordinal))
                return true;
            if (known.EndsWith(name, StringComparison.Ordinal))
                return false;
        }

        _open = null;
        foreach (string entry in Directory.EnumerateFileSystemEntries(folder))
        {
            string? target = TargetOf(entry);
            if (target?.EndsWith(name + deleted, StringComparison.Ordinal) == true)
                return true;
            if (target?.EndsWith(name, StringComparison.Ordinal) == true)
                _open = entry;
        }

        return false;
    }

    private static string? TargetOf(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was closed meanwhile.
            return null;
        }
    }

    /// <summary>The file, and what was written beside it and not moved into it yet.</summary>
    public override Task<long?> MeasureAsync(SchedulerStore store, CancellationToken cancellationToken) =>
        Task.FromResult<long?>(
            SqliteFiles.Of(_path).Select(path => new FileInfo(path)).Where(file => file.Exists).Sum(file => file.Length)
        );

    public void Dispose() => _turn.Dispose();

    /// <summary>Readers and the writer do not wait for each other, and a commit is one write. This is kept in the file.</summary>
    public static async Task UseWriteAheadLogAsync(string connectionText, CancellationToken cancellationToken)
    {
        using SqliteConnection connection = new(connectionText);
        await connection.OpenAsync(cancellationToken);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        await command.ExecuteScalarAsync(cancellationToken);
    }

    private static string ConnectionTo(string path) =>
        new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = BusySeconds }.ToString();

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}

/// <summary>One database, several daemons.</summary>
internal sealed class PostgresDialect : StoreDialect, IAsyncDisposable
{
    /// <summary>Tells the locks of this store from those that other programs take in the same database.</summary>
    private const int LockFamily = 0x496E6754;

    /// <summary>
    /// A node that is stopped in the middle of a transaction (a machine that is suspended, a debugger) holds up the others for so long at
    /// most: the database then ends its transaction, and it begins that one again when it goes on.
    /// </summary>
    private const string LongestPause = "5s";

    /// <summary>The channel of notifications. A notification of another store in the same database has its node look once more.</summary>
    public const string Channel = "ingest_due";

    /// <summary>A notification has room for 8,000 bytes, and a time takes 14.</summary>
    private const int TimesOfNotification = 500;

    /// <summary>A connection that only listens learns in this way that the other end is gone.</summary>
    private const int KeepAliveSeconds = 30;

    /// <summary>Quartz's tables of earlier versions. Another program of the same database may use Quartz too.</summary>
    private const string QuartzTables = "ingest\\_qrtz\\_%";

    private readonly NpgsqlDataSource _source;
    private readonly string _listening;

    /// <exception cref="ArgumentException">The text is no connection string.</exception>
    public PostgresDialect(string connection)
    {
        NpgsqlConnectionStringBuilder given = new(connection);
        Place = string.Create(CultureInfo.InvariantCulture, $"postgres://{given.Username}@{given.Host}:{given.Port}/{given.Database}");
        _listening = new NpgsqlConnectionStringBuilder(connection)
        {
            ApplicationName = "ingest-scheduler listens",
            KeepAlive = KeepAliveSeconds,
            Pooling = false,
        }.ConnectionString;
        _source = NpgsqlDataSource.Create(given);
    }

    public override string Place { get; }

    public override bool IsShared => true;

    public override string NumberedKey => "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY";

    public override string Bytes => "BYTEA";

    public override string Now => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";

    public override string ForUpdate => " FOR UPDATE";

    /// <summary>A database may hold other programs' tables too: these have names of their own.</summary>
    public override string CountTables => "SELECT 0";

    public override string CountColumns =>
        "SELECT count(*) FROM pg_attribute WHERE attrelid = CAST(CAST(@table AS text) AS regclass) AND attname = @column "
        + "AND NOT attisdropped";

    public override bool IsCorrupt(DbException error) => false;

    public override async Task<DbConnection> OpenAsync(CancellationToken cancellationToken) =>
        await _source.OpenConnectionAsync(cancellationToken);

    public override Task<IDisposable> EnterAsync(CancellationToken cancellationToken) => Task.FromResult<IDisposable>(new MemoryStream(0));

    public override async Task<DbTransaction> BeginAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        DbTransaction transaction = await connection.BeginTransactionAsync(cancellationToken);
        await new StoreSession(connection, transaction).ExecuteAsync(
            $"SET LOCAL idle_in_transaction_session_timeout = '{LongestPause}'",
            cancellationToken
        );
        return transaction;
    }

    public override Task LockAsync(StoreSession session, StoreLockName name, CancellationToken cancellationToken) =>
        session.ExecuteAsync(
            "SELECT pg_advisory_xact_lock(@family, @name)",
            cancellationToken,
            ("family", LockFamily),
            ("name", (int)name)
        );

    public override async Task AnnounceAsync(
        StoreSession session,
        IReadOnlyCollection<DateTimeOffset> due,
        CancellationToken cancellationToken
    )
    {
        foreach (DateTimeOffset[] part in due.Chunk(TimesOfNotification))
        {
            string times = string.Join(',', part.Select(at => at.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)));
            await session.ExecuteAsync("SELECT pg_notify(@channel, @times)", cancellationToken, ("channel", Channel), ("times", times));
        }
    }

    public override async Task<string?> RemoveQuartzAsync(SchedulerStore store, CancellationToken cancellationToken) =>
        await store.WriteAsync(
            async session =>
            {
                await LockAsync(session, StoreLockName.Schema, cancellationToken);
                List<string> tables = await session.QueryAsync(
                    "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE @tables",
                    row => row.GetString(0),
                    cancellationToken,
                    ("tables", QuartzTables)
                );
                if (tables.Count == 0)
                    return null;
                foreach (string table in tables)
                    await session.ExecuteAsync($"DROP TABLE \"{table}\" CASCADE", cancellationToken);
                await session.ExecuteAsync("DELETE FROM ingest_meta WHERE name = 'quartz'", cancellationToken);
                return $"{tables.Count} tables of Quartz that an earlier version made in {Place} were dropped. All that they held stands "
                    + "in the schedules too.";
            },
            cancellationToken
        );

    /// <summary>The tables with their indexes.</summary>
    public override Task<long?> MeasureAsync(SchedulerStore store, CancellationToken cancellationToken) =>
        store.ReadAsync(
            session =>
                session.NumberAsync(
                    "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'ingest\\_%' "
                        + "AND relnamespace = CAST(current_schema() AS regnamespace)",
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>A connection that gets notifications.</summary>
    public async Task<NpgsqlConnection> ListenAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = new(_listening);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await using NpgsqlCommand command = new($"LISTEN {Channel}", connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
