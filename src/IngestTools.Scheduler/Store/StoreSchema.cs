using System.Data.Common;
using System.Globalization;

namespace IngestTools.Scheduler.Store;

/// <summary>The store's tables, and the stamp of the version that made them.</summary>
internal static class StoreSchema
{
    /// <summary>
    /// The version of the tables that this daemon knows. Each daemon refuses a later one: of what it does not know, a filter for example,
    /// it would load too much.
    /// </summary>
    public const long Version = 2;

    /// <summary>Makes the tables that are missing, and takes over those of an earlier version.</summary>
    /// <param name="dialect">The database.</param>
    /// <param name="deadAfter">A node without a heartbeat for this time is dead.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StoreException">The store is another program's, a newer version's, or broken, or a node of an earlier version
    /// works on it.</exception>
    public static async Task ProvideAsync(StoreDialect dialect, TimeSpan deadAfter, CancellationToken cancellationToken)
    {
        try
        {
            await using DbConnection connection = await dialect.OpenAsync(cancellationToken);
            await using DbTransaction transaction = await connection.BeginTransactionAsync(cancellationToken);
            StoreSession session = new(connection, transaction);
            await dialect.LockAsync(session, StoreLockName.Schema, cancellationToken);
            await CheckOwnerAsync(dialect, session, cancellationToken);
            foreach (string statement in Statements(dialect))
                await session.ExecuteAsync(statement, cancellationToken);
            foreach ((string table, string column, string type) in AddedColumns)
                await AddColumnAsync(dialect, session, table, column, type, cancellationToken);
            await session.ExecuteAsync(
                "INSERT INTO ingest_meta (name, value) VALUES ('schema', @value) ON CONFLICT (name) DO NOTHING",
                cancellationToken,
                ("value", Version.ToString(CultureInfo.InvariantCulture))
            );
            await RaiseVersionAsync(dialect, session, deadAfter, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        catch (DbException e) when (dialect.IsCorrupt(e))
        {
            throw Corrupt(dialect, e);
        }
        catch (DbException e)
        {
            throw new StoreException($"The store {dialect.Place} cannot be opened: {e.Message}", e);
        }
    }

    /// <summary>Makes sure that a store can be read by this version; nothing is made or changed.</summary>
    /// <exception cref="StoreException">The store is another program's, a newer version's, empty, or broken.</exception>
    public static async Task CheckReadableAsync(StoreDialect dialect, CancellationToken cancellationToken)
    {
        try
        {
            await using DbConnection connection = await dialect.OpenAsync(cancellationToken);
            StoreSession session = new(connection, null);
            await CheckOwnerAsync(dialect, session, cancellationToken);
            if (await session.NumberAsync(dialect.CountColumns, cancellationToken, ("table", "ingest_run"), ("column", "id")) == 0)
                throw new StoreException($"{dialect.Place} is not a store of ingest-scheduler: it has no tables. Put a copy of it back.");
            if (await ReadVersionAsync(session, cancellationToken) is { } found and > Version)
                throw Newer(dialect, found);
        }
        catch (DbException e) when (dialect.IsCorrupt(e))
        {
            throw Corrupt(dialect, e);
        }
    }

    public static StoreException Corrupt(StoreDialect dialect, Exception cause) =>
        new(
            $"The store {dialect.Place} is broken: {cause.Message.TrimEnd('.')}. Put a copy of it back. To begin without it, move it, "
                + $"{StoreMark.Name} and the folder spool away, start again, and import the schedules: ingest-scheduler import FILE.",
            cause
        );

    private static async Task CheckOwnerAsync(StoreDialect dialect, StoreSession session, CancellationToken cancellationToken)
    {
        if (await session.NumberAsync(dialect.CountTables, cancellationToken) > 0)
            throw new StoreException($"{dialect.Place} is the database of another program. Give a folder of its own with --store.");
    }

    private static async Task RaiseVersionAsync(
        StoreDialect dialect,
        StoreSession session,
        TimeSpan deadAfter,
        CancellationToken cancellationToken
    )
    {
        long? found = await ReadVersionAsync(session, cancellationToken);
        if (found == Version)
            return;
        if (found is not (> 0 and < Version))
            throw Newer(dialect, found);
        // The lock of a store in a file keeps them out.
        if (dialect.IsShared && await SchedulerStore.CountNodesAsync(session, dialect, deadAfter, cancellationToken) > 0)
            throw new OldNodesException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Nodes of an earlier version work on the store {dialect.Place}. Stop them all, then start the nodes of this "
                        + $"version. A node that was killed counts for another {deadAfter.TotalSeconds:0} s."
                )
            );
        await session.ExecuteAsync(
            "UPDATE ingest_meta SET value = @value WHERE name = 'schema'",
            cancellationToken,
            ("value", Version.ToString(CultureInfo.InvariantCulture))
        );
    }

