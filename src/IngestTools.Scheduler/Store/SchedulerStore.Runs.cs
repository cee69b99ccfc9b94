using System.Globalization;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Store;

/// <content>Runs, and what they did.</content>
internal sealed partial class SchedulerStore
{
    /// <summary>Writes a run that is new; its number, or null where there is one for that time already.</summary>
    public static async Task<long?> AddRunAsync(StoreSession session, StoredRun run, CancellationToken cancellationToken)
    {
        long? number = await session.NumberAsync(
            """
            INSERT INTO ingest_run (name_key, name, due_key, due_at, manual, attempt, retry_of, not_before, status, ended, started_at,
                completed_at, load, spool, host, transaction_ids, remote_name, completed, total, unit, message)
            VALUES (@name_key, @name, @due_key, @due_at, @manual, @attempt, @retry_of, @not_before, @status, @ended, @started_at,
                @completed_at, @load, @spool, @host, @transaction_ids, @remote_name, @completed, @total, @unit, @message)
            ON CONFLICT (due_key) DO NOTHING RETURNING id
            """,
            cancellationToken,
            [.. run.FixedValues(), .. run.ChangingValues().Where(value => value.Item1 != "id")]
        );
        if (number is not null && run.IsTerminal)
            session.NoteEnd(run with { Number = number.Value });
        return number;
    }

    /// <summary>Writes where a run of this daemon stands; false where it no longer has it.</summary>
    public Task<bool> WriteRunAsync(StoredRun run, CancellationToken cancellationToken) =>
        WriteAsync(session => WriteRunAsync(session, run, cancellationToken), cancellationToken);

    private async Task<bool> WriteRunAsync(StoreSession session, StoredRun run, CancellationToken cancellationToken)
    {
        bool isWritten =
            await session.ExecuteAsync(
                """
                UPDATE ingest_run SET status = @status, ended = @ended, started_at = @started_at, completed_at = @completed_at,
                    transaction_ids = @transaction_ids,
                    remote_name = @remote_name, completed = @completed, total = @total, unit = @unit, message = @message
                WHERE id = @id AND claim = @claim AND ended = 0
                """,
                cancellationToken,
                [.. run.ChangingValues(), ("claim", claim)]
            ) == 1;
        if (isWritten && run.IsTerminal)
            session.NoteEnd(run);
        return isWritten;
    }

