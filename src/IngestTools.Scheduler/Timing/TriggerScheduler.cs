using IngestTools.Scheduler.Store;
using Microsoft.Extensions.Logging;
using Quartz;

namespace IngestTools.Scheduler.Timing;

/// <summary>
/// Quartz as an alarm clock: one trigger a schedule, all of one job, which plans what is due. What is due, and whether it was planned,
/// stands in the store; an alarm that is lost, late or rung twice changes nothing but when the store is looked at.
/// </summary>
internal sealed class AlarmClock(ISchedulerFactory factory, TimeProvider time, ILogger<AlarmClock> logger)
{
    private const int Page = 1000;

    private static readonly JobKey PlanJobKey = new("plan");

    /// <summary>Makes the job, so that alarms can be set. None rings yet.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        IScheduler scheduler = await factory.GetScheduler(cancellationToken);
        // An alarm that rang on a node which died before it had planned rings again on another.
        IJobDetail job = JobBuilder.Create<Runs.PlanJob>().WithIdentity(PlanJobKey).StoreDurably().RequestRecovery().Build();
        await scheduler.AddJob(job, new AddJobOptions { Replace = true }, cancellationToken);
    }

    /// <summary>Sets every alarm as its schedule says, and lets them ring.</summary>
    public async Task StartAsync(SchedulerStore store, CancellationToken cancellationToken)
    {
        IScheduler scheduler = await factory.GetScheduler(cancellationToken);
        await AlignAsync(scheduler, store, cancellationToken);
        await scheduler.Start(cancellationToken);
    }

    public async Task StopAsync()
    {
        IScheduler scheduler = await factory.GetScheduler(CancellationToken.None);
        await scheduler.Shutdown(waitForJobsToComplete: true, CancellationToken.None);
    }

    /// <summary>
    /// Sets, moves or removes the alarm of a schedule that the store has. Where that fails the schedule stands all the same: what no alarm
    /// tells of is found some seconds late, and at the next start the alarms are set again.
    /// </summary>
    public async Task SetAsync(StoredSchedule schedule, CancellationToken cancellationToken)
    {
        try
        {
            await ChangeAsync(schedule, cancellationToken);
        }
        catch (JobPersistenceException e)
        {
            logger.LogError(
                "The alarm of '{Name}' could not be set, so it begins some seconds late: {Reason}",
                schedule.Definition.Name,
                e.GetBaseException().Message
            );
        }
        catch (IngestException e)
        {
            // Such as a zone that this machine does not have: the others get theirs, and who plans tells of this one.
            logger.LogError("The alarm of '{Name}' could not be set: {Reason}", schedule.Definition.Name, e.Message);
        }
    }

    private async Task ChangeAsync(StoredSchedule schedule, CancellationToken cancellationToken)
    {
        if (schedule.Status != ScheduleStatus.Active || schedule.NextDue is not { } due)
        {
            await RemoveNowAsync(schedule.Key, cancellationToken);
            return;
        }

        IScheduler scheduler = await factory.GetScheduler(cancellationToken);
        await scheduler.ScheduleTrigger(TriggerFor(schedule, due), TriggerConflict.Replace, cancellationToken);
    }

    /// <summary>Removes an alarm. One that stays rings for nothing.</summary>
    public async Task RemoveAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            await RemoveNowAsync(key, cancellationToken);
        }
        catch (JobPersistenceException e)
        {
            logger.LogWarning(
                "The alarm of '{Name}' could not be removed, and will ring for nothing: {Reason}",
                key,
                e.GetBaseException().Message
            );
        }
    }

    private async Task RemoveNowAsync(string key, CancellationToken cancellationToken) =>
        await (await factory.GetScheduler(cancellationToken)).UnscheduleJob(new TriggerKey(key), cancellationToken);

    /// <summary>Sets the alarms that differ from what the store says, and removes those of schedules that are gone.</summary>
    private async Task AlignAsync(IScheduler scheduler, SchedulerStore store, CancellationToken cancellationToken)
    {
        Dictionary<string, (string? Revision, DateTimeOffset? Next)> alarms = await ReadAlarmsAsync(scheduler, cancellationToken);
        int set = 0;
        string last = "";
        while (await store.ReadSchedulesAfterAsync(last, Page, cancellationToken) is { Count: > 0 } rows)
        {
            last = rows[^1].Key;
            foreach (StoredSchedule schedule in rows.Select(row => row.Schedule).OfType<StoredSchedule>())
            {
                bool has = alarms.Remove(schedule.Key, out (string? Revision, DateTimeOffset? Next) alarm);
                if (
                    schedule.Status != ScheduleStatus.Active
                    || schedule.NextDue is not { } due
                    || Runs.ScheduleSurvey.WhyBroken(schedule) is not null
                )
                {
                    if (has)
                        await RemoveAsync(schedule.Key, cancellationToken);
                }
                else if (!has || alarm.Revision != schedule.Revision || alarm.Next != due)
                {
                    set++;
                    await SetAsync(schedule, cancellationToken);
                }
            }
        }

        foreach (string key in alarms.Keys)
            await RemoveAsync(key, cancellationToken);
        if (set + alarms.Count > 0)
            logger.LogInformation("{Set} alarms were set as the store says, {Removed} were removed.", set, alarms.Count);
    }

    private static async Task<Dictionary<string, (string? Revision, DateTimeOffset? Next)>> ReadAlarmsAsync(
        IScheduler scheduler,
        CancellationToken cancellationToken
    )
    {
        Dictionary<string, (string?, DateTimeOffset?)> alarms = new(StringComparer.Ordinal);
        for (int skip = 0; ; skip += Page)
        {
            PagedResult<TriggerHeader> page = await scheduler.QueryTriggers(
                new TriggerQuery
                {
                    Job = PlanJobKey,
                    Skip = skip,
                    Take = Page,
                },
                cancellationToken
            );
            foreach (TriggerHeader trigger in page.Items)
                alarms[trigger.Key.Name] = (trigger.Description, trigger.NextFireTimeUtc);
            if (!page.HasMore)
                return alarms;
        }
    }

    /// <summary>
    /// What misses its time goes on with the next: the store tells what was missed, and the schedule what to do about it.
    /// </summary>
    private ITrigger TriggerFor(StoredSchedule schedule, DateTimeOffset due)
    {
        TriggerBuilder<IJob> trigger = TriggerBuilder
            .Create(time)
            .WithIdentity(schedule.Key)
            .WithDescription(schedule.Revision)
            .ForJob(PlanJobKey)
            .StartAt(due);
        Timetable timetable = new(schedule.Definition, schedule.RegisteredAt);
        if (timetable.Cron is { } cron)
            trigger.WithSchedule(
                CronScheduleBuilder.Create(cron).InTimeZone(timetable.Zone).WithMisfireInstruction(CronTriggerMisfireInstruction.DoNothing)
            );
        else if (schedule.Definition.Every is { } every)
            trigger.WithSchedule(
                SimpleScheduleBuilder
                    .Create()
                    .WithInterval(every)
                    .RepeatForever()
                    .WithMisfireInstruction(SimpleTriggerMisfireInstruction.NextWithExistingCount)
            );
        else
            trigger.WithSchedule(SimpleScheduleBuilder.Create().WithMisfireInstruction(SimpleTriggerMisfireInstruction.FireNow));
        return trigger.Build();
    }
}
