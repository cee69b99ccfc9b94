using System.Data.Common;

namespace IngestTools.Scheduler.Store;

/// <summary>The daemon's own tables: schedules, runs with what they did, and the nodes that share the work.</summary>
/// <param name="dialect">The database.</param>
/// <param name="claim">This start of this daemon.</param>
/// <param name="node">The node's name.</param>
internal sealed partial class SchedulerStore(StoreDialect dialect, string claim, string node)
{
    public StoreDialect Dialect => dialect;

    /// <summary>A claim for a start of a daemon.</summary>
    public static string NewClaim() => Guid.NewGuid().ToString("N");

    /// <summary>This start of this daemon: what it has taken, no other one touches while it lives.</summary>
    public string Claim => claim;

    public string Node => node;

    /// <summary>Is called with the times of schedules that were registered or changed, by this node or by another.</summary>
    public Func<IReadOnlyCollection<DateTimeOffset>, Task>? DueTimesAnnounced { get; set; }

    public Task AnnounceAsync(IReadOnlyCollection<DateTimeOffset> due) => DueTimesAnnounced?.Invoke(due) ?? Task.CompletedTask;

    public async Task<T> ReadAsync<T>(Func<StoreSession, Task<T>> work, CancellationToken cancellationToken)
    {
        await using DbConnection connection = await dialect.OpenAsync(cancellationToken);
        return await work(new StoreSession(connection, null));
    }

