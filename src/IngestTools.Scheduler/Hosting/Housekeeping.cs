using System.Data.Common;
using System.Globalization;
using IngestTools.Scheduler.Control;
using IngestTools.Scheduler.Notifications;
using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduler.Timing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>Housekeeping: planning of missed times, watching the clock, setting the next triggers, deleting what is old.</summary>
internal sealed class Housekeeping(
    SchedulerStore store,
    ISpool spool,
    RunPlanner planner,
    SavedConnections connections,
    ScheduleSurvey survey,
    Checkup checkup,
    TriggerScheduler triggers,
    Attendance attendance,
    StateReader state,
    ISystemdNotifier systemd,
    StopSteps steps,
    NodeOptions node,
    NotificationOptions notifications,
    DueClock time,
    ILogger<Housekeeping> logger
) : BackgroundService
{
    private static readonly ServiceState Watchdog = new("WATCHDOG=1");

    private static readonly TimeSpan SweepInterval = TimeSpan.FromHours(1);

    /// <summary>How long runs are kept: a quarter's loads can be looked at.</summary>
    private static readonly TimeSpan KeepRuns = TimeSpan.FromDays(92);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private const int Page = 500;

    private DateTimeOffset _swept = DateTimeOffset.MinValue;

    /// <summary>Does at the start what has to be done before anything comes due.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await FollowClockAsync(cancellationToken);
        attendance.WereOthersPresent = store.Dialect.IsShared && await store.CountOtherNodesAsync(node.DeadAfter, cancellationToken) > 0;
        await RemoveQuartzAsync(cancellationToken);
        await RecordServersAsync(cancellationToken);
        await SetBackAsync(null, cancellationToken);
        await planner.PlanOverdueAsync(cancellationToken);
        await triggers.StartAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override Task StopAsync(CancellationToken cancellationToken) =>
        steps.TakeAsync("the housekeeping", base.StopAsync(cancellationToken));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await DoAsync(stoppingToken);
                string?[] found = [await survey.LookAsync(stoppingToken), await checkup.LookAsync(stoppingToken)];
                Tell(string.Join(' ', found.OfType<string>()));
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
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
                // Whatever it is, this node continues: nobody else plans what no trigger fires for.
                state.Trouble = $"Housekeeping failed: {e.Message}";
                logger.LogError(e, "{Trouble}", state.Trouble);
            }

            systemd.Notify(Watchdog);
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Shows what was found, and logs it once.</summary>
    private void Tell(string found)
    {
        if (found.Length > 0 && found != state.Trouble)
            logger.LogError("{Trouble}", found);
        state.Trouble = found.Length == 0 ? null : found;
    }

    /// <summary>Sets back what lies further ahead than its schedule says: a clock was ahead, and is right again.</summary>
    private async Task SetBackAsync(DateTimeOffset? wrongSince, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        await store.LimitRetriesAsync(now, cancellationToken);
        await store.LimitNotificationsAsync(now + notifications.Pauses.Max(), cancellationToken);
        int moved = 0;
        string last = "";
        while (await store.ReadSchedulesAfterAsync(last, Page, cancellationToken) is { Count: > 0 } rows)
        {
            last = rows[^1].Key;
            systemd.Notify(Watchdog);
            foreach (StoredSchedule schedule in rows.Select(row => row.Schedule).OfType<StoredSchedule>())
            {
                if (await TrySetBackAsync(schedule, wrongSince, cancellationToken))
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
    private async Task RecordServersAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, string?> servers = new(StringComparer.OrdinalIgnoreCase);
        int recorded = 0;
        string last = "";
        while (await store.ReadWithoutServerAfterAsync(last, Page, cancellationToken) is { Count: > 0 } rows)
        {
            last = rows[^1].Key;
            systemd.Notify(Watchdog);
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

    private async Task<bool> TrySetBackAsync(StoredSchedule schedule, DateTimeOffset? wrongSince, CancellationToken cancellationToken)
    {
        try
        {
            return await planner.SetBackAsync(schedule, wrongSince, cancellationToken);
        }
        catch (IngestException)
        {
            // Its times cannot be reckoned on this machine. The survey reports it.
            return false;
        }
    }

    /// <summary>Removes what an earlier version kept of Quartz.</summary>
    private async Task RemoveQuartzAsync(CancellationToken cancellationToken)
    {
        if (await store.Dialect.RemoveQuartzAsync(store, cancellationToken) is { } what)
            logger.LogInformation("{What}", what);
    }

    private async Task FollowClockAsync(CancellationToken cancellationToken)
    {
        if (store.Dialect.IsShared)
            time.Follow(await store.ReadNowAsync(cancellationToken));
    }

    private async Task DoAsync(CancellationToken cancellationToken)
    {
        await WatchClockAsync(cancellationToken);
        await planner.PlanOverdueAsync(cancellationToken);
        await triggers.PollAsync(cancellationToken);
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
        await FollowClockAsync(cancellationToken);
        _ = time.GetUtcNow();
        foreach (ClockJump jump in time.TakeJumps())
        {
            logger.LogWarning(
                "The clock was put {Direction} by {Jump}. {Consequence}",
                jump.IsBack ? "back" : "forward",
                (jump.To - jump.From).Duration().ToString(@"d\.hh\:mm\:ss", CultureInfo.InvariantCulture),
                jump.IsBack
                    ? "Times that have had their run get no other."
                    : "Times between are missed, and treated as their schedules say."
            );
            if (jump.IsBack)
                await SetBackAsync(jump.WrongSince, cancellationToken);
        }
    }
}