    private static Task<long?> ReadVersionAsync(StoreSession session, CancellationToken cancellationToken) =>
        session.NumberAsync("SELECT value FROM ingest_meta WHERE name = 'schema'", cancellationToken);

    private static StoreException Newer(StoreDialect dialect, long? found) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"The store {dialect.Place} was made by a newer version of ingest-scheduler: its tables have version {found}, and "
                    + $"this one knows {Version}. "
            )
                + "Start that version, or take its schedules along: there 'ingest-scheduler export FILE', here 'ingest-scheduler "
                + "import FILE' into another store."
        );

    /// <summary>
    /// Columns that came after the first version. They are empty in what that version wrote.
    /// </summary>
    private static readonly (string Table, string Column, string Type)[] AddedColumns =
    [
        ("ingest_schedule", "changed", "BIGINT NOT NULL DEFAULT 0"),
        ("ingest_run", "attempt", "BIGINT"),
        ("ingest_run", "retry_of", "BIGINT"),
        ("ingest_run", "not_before", "BIGINT"),
        ("ingest_run", "notification", "TEXT"),
    ];

    private static async Task AddColumnAsync(
        StoreDialect dialect,
        StoreSession session,
        string table,
        string column,
        string type,
        CancellationToken cancellationToken
    )
    {
        if (await session.NumberAsync(dialect.CountColumns, cancellationToken, ("table", table), ("column", column)) == 0)
            await session.ExecuteAsync($"ALTER TABLE {table} ADD COLUMN {column} {type}", cancellationToken);
    }

    /// <remarks>
    /// Times are milliseconds since 1970 in UTC. A run that has not ended has ended = 0; one that a daemon has, has a claim.
    /// </remarks>
    private static IEnumerable<string> Statements(StoreDialect dialect) =>
        [
            "CREATE TABLE IF NOT EXISTS ingest_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
            """
                CREATE TABLE IF NOT EXISTS ingest_schedule (
                    name_key TEXT PRIMARY KEY, revision TEXT NOT NULL, definition TEXT NOT NULL, status TEXT NOT NULL, reason TEXT,
                        spool TEXT,
                    registered_at BIGINT NOT NULL, registered_by TEXT, next_due BIGINT)
                """,
            "CREATE INDEX IF NOT EXISTS ingest_schedule_due ON ingest_schedule (status, next_due)",
            $"""
                CREATE TABLE IF NOT EXISTS ingest_run (
                    id {dialect.NumberedKey}, name_key TEXT NOT NULL, name TEXT NOT NULL, due_key TEXT NOT NULL UNIQUE,
                        due_at BIGINT NOT NULL, manual BIGINT NOT NULL,
                    status TEXT NOT NULL, ended BIGINT NOT NULL, started_at BIGINT, completed_at BIGINT, load TEXT NOT NULL, spool TEXT,
                        host TEXT NOT NULL,
                    transaction_ids TEXT NOT NULL, remote_name TEXT, completed BIGINT, total BIGINT, unit TEXT, message TEXT, marker TEXT,
                    node TEXT, claim TEXT, stop_requested BIGINT NOT NULL DEFAULT 0)
                """,
            "CREATE INDEX IF NOT EXISTS ingest_run_name ON ingest_run (name_key, id)",
            "CREATE INDEX IF NOT EXISTS ingest_run_going ON ingest_run (ended, host)",
            "CREATE INDEX IF NOT EXISTS ingest_run_completed ON ingest_run (completed_at)",
            $"CREATE TABLE IF NOT EXISTS ingest_run_log (id {dialect.NumberedKey}, run_id BIGINT NOT NULL, written_at BIGINT NOT "
                + $"NULL, severity TEXT NOT NULL, message TEXT NOT NULL)",
            "CREATE INDEX IF NOT EXISTS ingest_run_log_run ON ingest_run_log (run_id)",
            "CREATE TABLE IF NOT EXISTS ingest_node (node TEXT PRIMARY KEY, claim TEXT NOT NULL, host TEXT NOT NULL, process BIGINT "
                + "NOT NULL, seen BIGINT NOT NULL)",
            $"CREATE TABLE IF NOT EXISTS ingest_notification (id {dialect.NumberedKey}, run_id BIGINT NOT NULL, kind TEXT NOT NULL, "
                + "target TEXT, state TEXT NOT NULL, attempts BIGINT NOT NULL, due_at BIGINT NOT NULL, reason TEXT)",
            "CREATE INDEX IF NOT EXISTS ingest_notification_due ON ingest_notification (state, due_at)",
            "CREATE INDEX IF NOT EXISTS ingest_notification_run ON ingest_notification (run_id)",
            $"CREATE TABLE IF NOT EXISTS ingest_spool (name TEXT NOT NULL, part BIGINT NOT NULL, content {dialect.Bytes} NOT NULL, "
                + $"kept_at BIGINT NOT NULL, PRIMARY KEY (name, part))",
        ];
}