    /// <summary>Does something wholly or not at all. What was committed is on the disk.</summary>
    public async Task<T> WriteAsync<T>(Func<StoreSession, Task<T>> work, CancellationToken cancellationToken)
    {
        using IDisposable turn = await dialect.EnterAsync(cancellationToken);
        await using DbConnection connection = await dialect.OpenAsync(cancellationToken);
        await using DbTransaction transaction = await dialect.BeginAsync(connection, cancellationToken);
        StoreSession session = new(connection, transaction);
        T result = await work(session);
        bool isAnyReported = await AddNotificationsAsync(session, cancellationToken);
        if (session.DueTimes.Count > 0)
            await dialect.AnnounceAsync(session, session.DueTimes, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (session.DueTimes.Count > 0)
            await AnnounceAsync(session.DueTimes);
        if (isAnyReported)
            NotificationsAdded?.Invoke();
        return result;
    }

    // Schedules

    /// <exception cref="IngestException"><see cref="ErrorId.InvalidSchedule"/>: it is there, and cannot be read.</exception>
    public async Task<StoredSchedule?> FindScheduleAsync(string name, CancellationToken cancellationToken) =>
        (await FindRowAsync(name, cancellationToken))?.Open();

    public Task<ScheduleRow?> FindRowAsync(string name, CancellationToken cancellationToken) =>
        ReadAsync(session => FindRowAsync(session, StoredSchedule.KeyOf(name), cancellationToken), cancellationToken);

    public static async Task<ScheduleRow?> FindRowAsync(StoreSession session, string key, CancellationToken cancellationToken) =>
        (
            await session.QueryAsync(
                "SELECT * FROM ingest_schedule WHERE name_key = @key",
                ScheduleRow.Read,
                cancellationToken,
                ("key", key)
            )
        ).FirstOrDefault();

    /// <summary>
    /// A schedule that no other node plans, changes or ends a run of until the transaction ends. Whoever does one of these takes it before
    /// any run.
    /// </summary>
    public async Task<ScheduleRow?> HoldRowAsync(StoreSession session, string key, CancellationToken cancellationToken)
    {
        // Who waited for a schedule that was registered again finds the old row gone, and the new one when it asks once more.
        return await ReadAsync() ?? (dialect.IsShared ? await ReadAsync() : null);

        async Task<ScheduleRow?> ReadAsync() =>
            (
                await session.QueryAsync(
                    $"SELECT * FROM ingest_schedule WHERE name_key = @key{dialect.ForUpdate}",
                    ScheduleRow.Read,
                    cancellationToken,
                    ("key", key)
                )
            ).FirstOrDefault();
    }

    /// <summary>The next schedules by name after one, so that a long list is never held whole.</summary>
    public Task<List<ScheduleRow>> ReadSchedulesAfterAsync(string key, int most, CancellationToken cancellationToken) =>
        ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT * FROM ingest_schedule WHERE name_key > @key ORDER BY name_key LIMIT @most",
                    ScheduleRow.Read,
                    cancellationToken,
                    ("key", key),
                    ("most", most)
                ),
            cancellationToken
        );

    /// <summary>
    /// Keeps a schedule; false where one of its name is there and is not to be replaced, or has had the only time of the new one. Gives the
    /// one that was there.
    /// </summary>
    public Task<(bool Kept, StoredSchedule? Replaced)> PutScheduleAsync(
        StoredSchedule schedule,
        bool replace,
        CancellationToken cancellationToken
    ) =>
        WriteAsync<(bool, StoredSchedule?)>(
            async session =>
            {
                ScheduleRow? row = await HoldRowAsync(session, schedule.Key, cancellationToken);
                StoredSchedule? old = row?.Schedule;
                if (
                    row is not null
                    && (
                        !replace
                        || (
                            old?.Status == ScheduleStatus.Ended
                            && schedule.Definition.At is { } at
                            && old.IsOf(at, schedule.Definition.Load)
                        )
                    )
                )
                    return (false, old);
                await session.ExecuteAsync("DELETE FROM ingest_schedule WHERE name_key = @key", cancellationToken, ("key", schedule.Key));
                if (row is not null)
                    await EndRetriesAsync(
                        session,
                        schedule.Key,
                        schedule.RegisteredAt,
                        "The schedule was registered again.",
                        cancellationToken
                    );
                int added = await session.ExecuteAsync(
                    """
                    INSERT INTO ingest_schedule (name_key, revision, definition, status, reason, spool, registered_at, registered_by,
                        next_due, changed)
                    VALUES (@key, @revision, @definition, @status, @reason, @spool, @registered_at, @registered_by,
                        @next_due, @changed) ON CONFLICT (name_key) DO NOTHING
                    """,
                    cancellationToken,
                    schedule.Values()
                );
                if (added == 1)
                    session.NoteDue(schedule);
                return (added == 1, old);
            },
            cancellationToken
        );

    public Task<ScheduleRow?> DeleteScheduleAsync(string name, DateTimeOffset now, CancellationToken cancellationToken) =>
        WriteAsync(
            async session =>
            {
                string key = StoredSchedule.KeyOf(name);
                ScheduleRow? old = await HoldRowAsync(session, key, cancellationToken);
                await session.ExecuteAsync("DELETE FROM ingest_schedule WHERE name_key = @key", cancellationToken, ("key", key));
                await EndRetriesAsync(session, key, now, "The schedule was unregistered.", cancellationToken);
                return old;
            },
            cancellationToken
        );

    /// <summary>Changes where a schedule stands, unless somebody else did meanwhile.</summary>
    public Task<bool> ChangeScheduleAsync(StoredSchedule was, StoredSchedule now, CancellationToken cancellationToken) =>
        WriteAsync(session => ChangeScheduleAsync(session, was, now, cancellationToken), cancellationToken);

    /// <summary>Suspends a schedule, and ends what would repeat its failed runs; false where somebody else changed it meanwhile.</summary>
    public Task<bool> SuspendScheduleAsync(
        StoredSchedule was,
        StoredSchedule now,
        DateTimeOffset at,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async session =>
            {
                if (!await ChangeScheduleAsync(session, was, now, cancellationToken))
                    return false;
                await EndRetriesAsync(session, now.Key, at, "The schedule was suspended.", cancellationToken);
                return true;
            },
            cancellationToken
        );

    /// <summary>Changes what a schedule loads and when, unless somebody else changed it meanwhile. Runs that have begun stay.</summary>
    public Task<bool> ChangeDefinitionAsync(
        StoredSchedule was,
        StoredSchedule now,
        string host,
        DateTimeOffset at,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async session =>
            {
                if (!await ChangeScheduleAsync(session, was, now, cancellationToken))
                    return false;
                await session.ExecuteAsync(
                    "UPDATE ingest_schedule SET definition = @definition, spool = @spool, changed = changed + 1 "
                        + "WHERE name_key = @key AND revision = @revision",
                    cancellationToken,
                    [.. now.Values().Where(value => value.Item1 is "key" or "revision" or "definition" or "spool")]
                );
                await ChangeRetriesAsync(session, now, host, at, cancellationToken);
                return true;
            },
            cancellationToken
        );

    public static async Task<bool> ChangeScheduleAsync(
        StoreSession session,
        StoredSchedule was,
        StoredSchedule now,
        CancellationToken cancellationToken
    )
    {
        int changed = await session.ExecuteAsync(
            $"""
            UPDATE ingest_schedule SET status = @status, reason = @reason, next_due = @next_due, registered_at = @registered_at
            WHERE name_key = @key AND revision = @revision AND changed = @changed AND status = @was_status AND {(
                was.NextDue is null ? "next_due IS NULL" : "next_due = @was_due"
            )}
            """,
            cancellationToken,
            ("key", was.Key),
            ("revision", was.Revision),
            ("changed", was.Changed),
            ("was_status", was.Status.ToString()),
            ("was_due", was.NextDue?.ToUnixTimeMilliseconds()),
            ("status", now.Status.ToString()),
            ("reason", now.Reason),
            ("next_due", now.NextDue?.ToUnixTimeMilliseconds()),
            ("registered_at", now.RegisteredAt.ToUnixTimeMilliseconds())
        );
        if (changed == 1)
            session.NoteDue(now);
        return changed == 1;
    }

    /// <summary>A quotation mark in a text is escaped, so this can only be the property.</summary>
    private const string HasNoServer = """definition NOT LIKE '%"server":%'""";

    /// <summary>The next schedules by name after one that have no server: an earlier version registered them.</summary>
    public Task<List<ScheduleRow>> ReadWithoutServerAfterAsync(string key, int most, CancellationToken cancellationToken) =>
        ReadAsync(
            session =>
                session.QueryAsync(
                    $"SELECT * FROM ingest_schedule WHERE name_key > @key AND {HasNoServer} ORDER BY name_key LIMIT @most",
                    ScheduleRow.Read,
                    cancellationToken,
                    ("key", key),
                    ("most", most)
                ),
            cancellationToken
        );

    /// <summary>
    /// Records the servers of schedules, except those that were replaced or given a server meanwhile; returns the number of those recorded.
    /// </summary>
    public Task<int> RecordServersAsync(IReadOnlyList<StoredSchedule> schedules, CancellationToken cancellationToken) =>
        WriteAsync(
            async session =>
            {
                int count = 0;
                foreach (StoredSchedule schedule in schedules)
                {
                    if (await RecordServerAsync(session, schedule, cancellationToken))
                        count++;
                }

                return count;
            },
            cancellationToken
        );

    /// <summary>Records the server of a schedule; false where it was replaced or given a server meanwhile.</summary>
    public static async Task<bool> RecordServerAsync(StoreSession session, StoredSchedule schedule, CancellationToken cancellationToken) =>
        await session.ExecuteAsync(
            "UPDATE ingest_schedule SET definition = @definition WHERE name_key = @key AND revision = @revision AND changed = @changed "
                + $"AND {HasNoServer}",
            cancellationToken,
            schedule.Values().Where(value => value.Item1 is "key" or "revision" or "definition" or "changed").ToArray()
        ) == 1;

    /// <summary>Schedules whose time has come up to a moment and was not planned, in an order that is the same for all who ask.</summary>
    public Task<List<string>> ReadDueAsync(DateTimeOffset until, int skip, int most, CancellationToken cancellationToken) =>
        ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT name_key FROM ingest_schedule WHERE status = 'Active' AND next_due <= @until ORDER BY next_due, name_key "
                        + "LIMIT @most OFFSET @skip",
                    row => row.Text("name_key"),
                    cancellationToken,
                    ("until", until.ToUnixTimeMilliseconds()),
                    ("most", most),
                    ("skip", skip)
                ),
            cancellationToken
        );

    /// <summary>The times within a span at which schedules are due, each once, the next first.</summary>
    public Task<List<DateTimeOffset>> ReadDueTimesAsync(
        DateTimeOffset after,
        DateTimeOffset until,
        int most,
        CancellationToken cancellationToken
    ) =>
        ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT DISTINCT next_due FROM ingest_schedule WHERE status = 'Active' AND next_due > @after AND next_due <= @until "
                        + "ORDER BY next_due LIMIT @most",
                    row => row.Time("next_due"),
                    cancellationToken,
                    ("after", after.ToUnixTimeMilliseconds()),
                    ("until", until.ToUnixTimeMilliseconds()),
                    ("most", most)
                ),
            cancellationToken
        );

    public Task<List<string>> ReadSpoolNamesInUseAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT spool FROM ingest_schedule WHERE spool IS NOT NULL UNION SELECT spool FROM ingest_run WHERE spool IS NOT "
                        + "NULL AND ended = 0",
                    row => row.Text("spool"),
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>The schedules that have a copy of what they load, and its name.</summary>
    public Task<List<(string Key, string Copy)>> ReadSpoolsOfSchedulesAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT name_key, spool FROM ingest_schedule WHERE spool IS NOT NULL AND status = 'Active'",
                    row => (row.Text("name_key"), row.Text("spool")),
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Whether the store has neither schedules nor runs.</summary>
    public async Task<bool> IsEmptyAsync(CancellationToken cancellationToken) =>
        await ReadAsync(
            session =>
                session.NumberAsync(
                    "SELECT count(*) FROM (SELECT 1 FROM ingest_schedule UNION ALL SELECT 1 FROM ingest_run) AS kept",
                    cancellationToken
                ),
            cancellationToken
        ) == 0;

    // Nodes

    /// <summary>Writes that this daemon lives; false where another one of the same name does.</summary>
    public Task<bool> BeatAsync(string host, TimeSpan deadAfter, CancellationToken cancellationToken) =>
        WriteAsync(
            async session =>
                await session.ExecuteAsync(
                    $"""
                    INSERT INTO ingest_node (node, claim, host, process, seen) VALUES (@node, @claim, @host, @process, {dialect.Now})
                    ON CONFLICT (node) DO UPDATE SET claim = @claim, host = @host, process = @process, seen = {dialect.Now}
                    WHERE ingest_node.claim = @claim OR ingest_node.seen < {dialect.Now} - @dead
                    """,
                    cancellationToken,
                    ("node", node),
                    ("claim", claim),
                    ("host", host),
                    ("process", Environment.ProcessId),
                    ("dead", (long)deadAfter.TotalMilliseconds)
                ) == 1,
            cancellationToken
        );

    /// <summary>Who has this node's name: its machine and process; null where nobody has.</summary>
    public async Task<(string Host, int Process)?> ReadNamesakeAsync(CancellationToken cancellationToken)
    {
        List<(string, int)> found = await ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT host, process FROM ingest_node WHERE node = @node",
                    row => (row.Text("host"), (int)row.Number("process")),
                    cancellationToken,
                    ("node", node)
                ),
            cancellationToken
        );
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>The one that has this node's name is dead for certain.</summary>
    public Task<int> ForgetNamesakeAsync(int process, CancellationToken cancellationToken) =>
        WriteAsync(
            session =>
                session.ExecuteAsync(
                    "DELETE FROM ingest_node WHERE node = @node AND process = @process",
                    cancellationToken,
                    ("node", node),
                    ("process", process)
                ),
            cancellationToken
        );

    /// <summary>This daemon ends: what it has may be taken at once.</summary>
    public Task<int> LeaveAsync(CancellationToken cancellationToken) =>
        WriteAsync(
            session => session.ExecuteAsync("DELETE FROM ingest_node WHERE claim = @claim", cancellationToken, ("claim", claim)),
            cancellationToken
        );

    /// <summary>Who has the lock of a store has it alone: whatever is written of others is over.</summary>
    public Task<int> ForgetNodesAsync(CancellationToken cancellationToken) =>
        WriteAsync(
            session => session.ExecuteAsync("DELETE FROM ingest_node WHERE claim <> @claim", cancellationToken, ("claim", claim)),
            cancellationToken
        );

    /// <summary>How many daemons live besides this one.</summary>
    public async Task<long> CountOtherNodesAsync(TimeSpan deadAfter, CancellationToken cancellationToken) =>
        await ReadAsync(
            session =>
                session.NumberAsync(
                    $"SELECT count(*) FROM ingest_node WHERE claim <> @claim AND seen >= {dialect.Now} - @dead",
                    cancellationToken,
                    ("claim", claim),
                    ("dead", (long)deadAfter.TotalMilliseconds)
                ),
            cancellationToken
        ) ?? 0;

    /// <summary>How many daemons live.</summary>
    public static async Task<long> CountNodesAsync(
        StoreSession session,
        StoreDialect dialect,
        TimeSpan deadAfter,
        CancellationToken cancellationToken
    ) =>
        await session.NumberAsync(
            $"SELECT count(*) FROM ingest_node WHERE seen >= {dialect.Now} - @dead",
            cancellationToken,
            ("dead", (long)deadAfter.TotalMilliseconds)
        ) ?? 0;

    /// <summary>The store's own clock.</summary>
    public Task<DateTimeOffset> ReadNowAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            async session =>
                DateTimeOffset.FromUnixTimeMilliseconds(
                    (await session.NumberAsync($"SELECT {dialect.Now}", cancellationToken)).GetValueOrDefault()
                ),
            cancellationToken
        );

    // What else is kept

    public async Task<string?> ReadMetaAsync(string name, CancellationToken cancellationToken) =>
        (
            await ReadAsync(
                session =>
                    session.QueryAsync(
                        "SELECT value FROM ingest_meta WHERE name = @name",
                        row => row.Text("value"),
                        cancellationToken,
                        ("name", name)
                    ),
                cancellationToken
            )
        ).FirstOrDefault();

    /// <summary>Keeps a value; null removes it.</summary>
    public Task<int> WriteMetaAsync(string name, string? value, CancellationToken cancellationToken) =>
        WriteAsync(
            session =>
                value is null
                    ? session.ExecuteAsync("DELETE FROM ingest_meta WHERE name = @name", cancellationToken, ("name", name))
                    : session.ExecuteAsync(
                        "INSERT INTO ingest_meta (name, value) VALUES (@name, @value) ON CONFLICT (name) DO UPDATE SET value = @value",
                        cancellationToken,
                        ("name", name),
                        ("value", value)
                    ),
            cancellationToken
        );

    /// <summary>
    /// Deletes runs that ended before a moment, with their logs, and schedules that have neither times nor runs any more.
    /// </summary>
    public Task<int> ForgetRunsAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        WriteAsync(
            async session =>
            {
                (string, object?) limit = ("before", before.ToUnixTimeMilliseconds());
                await session.ExecuteAsync(
                    "DELETE FROM ingest_notification WHERE run_id IN (SELECT id FROM ingest_run WHERE ended = 1 AND completed_at < "
                        + "@before)",
                    cancellationToken,
                    limit
                );
                await session.ExecuteAsync(
                    "DELETE FROM ingest_run_log WHERE run_id IN (SELECT id FROM ingest_run WHERE ended = 1 AND completed_at < @before)",
                    cancellationToken,
                    limit
                );
                int forgotten = await session.ExecuteAsync(
                    "DELETE FROM ingest_run WHERE ended = 1 AND completed_at < @before",
                    cancellationToken,
                    limit
                );
                await session.ExecuteAsync(
                    "DELETE FROM ingest_schedule WHERE status = 'Ended' AND registered_at < @before AND name_key NOT IN (SELECT "
                        + "name_key FROM ingest_run)",
                    cancellationToken,
                    limit
                );
                return forgotten;
            },
            cancellationToken
        );
}