    /// <summary>
    /// Writes the end of a run of this daemon, and with it the run that repeats it; not written where it no longer has it. Where another
    /// run of the schedule waits or is under way, that one does the load. Written once more, it changes nothing: the answer to the first
    /// time may have been lost.
    /// </summary>
    /// <param name="run">The run as it ended.</param>
    /// <param name="now">The time from which a repetition waits.</param>
    /// <param name="hostOf">The host that a connection goes to.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    public Task<(bool Written, StoredRun? Retry)> EndRunAsync(
        StoredRun run,
        DateTimeOffset now,
        Func<string, string> hostOf,
        CancellationToken cancellationToken
    ) =>
        WriteAsync<(bool, StoredRun?)>(
            async session =>
            {
                StoredSchedule? schedule = (await HoldRowAsync(session, run.Key, cancellationToken))?.Schedule;
                if (!await WriteRunAsync(session, run, cancellationToken))
                    return await FindOwnEndAsync(session, run, cancellationToken);
                if (
                    run.Status != RunStatus.Failed
                    || run.CreateRetry(schedule, now, hostOf) is not { } retry
                    || (await ReadGoingAsync(session, run.Key, cancellationToken)).Count > 0
                    || await AddRunAsync(session, retry, cancellationToken) is not { } number
                )
                    return (true, null);
                return (true, retry with { Number = number });
            },
            cancellationToken
        );

    /// <summary>Whether this daemon wrote the end of a run before, and the run that it added then.</summary>
    private async Task<(bool Written, StoredRun? Retry)> FindOwnEndAsync(
        StoreSession session,
        StoredRun run,
        CancellationToken cancellationToken
    )
    {
        StoredRun? found = (await FindRunAsync(session, run.Number, cancellationToken)).FirstOrDefault();
        if (found is not { IsTerminal: true } || found.Claim != claim || found.Status != run.Status)
            return (false, null);
        List<StoredRun> going = await ReadGoingAsync(session, run.Key, cancellationToken);
        return (true, going.Find(other => other.RetryOf == (run.RetryOf ?? run.Number) && other.Attempt == run.Attempt + 1));
    }

    /// <summary>
    /// Lets a run that was planned take the place of those that would repeat a failed one: it does all that they would do, and sends and
    /// loads again where one of them would.
    /// </summary>
    /// <returns>The run as it is now.</returns>
    public static async Task<StoredRun> TakePlaceOfRetriesAsync(
        StoreSession session,
        StoredRun run,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        List<StoredRun> ended = await EndRetriesAsync(session, run.Key, now, $"{run.Id} takes its place.", cancellationToken);
        if (run.Load.Again || !ended.Exists(retry => retry.Load.Again))
            return run;
        run = run with { Load = run.Load with { Again = true } };
        await session.ExecuteAsync(
            "UPDATE ingest_run SET load = @load WHERE id = @id",
            cancellationToken,
            ("id", run.Number),
            ("load", LoadJson.Write(run.Load))
        );
        return run;
    }

    /// <summary>Ends the runs of a schedule that would repeat a failed one and have not begun.</summary>
    private static Task<List<StoredRun>> EndRetriesAsync(
        StoreSession session,
        string key,
        DateTimeOffset now,
        string message,
        CancellationToken cancellationToken
    ) =>
        session.QueryAsync(
            """
            UPDATE ingest_run SET status = 'Canceled', ended = 1, completed_at = @now, message = @message
            WHERE name_key = @key AND ended = 0 AND claim IS NULL AND not_before IS NOT NULL
            RETURNING *
            """,
            StoredRun.Read,
            cancellationToken,
            ("key", key),
            ("now", now.ToUnixTimeMilliseconds()),
            ("message", message)
        );

    /// <summary>
    /// Lets no run that would repeat a failed one wait longer than its schedule says, from now on: a clock was ahead when it was planned.
    /// </summary>
    public async Task LimitRetriesAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        List<StoredRun> waiting = await ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT * FROM ingest_run WHERE ended = 0 AND claim IS NULL AND not_before > @now",
                    StoredRun.Read,
                    cancellationToken,
                    ("now", now.ToUnixTimeMilliseconds())
                ),
            cancellationToken
        );
        foreach (StoredRun run in waiting)
        {
            if ((await FindRowAsync(run.Name, cancellationToken))?.Schedule is not { } schedule)
                continue;
            DateTimeOffset latest = now + (schedule.Definition.RetryAfter ?? ScheduleDefinition.DefaultRetryAfter);
            if (run.NotBefore <= latest)
                continue;
            await WriteAsync(
                session =>
                    session.ExecuteAsync(
                        "UPDATE ingest_run SET not_before = @latest, due_at = @latest WHERE id = @id AND ended = 0 AND claim IS NULL",
                        cancellationToken,
                        ("id", run.Number),
                        ("latest", latest.ToUnixTimeMilliseconds())
                    ),
                cancellationToken
            );
        }
    }

    /// <summary>Gives the runs that would repeat a failed one what their schedule loads now; those that are one too many end.</summary>
    private static async Task ChangeRetriesAsync(
        StoreSession session,
        StoredSchedule schedule,
        string host,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        foreach (StoredRun retry in (await ReadGoingAsync(session, schedule.Key, cancellationToken)).Where(run => run.IsPendingRetry))
        {
            if (retry.Attempt > (schedule.Definition.RetryFailed ?? 0) + 1)
            {
                await EndRetriesAsync(session, schedule.Key, now, "The schedule was changed, and repeats it no more.", cancellationToken);
                return;
            }

            LoadDefinition load = schedule.Definition.Load with { Again = schedule.Definition.Load.Again || retry.Load.Again };
            await session.ExecuteAsync(
                "UPDATE ingest_run SET load = @load, spool = @spool, host = @host WHERE id = @id AND ended = 0 AND claim IS NULL",
                cancellationToken,
                ("id", retry.Number),
                ("load", LoadJson.Write(load)),
                ("spool", schedule.Spool),
                ("host", host)
            );
        }
    }

    /// <summary>
    /// Keeps what a run has to remember; false where this daemon no longer has it. It can be long, so it is not written with every step.
    /// </summary>
    public Task<bool> WriteMarkerAsync(long number, string marker, CancellationToken cancellationToken) =>
        WriteAsync(
            async session =>
                await session.ExecuteAsync(
                    "UPDATE ingest_run SET marker = @marker WHERE id = @id AND claim = @claim AND ended = 0",
                    cancellationToken,
                    ("id", number),
                    ("claim", claim),
                    ("marker", marker)
                ) == 1,
            cancellationToken
        );

    /// <summary>
    /// Makes sure that this daemon has a run, and that no other takes it for as long as daemons wait for each other, reckoned from now by
    /// the store's clock; false where another has it, or may take it at any time.
    /// </summary>
    public Task<bool> HoldRunAsync(long number, CancellationToken cancellationToken) =>
        WriteAsync(
            async session =>
            {
                // One that just now looks for what dead daemons had does not see what is written here, so it has to be through.
                await dialect.LockAsync(session, StoreLockName.Claim, cancellationToken);
                return await session.ExecuteAsync(
                        $"UPDATE ingest_node SET seen = {dialect.Now} WHERE claim = @claim",
                        cancellationToken,
                        ("claim", claim)
                    ) == 1
                    && await session.NumberAsync(
                        "SELECT id FROM ingest_run WHERE id = @id AND claim = @claim AND ended = 0",
                        cancellationToken,
                        ("id", number),
                        ("claim", claim)
                    )
                        is not null;
            },
            cancellationToken
        );

    public async Task<StoredRun?> FindRunAsync(long number, CancellationToken cancellationToken) =>
        (await ReadAsync(session => FindRunAsync(session, number, cancellationToken), cancellationToken)).FirstOrDefault();

    private static Task<List<StoredRun>> FindRunAsync(StoreSession session, long number, CancellationToken cancellationToken) =>
        session.QueryAsync("SELECT * FROM ingest_run WHERE id = @id", StoredRun.Read, cancellationToken, ("id", number));

    /// <summary>The newest run of a schedule before a number that had items, whatever became of them; null where there is none.</summary>
    public async Task<StoredRun?> FindRunWithItemsAsync(string key, long before, CancellationToken cancellationToken) =>
        (
            await ReadAsync(
                session =>
                    session.QueryAsync(
                        "SELECT * FROM ingest_run WHERE name_key = @key AND id < @before AND (completed > 0 OR total > 0) "
                            + "ORDER BY id DESC LIMIT 1",
                        StoredRun.Read,
                        cancellationToken,
                        ("key", key),
                        ("before", before)
                    ),
                cancellationToken
            )
        ).FirstOrDefault();

    public Task<List<StoredRun>> ReadLastRunsAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        if (keys.Count == 0)
            return Task.FromResult<List<StoredRun>>([]);
        (string Name, object? Value)[] values = keys.Select(
                (key, index) => (string.Create(CultureInfo.InvariantCulture, $"key{index}"), (object?)key)
            )
            .ToArray();
        return ReadAsync(
            session =>
                session.QueryAsync(
                    $"""
                    SELECT * FROM ingest_run
                    WHERE id IN (SELECT max(id) FROM ingest_run WHERE name_key IN ({string.Join(
                        ", ",
                        values.Select(value => "@" + value.Name)
                    )}) GROUP BY name_key)
                    """,
                    StoredRun.Read,
                    cancellationToken,
                    values
                ),
            cancellationToken
        );
    }

    /// <summary>Forgets that times of a schedule were missed which are yet to come: a clock was ahead when that was noted.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="moment">Times after it are yet to come.</param>
    /// <param name="later">Only what was noted later than this after its time; zero is whatever was noted.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<int> ForgetMissedAfterAsync(
        StoreSession session,
        StoredSchedule schedule,
        DateTimeOffset moment,
        TimeSpan later,
        CancellationToken cancellationToken
    )
    {
        const string missed =
            "name_key = @key AND status = 'Missed' AND due_at > @moment AND due_key LIKE @keys AND completed_at >= due_at + @later";
        (string, object?)[] values =
        [
            ("key", schedule.Key),
            ("moment", moment.ToUnixTimeMilliseconds()),
            ("keys", schedule.Revision + "/%"),
            ("later", (long)later.TotalMilliseconds),
        ];
        foreach (string table in (string[])["ingest_run_log", "ingest_notification"])
            await session.ExecuteAsync(
                $"DELETE FROM {table} WHERE run_id IN (SELECT id FROM ingest_run WHERE {missed})",
                cancellationToken,
                values
            );
        return await session.ExecuteAsync($"DELETE FROM ingest_run WHERE {missed}", cancellationToken, values);
    }

    /// <summary>Runs of a schedule that have not ended.</summary>
    public static Task<List<StoredRun>> ReadGoingAsync(StoreSession session, string key, CancellationToken cancellationToken) =>
        session.QueryAsync(
            "SELECT * FROM ingest_run WHERE name_key = @key AND ended = 0 ORDER BY id",
            StoredRun.Read,
            cancellationToken,
            ("key", key)
        );

    /// <summary>The oldest run of each host that has a place free, and that waits for no other run of its schedule.</summary>
    public Task<List<StoredRun>> ReadWaitingAsync(int placesOfHost, int most, DateTimeOffset now, CancellationToken cancellationToken) =>
        ReadAsync(
            session =>
                session.QueryAsync(
                    $"""
                    SELECT * FROM ingest_run r
                    WHERE ended = 0 AND claim IS NULL AND (not_before IS NULL OR not_before <= @now)
                        AND host NOT IN (SELECT host FROM ingest_run WHERE ended = 0
                            AND claim IS NOT NULL GROUP BY host HAVING count(*) >= @places)
                        AND NOT EXISTS (SELECT 1 FROM ingest_run o WHERE o.name_key = r.name_key AND o.ended = 0 AND o.claim IS NOT NULL)
                    ORDER BY id LIMIT @most
                    """,
                    StoredRun.Read,
                    cancellationToken,
                    ("places", placesOfHost),
                    ("now", now.ToUnixTimeMilliseconds()),
                    ("most", most)
                ),
            cancellationToken
        );

    /// <summary>Takes a run that waits; null where another has it, or its host has no place free.</summary>
    public async Task<StoredRun?> TakeAsync(long number, int placesOfHost, DateTimeOffset now, CancellationToken cancellationToken) =>
        (
            await WriteAsync(
                async session =>
                {
                    await dialect.LockAsync(session, StoreLockName.Claim, cancellationToken);
                    return await session.QueryAsync(
                        $"""
                        UPDATE ingest_run SET claim = @claim, node = @node, started_at = coalesce(started_at, @now)
                        WHERE id = @id AND ended = 0 AND claim IS NULL AND (not_before IS NULL OR not_before <= @now)
                            AND (SELECT count(*) FROM ingest_run o WHERE o.host = ingest_run.host AND o.ended = 0
                                AND o.claim IS NOT NULL) < @places
                            AND NOT EXISTS (SELECT 1 FROM ingest_run o WHERE o.name_key = ingest_run.name_key AND o.ended = 0
                                AND o.claim IS NOT NULL)
                        RETURNING *
                        """,
                        StoredRun.Read,
                        cancellationToken,
                        ("id", number),
                        ("claim", claim),
                        ("node", node),
                        ("now", now.ToUnixTimeMilliseconds()),
                        ("places", placesOfHost)
                    );
                },
                cancellationToken
            )
        ).FirstOrDefault();

    /// <summary>Takes what daemons that no longer live had.</summary>
    /// <param name="deadAfter">A node without a heartbeat for this time is dead.</param>
    /// <param name="but">Runs that are left alone.</param>
    /// <param name="cancellationToken">Ends the taking.</param>
    public Task<List<StoredRun>> TakeOverAsync(TimeSpan deadAfter, IEnumerable<long> but, CancellationToken cancellationToken)
    {
        string others = string.Join(", ", but.Select(number => number.ToString(CultureInfo.InvariantCulture)));
        return WriteAsync(
            async session =>
            {
                await dialect.LockAsync(session, StoreLockName.Claim, cancellationToken);
                return await session.QueryAsync(
                    $"""
                    UPDATE ingest_run SET claim = @claim, node = @node
                    WHERE ended = 0 AND claim IS NOT NULL AND claim <> @claim AND claim NOT IN (SELECT claim FROM ingest_node
                        WHERE seen >= {dialect.Now} - @dead)
                        {(others.Length == 0 ? "" : $"AND id NOT IN ({others})")}
                    RETURNING *
                    """,
                    StoredRun.Read,
                    cancellationToken,
                    ("claim", claim),
                    ("node", node),
                    ("dead", (long)deadAfter.TotalMilliseconds)
                );
            },
            cancellationToken
        );
    }

    /// <summary>What this daemon has.</summary>
    public Task<List<StoredRun>> ReadOwnAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT * FROM ingest_run WHERE ended = 0 AND claim = @claim",
                    StoredRun.Read,
                    cancellationToken,
                    ("claim", claim)
                ),
            cancellationToken
        );

    /// <summary>Ends a run that nobody has begun; null where somebody has.</summary>
    public async Task<StoredRun?> CancelWaitingAsync(
        long number,
        DateTimeOffset now,
        string message,
        CancellationToken cancellationToken
    ) =>
        (
            await WriteAsync(
                async session =>
                {
                    List<StoredRun> ended = await session.QueryAsync(
                        $"""
                        UPDATE ingest_run SET status = 'Canceled', ended = 1, completed_at = @now, message = @message WHERE id = @id
                            AND ended = 0 AND claim IS NULL RETURNING *
                        """,
                        StoredRun.Read,
                        cancellationToken,
                        ("id", number),
                        ("now", now.ToUnixTimeMilliseconds()),
                        ("message", message)
                    );
                    ended.ForEach(session.NoteEnd);
                    return ended;
                },
                cancellationToken
            )
        ).FirstOrDefault();

    /// <summary>Ends a run of this daemon that cannot be read. What stands in the row is left as it is, for who looks into it.</summary>
    public Task<bool> EndUnreadableAsync(long number, DateTimeOffset now, string message, CancellationToken cancellationToken) =>
        WriteAsync(
            async session =>
            {
                if (
                    await session.ExecuteAsync(
                        "UPDATE ingest_run SET status = @status, ended = 1, completed_at = @now, message = @message WHERE id = @id "
                            + "AND claim = @claim AND ended = 0",
                        cancellationToken,
                        ("status", nameof(RunStatus.Unknown)),
                        ("now", now.ToUnixTimeMilliseconds()),
                        ("message", message),
                        ("id", number),
                        ("claim", claim)
                    ) == 0
                )
                {
                    return false;
                }

                await AddLogAsync(session, number, now, "Error", message, cancellationToken);
                (await FindRunAsync(session, number, cancellationToken)).ForEach(session.NoteEnd);
                return true;
            },
            cancellationToken
        );

    /// <summary>Asks the daemon that has a run to stop it.</summary>
    public Task<int> RequestStopAsync(long number, CancellationToken cancellationToken) =>
        WriteAsync(
            session =>
                session.ExecuteAsync(
                    "UPDATE ingest_run SET stop_requested = 1 WHERE id = @id AND ended = 0",
                    cancellationToken,
                    ("id", number)
                ),
            cancellationToken
        );

    /// <summary>What was asked for was done, or can never be.</summary>
    public Task<int> ForgetStopRequestAsync(long number, CancellationToken cancellationToken) =>
        WriteAsync(
            session =>
                session.ExecuteAsync(
                    "UPDATE ingest_run SET stop_requested = 0 WHERE id = @id AND claim = @claim",
                    cancellationToken,
                    ("id", number),
                    ("claim", claim)
                ),
            cancellationToken
        );

    /// <summary>Runs of this daemon that were asked to stop, through another node or before it had them.</summary>
    public Task<List<long>> ReadStopRequestsAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT id FROM ingest_run WHERE ended = 0 AND claim = @claim AND stop_requested = 1",
                    row => row.Number("id"),
                    cancellationToken,
                    ("claim", claim)
                ),
            cancellationToken
        );

    // What a run did

    public Task<int> WriteLogAsync(
        long number,
        DateTimeOffset time,
        string severity,
        string message,
        CancellationToken cancellationToken
    ) => WriteAsync(session => AddLogAsync(session, number, time, severity, message, cancellationToken), cancellationToken);

    public static Task<int> AddLogAsync(
        StoreSession session,
        long number,
        DateTimeOffset time,
        string severity,
        string message,
        CancellationToken cancellationToken
    ) =>
        session.ExecuteAsync(
            "INSERT INTO ingest_run_log (run_id, written_at, severity, message) VALUES (@id, @time, @severity, @message)",
            cancellationToken,
            ("id", number),
            ("time", time.ToUnixTimeMilliseconds()),
            ("severity", severity),
            ("message", message)
        );

    public async Task<IReadOnlyList<TransactionLogEntry>> ReadLogAsync(long number, CancellationToken cancellationToken) =>
        await ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT written_at, severity, message FROM ingest_run_log WHERE run_id = @id ORDER BY id",
                    row => new TransactionLogEntry(row.Time("written_at"), row.Text("severity"), row.Text("message")),
                    cancellationToken,
                    ("id", number)
                ),
            cancellationToken
        );

    // Numbers for the state

    /// <remarks>
    /// A run that failed counts no more when a repetition of it succeeded. The sign before ended has SQLite read the runs of the day, and
    /// not all that have ended.
    /// </remarks>
    public async Task<(int Active, int Suspended, int Running, int Troubled, DateTimeOffset? Next)> CountAsync(
        DateTimeOffset since,
        CancellationToken cancellationToken
    ) =>
        (
            await ReadAsync(
                session =>
                    session.QueryAsync(
                        """
                        SELECT (SELECT count(*) FROM ingest_schedule WHERE status = 'Active') AS active,
                            (SELECT count(*) FROM ingest_schedule WHERE status = 'Suspended') AS suspended,
                            (SELECT count(*) FROM ingest_run WHERE ended = 0 AND claim IS NOT NULL) AS running,
                            (SELECT count(*) FROM ingest_run WHERE +ended = 1 AND completed_at >= @since AND status IN ('Failed',
                                'PartlySucceeded', 'Missed', 'Unknown') AND coalesce(retry_of, id) NOT IN (SELECT retry_of FROM ingest_run
                                WHERE +ended = 1 AND completed_at >= @since AND status = 'Succeeded' AND retry_of IS NOT NULL)) AS troubled,
                            (SELECT min(next_due) FROM ingest_schedule WHERE status = 'Active') AS next
                        """,
                        static row =>
                            (
                                (int)row.Number("active"),
                                (int)row.Number("suspended"),
                                (int)row.Number("running"),
                                (int)row.Number("troubled"),
                                row.TimeOrNull("next")
                            ),
                        cancellationToken,
                        ("since", since.ToUnixTimeMilliseconds())
                    ),
                cancellationToken
            )
        )[0];
}
