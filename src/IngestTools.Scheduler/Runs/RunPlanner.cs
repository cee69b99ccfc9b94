using System.Data.Common;
using System.Globalization;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduler.Timing;
using IngestTools.Scheduling;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Runs;

/// <summary>
/// Turns times that have come into runs. A time is planned in the same transaction that moves its schedule on, and has one run at most:
/// whoever looks, however often, whatever the clock did.
/// </summary>
internal sealed class RunPlanner(
    SchedulerStore store,
    SavedConnections connections,
    DispatchSignal dispatch,
    SchedulerMeter meter,
    Attendance attendance,
    TimeProvider time,
    ILogger<RunPlanner> logger
)
{
    /// <summary>
    /// A time that is planned later than this was missed. It is long enough for a restart, and documented with -MissedRun.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    /// <summary>Clocks are read with a little less than a millisecond to spare, so a trigger may fire that much early.</summary>
    private static readonly TimeSpan Early = TimeSpan.FromMilliseconds(20);

    /// <summary>So many schedules are planned in one transaction: others wait for it no longer than some hundredths of a second.</summary>
    private const int MostAtOnce = 100;

    /// <summary>The number of missed times that get a run of their own. One more run has the count of the others.</summary>
    private const int MostMissedTold = 100;

    /// <summary>
    /// Plans what is due, of all schedules: when a thousand are due in the same second, the first trigger plans them all, and others find
    /// nothing to do.
    /// </summary>
    public Task PlanDueAsync(CancellationToken cancellationToken) => PlanUpToAsync(time.GetUtcNow() + Early, cancellationToken);

    /// <summary>Plans times that no trigger fired for: they were missed while no daemon ran, or lost.</summary>
    public Task PlanOverdueAsync(CancellationToken cancellationToken) => PlanUpToAsync(time.GetUtcNow() - OverdueAfter, cancellationToken);

    /// <summary>A trigger that is this late is not waited for.</summary>
    private static readonly TimeSpan OverdueAfter = TimeSpan.FromSeconds(2);

    /// <summary>The schedules whose time has come and that cannot be planned, by their keys, and why.</summary>
    public IReadOnlyDictionary<string, string> Unplanned { get; private set; } = new Dictionary<string, string>();

    private async Task PlanUpToAsync(DateTimeOffset until, CancellationToken cancellationToken)
    {
        Dictionary<string, string> unplanned = new(StringComparer.Ordinal);
        await PlanUpToAsync(until, unplanned, cancellationToken);
        foreach ((string key, string why) in unplanned)
        {
            if (Unplanned.GetValueOrDefault(key) != why)
                logger.LogError("'{Name}' is due and cannot be planned: {Why}", key, why);
        }

        Unplanned = unplanned;
    }

    private async Task PlanUpToAsync(DateTimeOffset until, Dictionary<string, string> unplanned, CancellationToken cancellationToken)
    {
        // What cannot be planned stays due, and stands before all that comes later.
        while (await store.ReadDueAsync(until, unplanned.Count, MostAtOnce, cancellationToken) is { Count: > 0 } due)
        {
            List<StoredRun> planned = await store.WriteAsync(
                session => PlanAsync(session, due, unplanned, cancellationToken),
                cancellationToken
            );
            foreach (StoredRun run in planned)
                Tell(run);
            if (planned.Exists(run => !run.IsTerminal))
                dispatch.Set();
            if (due.Count < MostAtOnce)
                return;
        }
    }

    private async Task<List<StoredRun>> PlanAsync(
        StoreSession session,
        IReadOnlyList<string> keys,
        Dictionary<string, string> unplanned,
        CancellationToken cancellationToken
    )
    {
        List<StoredRun> planned = [];
        // All nodes hold schedules in the same order, so none waits for another in a circle.
        foreach (string key in keys.Order(StringComparer.Ordinal))
        {
            try
            {
                planned.AddRange(await session.PartAsync(() => PlanAsync(session, key, cancellationToken), cancellationToken));
            }
            catch (Exception e) when (e is not (OperationCanceledException or DbException))
            {
                // Such as a zone that this machine does not have: nothing is kept of this one, and the others are planned.
                unplanned[key] = e.Message;
            }
        }

        return planned;
    }

    /// <summary>Plans a run now, whatever the schedule's times are.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Conflict"/>: a run is under way, and the schedule skips.</exception>
    /// <param name="schedule">The schedule.</param>
    /// <param name="again">Whether what was sent or loaded before is sent and loaded again.</param>
    /// <param name="cancellationToken">Cancels the planning.</param>
    public async Task<StoredRun> PlanNowAsync(StoredSchedule schedule, bool again, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        StoredRun run = await store.WriteAsync(
            async session =>
            {
                schedule = (await store.HoldRowAsync(session, schedule.Key, cancellationToken))?.Schedule ?? throw Gone(schedule);
                List<StoredRun> going = await ReadGoingAsync(session, schedule.Key, cancellationToken);
                if (going.Count > 0 && (schedule.Definition.Overlap == Overlap.Skip || going.Exists(other => other.Claim is null)))
                    throw GoesOn(schedule, going[^1]);
                StoredSchedule known = await RecordServerAsync(session, schedule, cancellationToken);
                StoredRun manual = NewRun(known, now, $"{known.Revision}/manual/{Guid.NewGuid():N}") with { Manual = true };
                if (again)
                    manual = manual with { Load = manual.Load with { Again = true } };
                manual = manual with
                {
                    Number = (await SchedulerStore.AddRunAsync(session, manual, cancellationToken)).GetValueOrDefault(),
                };
                return await SchedulerStore.TakePlaceOfRetriesAsync(session, manual, now, cancellationToken);
            },
            cancellationToken
        );
        Tell(run);
        dispatch.Set();
        return run;
    }

    /// <summary>What a schedule does next, as seen from now: after it was registered or resumed, or a clock was set back.</summary>
    public StoredSchedule Rearm(StoredSchedule schedule) => Rearm(schedule, time.GetUtcNow());

    private static StoredSchedule Rearm(StoredSchedule schedule, DateTimeOffset moment)
    {
        DateTimeOffset? next = schedule.Definition.At ?? new Timetable(schedule.Definition, schedule.RegisteredAt).NextAfter(moment);
        return schedule with { NextDue = next, Status = next is null ? ScheduleStatus.Ended : ScheduleStatus.Active };
    }

    /// <summary>
    /// Sets a schedule back that was moved on while a clock was ahead: its next time is the next by the clock as it is now, and what was
    /// called missed and is yet to come is forgotten. A time that had its run gets no other.
    /// </summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="wrongSince">Since when the clock was wrong: times from there on are treated anew. Null is now.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>Whether it was set back.</returns>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidSchedule"/>: its times cannot be reckoned on this machine.</exception>
    public async Task<bool> SetBackAsync(StoredSchedule schedule, DateTimeOffset? wrongSince, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset from = wrongSince < now ? wrongSince.Value : now;
        StoredSchedule was = schedule;
        // A clock that is before the registration is wrong itself, unless the one of the registration is known to have been wrong.
        if (from < schedule.RegisteredAt)
        {
            if (wrongSince is null)
                return false;
            schedule = schedule with { RegisteredAt = now < schedule.RegisteredAt ? now : schedule.RegisteredAt };
            from = schedule.RegisteredAt;
        }

        StoredSchedule back = Rearm(schedule, from);
        bool isAhead = schedule.Status switch
        {
            ScheduleStatus.Active => schedule.Definition.At is null && back.NextDue < schedule.NextDue,
            ScheduleStatus.Ended => back.NextDue > from,
            _ => false,
        };
        if (!isAhead)
            return false;
        // Where it is not known since when the clock was wrong, only what was late was noted by a clock that was ahead.
        TimeSpan later = wrongSince is null ? Grace : TimeSpan.Zero;
        return await store.WriteAsync(
            async session =>
            {
                // Somebody may have planned or changed it since it was read.
                if ((await store.HoldRowAsync(session, was.Key, cancellationToken))?.Schedule is not { } now || !now.IsAt(was))
                    return false;
                int forgotten = await SchedulerStore.ForgetMissedAfterAsync(session, schedule, from, later, cancellationToken);
                return (forgotten > 0 || schedule.Definition.At is null)
                    && await SchedulerStore.ChangeScheduleAsync(session, was, back, cancellationToken);
            },
            cancellationToken
        );
    }

    private async Task<List<StoredRun>> PlanAsync(StoreSession session, string key, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow() + Early;
        StoredSchedule? schedule = (await store.HoldRowAsync(session, key, cancellationToken))?.Open();
        if (schedule is not { Status: ScheduleStatus.Active, NextDue: { } due } || due > now)
            return [];
        Timetable timetable = new(schedule.Definition, schedule.RegisteredAt);
        DateTimeOffset? next = timetable.NextAfter(now);
        StoredSchedule moved = schedule with { NextDue = next, Status = next is null ? ScheduleStatus.Ended : ScheduleStatus.Active };
        // Whatever can go wrong but the writing goes wrong here: a schedule is not moved on without its runs.
        (StoredRun Run, string? Missed)[] decided = Decide(schedule.Definition, timetable, due, now)
            .Select(entry =>
                (
                    NewRun(
                        schedule,
                        entry.At,
                        string.Create(CultureInfo.InvariantCulture, $"{schedule.Revision}/{entry.At.ToUnixTimeMilliseconds()}")
                    ),
                    entry.Missed
                )
            )
            .ToArray();
        List<StoredRun> going = await ReadGoingAsync(session, key, cancellationToken);
        if (!await SchedulerStore.ChangeScheduleAsync(session, schedule, moved, cancellationToken))
            return [];
        LoadDefinition load = (await RecordServerAsync(session, schedule, cancellationToken)).Definition.Load;
        List<StoredRun> planned = [];
        foreach ((StoredRun decidedRun, string? missed) in decided)
        {
            StoredRun run = decidedRun with { Load = load };
            string? why = missed ?? WhyNot(schedule.Definition.Overlap, decidedRun.DueAt, going, planned, now);
            if (why is not null)
                run = run with { Status = RunStatus.Missed, CompletedAt = time.GetUtcNow(), Message = why };
            if (await SchedulerStore.AddRunAsync(session, run, cancellationToken) is not { } number)
                continue;
            run = run with { Number = number };
            planned.Add(
                why is null ? await SchedulerStore.TakePlaceOfRetriesAsync(session, run, time.GetUtcNow(), cancellationToken) : run
            );
        }

        return planned;
    }

    /// <summary>Runs of a schedule that a new one would overlap with. A failed run that is to be repeated later holds up none.</summary>
    private static async Task<List<StoredRun>> ReadGoingAsync(StoreSession session, string key, CancellationToken cancellationToken) =>
        (await SchedulerStore.ReadGoingAsync(session, key, cancellationToken)).FindAll(run => !run.IsPendingRetry);

    /// <summary>
    /// A schedule of an earlier version has no server. It gets one with its next run: that run and all later ones load there.
    /// </summary>
    private async Task<StoredSchedule> RecordServerAsync(StoreSession session, StoredSchedule schedule, CancellationToken cancellationToken)
    {
        if (schedule.Definition.Load.Server is not null || connections.FindServer(schedule.Definition.Load.Connection) is not { } server)
            return schedule;
        StoredSchedule known = schedule.WithServer(server);
        if (await SchedulerStore.RecordServerAsync(session, known, cancellationToken))
            return known;
        // Another node recorded a server in the same moment, and that one counts.
        return
            (await SchedulerStore.FindRowAsync(session, schedule.Key, cancellationToken))?.Schedule is { } other
            && other.Revision == schedule.Revision
            ? other
            : known;
    }

    /// <summary>Why a time is not run beside other runs of its schedule; null where it is run.</summary>
    private string? WhyNot(Overlap overlap, DateTimeOffset at, List<StoredRun> going, List<StoredRun> planned, DateTimeOffset now)
    {
        if (planned.LastOrDefault(run => !run.IsTerminal) is { } first)
            return $"{attendance.WhyLate(at, now)} {first.Id}, due at {first.DueAt.UtcDateTime:u}, stands for it.";
        StoredRun? other = going.LastOrDefault(run => overlap == Overlap.Skip || run.Claim is null);
        if (other is null)
            return null;
        string rule = overlap == Overlap.Skip ? "the schedule skips runs that overlap" : "only one run of a schedule waits";
        return attendance.WhyAbsent(at) is { } absent
            ? $"{absent} Since then {other.Id} has not ended, and {rule}."
            : $"{other.Id} had not {(overlap == Overlap.Skip ? "ended" : "begun")} at its time, and {rule}.";
    }

    /// <summary>The times that have come, oldest first, and why one is not run.</summary>
    private IEnumerable<(DateTimeOffset At, string? Missed)> Decide(
        ScheduleDefinition definition,
        Timetable timetable,
        DateTimeOffset due,
        DateTimeOffset now
    )
    {
        DateTimeOffset newest = timetable.LastUpTo(now) is { } last && last > due ? last : due;
        bool runsNewest = definition.MissedRun == MissedRun.RunOnce || now - newest <= Grace;
        int told = 0;
        for (DateTimeOffset at = due; at < newest; at = timetable.NextAfter(at)!.Value)
        {
            if (now - at <= Grace)
                yield return (at, null);
            else if (++told <= MostMissedTold)
                yield return (
                    at,
                    $"{attendance.WhyLate(at, now)} "
                        + (runsNewest ? $"The run that was due at {newest.UtcDateTime:u} stands for it." : Passed)
                );
            else
                at = FirstWithin(timetable, newest, now);
        }

        string more = told > MostMissedTold ? " Of the times before it, more were missed than are listed." : "";
        yield return (newest, runsNewest ? null : $"{attendance.WhyLate(newest, now)} {Passed}{more}");
    }

    /// <summary>The time before the first that is not too late, so that the next step is that one.</summary>
    private static DateTimeOffset FirstWithin(Timetable timetable, DateTimeOffset newest, DateTimeOffset now) =>
        timetable.LastUpTo(now - Grace) is { } last && last < newest ? last : newest - TimeSpan.FromMilliseconds(1);

    private const string Passed = "The schedule skips what was missed.";

    private StoredRun NewRun(StoredSchedule schedule, DateTimeOffset due, string key) =>
        new()
        {
            Name = schedule.Definition.Name,
            DueKey = key,
            DueAt = due,
            Status = RunStatus.Planned,
            Load = schedule.Definition.Load,
            Spool = schedule.Spool,
            Host = connections.HostOf(schedule.Definition.Load.Connection),
        };

    private static IngestException Gone(StoredSchedule schedule) =>
        new(ErrorId.NotFound, $"The schedule '{schedule.Definition.Name}' was unregistered in this moment.")
        {
            Operation = "start",
            Advice = "Get-BulkLoadSchedule lists the schedules.",
            Target = schedule.Definition.Name,
        };

    private static IngestException GoesOn(StoredSchedule schedule, StoredRun other) =>
        new(ErrorId.Conflict, $"{other.Id} of '{schedule.Definition.Name}' is still running ({other.Status}).")
        {
            Operation = "start",
            Advice = $"Wait for it: Wait-Transaction {other.Id}. With -Overlap Queue one more run may wait behind it.",
            Target = schedule.Definition.Name,
        };

    private void Tell(StoredRun run)
    {
        meter.Planned(run);
        if (run.Status == RunStatus.Missed)
            logger.LogWarning("{Run} of '{Name}', due at {Due:u}: missed. {Why}", run.Id, run.Name, run.DueAt.UtcDateTime, run.Message);
        else
            logger.LogInformation(
                "{Run} of '{Name}' is planned: {Kind} over {Connection}, due at {Due:u}.",
                run.Id,
                run.Name,
                run.Load.Kind,
                run.Load.Connection,
                run.DueAt.UtcDateTime
            );
    }
}
