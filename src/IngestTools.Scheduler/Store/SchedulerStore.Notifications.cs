using System.Text.Json;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Store;

/// <content>Reports of runs that ended other than Succeeded. They are rows of the store, so that a restart loses none.</content>
internal sealed partial class SchedulerStore
{
    /// <summary>Whether this daemon reports the runs of all schedules to an address of its own.</summary>
    public bool ReportsAll { get; init; }

    /// <summary>Is called when reports were added.</summary>
    public Action? NotificationsAdded { get; set; }

    /// <summary>
    /// Takes reports that are due. Until <paramref name="until"/> nobody else takes them, also where this daemon is killed meanwhile.
    /// </summary>
    public Task<List<StoredNotification>> TakeNotificationsAsync(
        DateTimeOffset now,
        DateTimeOffset until,
        int most,
        CancellationToken cancellationToken
    )
    {
        // Only a daemon that has an address of its own can send to it.
        string due = $"state = 'Pending' AND due_at <= @now{(ReportsAll ? "" : " AND kind <> 'Daemon'")}";
        return WriteAsync(
            session =>
                session.QueryAsync(
                    $"""
                    UPDATE ingest_notification SET attempts = attempts + 1, due_at = @until
                    WHERE id IN (SELECT id FROM ingest_notification WHERE {due} ORDER BY due_at, id LIMIT @most) AND {due}
                    RETURNING *
                    """,
                    StoredNotification.Read,
                    cancellationToken,
                    ("now", now.ToUnixTimeMilliseconds()),
                    ("until", until.ToUnixTimeMilliseconds()),
                    ("most", most)
                ),
            cancellationToken
        );
    }

    /// <summary>Whether reports are due.</summary>
    public async Task<bool> AreNotificationsDueAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        await ReadAsync(
            session =>
                session.NumberAsync(
                    $"SELECT id FROM ingest_notification WHERE state = 'Pending' AND due_at <= @now"
                        + $"{(ReportsAll ? "" : " AND kind <> 'Daemon'")} LIMIT 1",
                    cancellationToken,
                    ("now", now.ToUnixTimeMilliseconds())
                ),
            cancellationToken
        )
            is not null;

    /// <summary>Writes what became of a report, and with it what the history of its run shows.</summary>
    public Task<int> WriteNotificationAsync(StoredNotification notification, CancellationToken cancellationToken) =>
        WriteAsync(
            async session =>
            {
                await session.ExecuteAsync(
                    "UPDATE ingest_notification SET state = @state, due_at = @due_at, reason = @reason WHERE id = @id",
                    cancellationToken,
                    ("id", notification.Number),
                    ("state", notification.State.ToString()),
                    ("due_at", notification.DueAt.ToUnixTimeMilliseconds()),
                    ("reason", notification.Reason)
                );
                List<StoredNotification> all = await session.QueryAsync(
                    "SELECT * FROM ingest_notification WHERE run_id = @run ORDER BY id",
                    StoredNotification.Read,
                    cancellationToken,
                    ("run", notification.Run)
                );
                return await session.ExecuteAsync(
                    "UPDATE ingest_run SET notification = @notification WHERE id = @run",
                    cancellationToken,
                    ("run", notification.Run),
                    ("notification", StoredNotification.Describe(all))
                );
            },
            cancellationToken
        );

    /// <summary>Lets the other reports to a target wait that does not answer, so that those to other targets come first.</summary>
    public Task<int> PostponeNotificationsAsync(StoredNotification failed, DateTimeOffset until, CancellationToken cancellationToken) =>
        WriteAsync(
            session =>
                session.ExecuteAsync(
                    "UPDATE ingest_notification SET due_at = @until WHERE state = 'Pending' AND due_at < @until AND kind = @kind AND "
                        + "coalesce(target, '') = @target",
                    cancellationToken,
                    ("until", until.ToUnixTimeMilliseconds()),
                    ("kind", failed.Kind.ToString()),
                    ("target", failed.Target ?? "")
                ),
            cancellationToken
        );

    /// <summary>Lets no report wait longer than until a moment: a clock was ahead when it was postponed.</summary>
    public Task<int> LimitNotificationsAsync(DateTimeOffset latest, CancellationToken cancellationToken) =>
        WriteAsync(
            session =>
                session.ExecuteAsync(
                    "UPDATE ingest_notification SET due_at = @latest WHERE state = 'Pending' AND due_at > @latest",
                    cancellationToken,
                    ("latest", latest.ToUnixTimeMilliseconds())
                ),
            cancellationToken
        );

    private async Task<bool> AddNotificationsAsync(StoreSession session, CancellationToken cancellationToken)
    {
        Dictionary<string, ScheduleDefinition?> definitions = new(StringComparer.Ordinal);
        bool isAnyAdded = false;
        foreach (StoredRun run in session.EndedRuns.Where(run => run.Status != RunStatus.Succeeded))
        {
            if (!definitions.TryGetValue(run.Key, out ScheduleDefinition? definition))
            {
                definition = (await FindRowAsync(session, run.Key, cancellationToken))?.Schedule?.Definition;
                definitions.Add(run.Key, definition);
            }

            isAnyAdded |= await AddNotificationsAsync(session, run, definition, cancellationToken);
        }

        return isAnyAdded;
    }

    private async Task<bool> AddNotificationsAsync(
        StoreSession session,
        StoredRun run,
        ScheduleDefinition? definition,
        CancellationToken cancellationToken
    )
    {
        List<(NotificationKind Kind, string? Target)> targets = [];
        if (ReportsAll)
            targets.Add((NotificationKind.Daemon, null));
        if (definition?.NotifyUri is { } uri)
            targets.Add((NotificationKind.Uri, uri));
        if (definition?.NotifyCommand is { } command)
            targets.Add((NotificationKind.Command, JsonSerializer.Serialize([.. command], LoadJson.Default.StringArray)));
        foreach ((NotificationKind kind, string? target) in targets)
        {
            await session.ExecuteAsync(
                "INSERT INTO ingest_notification (run_id, kind, target, state, attempts, due_at) VALUES (@run, @kind, @target, 'Pending', "
                    + "0, @due)",
                cancellationToken,
                ("run", run.Number),
                ("kind", kind.ToString()),
                ("target", target),
                ("due", run.CompletedAt?.ToUnixTimeMilliseconds() ?? 0)
            );
        }

        if (targets.Count == 0)
            return false;
        await session.ExecuteAsync(
            "UPDATE ingest_run SET notification = 'Pending' WHERE id = @run",
            cancellationToken,
            ("run", run.Number)
        );
        return true;
    }
}
