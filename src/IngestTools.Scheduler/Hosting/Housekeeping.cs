using System.Data.Common;
using System.Globalization;
using IngestTools.Scheduler.Control;
using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduler.Timing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>Housekeeping: the node's heartbeat, planning of missed times, watching the clock, deleting what is old.</summary>
internal sealed class Housekeeping(
    SchedulerStore store,
    ISpool spool,
    RunPlanner planner,
    SavedConnections connections,
    ScheduleSurvey survey,
    AlarmClock alarms,
    StateReader state,
    ServiceNotifier notifier,
    NodeOptions node,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<Housekeeping> logger
)
{
    /// <summary>A clock that differs so much from the time that has passed was set.</summary>
    private static readonly TimeSpan Jump = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan SweepInterval = TimeSpan.FromHours(1);

    /// <summary>How long runs are kept: a quarter's loads can be looked at.</summary>
    private static readonly TimeSpan KeepRuns = TimeSpan.FromDays(92);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private const int Page = 500;

    private DateTimeOffset _wall = time.GetUtcNow();
    private long _ticks = time.GetTimestamp();
    private DateTimeOffset _swept = DateTimeOffset.MinValue;

    /// <summary>
    /// Says again and again that this node lives, where others look for that. Nothing else that takes its time may hold it up.
    /// </summary>
    public async Task BeatAsync(CancellationToken cancellationToken)
    {
        while (store.Dialect.IsShared && !cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (!await store.BeatAsync(Environment.MachineName, node.DeadAfter, cancellationToken))
                {
                    logger.LogCritical(
                        "Another scheduler has taken the name {Node} of this one, so this one ends. Give each its own --node.",
                        node.Name
                    );
                    lifetime.StopApplication();
                    return;
                }
            }
            catch (Exception e) when (e is not OutOfMemoryException && !cancellationToken.IsCancellationRequested)
            {
                logger.LogError("That this node lives could not be written: {Reason}", e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(node.BeatInterval, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await DoAsync(cancellationToken);
                state.Trouble = await survey.LookAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (DbException e)
            {
                state.Trouble = $"The store {store.Dialect.Place} cannot be read or written: {e.Message}";
                logger.LogError("{Trouble}", state.Trouble);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                logger.LogWarning("Housekeeping failed: {Reason}", e.Message);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Whatever it is, this node goes on: nobody else plans what no alarm tells of.
                state.Trouble = $"What has to be done again and again failed: {e.Message}";
                logger.LogError(e, "{Trouble}", state.Trouble);
            }

            notifier.Watchdog();
            await Task.Delay(Interval, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Sets back what lies further ahead than its schedule says: a clock was ahead, and is right again.</summary>
    public async Task RearmAsync(CancellationToken cancellationToken)
    {
        int moved = 0;
        string last = "";
        while (await store.ReadSchedulesAfterAsync(last, Page, cancellationToken) is { Count: > 0 } rows)
        {
            last = rows[^1].Key;
            notifier.Watchdog();
            foreach (
                StoredSchedule schedule in rows.Select(row => row.Schedule)
                    .OfType<StoredSchedule>()
                    .Where(schedule => schedule is { Status: ScheduleStatus.Active, Definition.At: null })
            )
            {
                if (
                    TryRearm(schedule) is not { } now
                    || now.NextDue >= schedule.NextDue
                    || !await store.ChangeScheduleAsync(schedule, now, cancellationToken)
                )
                    continue;
                await alarms.SetAsync(now, cancellationToken);
                moved++;
            }
        }

        if (moved > 0)
            logger.LogWarning(
                "{Count} schedules were set back to times that are to come again. A time that has had its run gets no other.",
                moved
            );
    }

    /// <summary>
    /// Records the server of schedules that an earlier version registered: the one that their connection leads to now. Where there is no
    /// such connection, the schedule gets its server with its next run.
    /// </summary>
    public async Task RecordServersAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, string?> servers = new(StringComparer.OrdinalIgnoreCase);
        int recorded = 0;
        string last = "";
        while (await store.ReadWithoutServerAfterAsync(last, Page, cancellationToken) is { Count: > 0 } rows)
        {
            last = rows[^1].Key;
            notifier.Watchdog();
            List<StoredSchedule> found = [];
            foreach (StoredSchedule schedule in rows.Select(row => row.Schedule).OfType<StoredSchedule>())
            {
                string connection = schedule.Definition.Load.Connection;
                if (!servers.TryGetValue(connection, out string? server))
                    servers.Add(connection, server = connections.FindServer(connection));
                if (server is not null)
                    found.Add(schedule.WithServer(server));
            }

            recorded += await store.RecordServersAsync(found, cancellationToken);
        }

        if (recorded > 0)
            logger.LogInformation(
                "{Count} schedules of an earlier version had no server. The servers that their connections lead to now were recorded.",
                recorded
            );
    }

    /// <summary>The schedule as it would be from now on; null where its times cannot be reckoned on this machine.</summary>
    private StoredSchedule? TryRearm(StoredSchedule schedule)
    {
        try
        {
            return planner.Rearm(schedule);
        }
        catch (IngestException)
        {
            // The survey tells of it.
            return null;
        }
    }

    private async Task DoAsync(CancellationToken cancellationToken)
    {
        await WatchClockAsync(cancellationToken);
        await planner.PlanOverdueAsync(cancellationToken);
        DateTimeOffset now = time.GetUtcNow();
        if (now - _swept < SweepInterval)
            return;
        _swept = now;
        await spool.SweepAsync(await store.ReadSpoolNamesInUseAsync(cancellationToken), cancellationToken);
        int forgotten = await store.ForgetRunsAsync(now - KeepRuns, cancellationToken);
        if (forgotten > 0)
            logger.LogInformation("{Count} runs that ended more than {Days} days ago were deleted.", forgotten, KeepRuns.TotalDays);
    }

    private async Task WatchClockAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset wall = time.GetUtcNow();
        TimeSpan jumped = wall - _wall - time.GetElapsedTime(_ticks);
        _wall = wall;
        _ticks = time.GetTimestamp();
        if (jumped.Duration() < Jump)
            return;
        logger.LogWarning(
            "The clock was put {Direction} by {Jump}. {Consequence}",
            jumped > TimeSpan.Zero ? "forward" : "back",
            jumped.Duration().ToString(@"d\.hh\:mm\:ss", CultureInfo.InvariantCulture),
            jumped > TimeSpan.Zero
                ? "Times between are missed, and treated as their schedules say."
                : "Times that have had their run get no other."
        );
        if (jumped < TimeSpan.Zero)
            await RearmAsync(cancellationToken);
    }
}
