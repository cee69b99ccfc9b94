using IngestTools.Connections;
using IngestTools.Scheduler.Loads;
using IngestTools.Scheduler.Notifications;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Runs;

/// <content>Changes of single properties.</content>
internal sealed partial class Registrar
{
    /// <summary>The schedule as it would be after a change; nothing is changed.</summary>
    /// <exception cref="IngestException">What is wrong with the change.</exception>
    public async Task<BulkLoadSchedule> PreviewChangeAsync(string name, ChangeRequest request, CancellationToken cancellationToken)
    {
        StoredSchedule was = await store.FindScheduleAsync(name, cancellationToken) ?? throw NotFound(name);
        return Describe(await ApplyAsync(was, request, cancellationToken), null);
    }

    /// <summary>
    /// Changes a schedule. Its next time is planned anew only where its time is changed, a suspended one stays suspended, and a run that is
    /// under way stays as it is.
    /// </summary>
    /// <exception cref="IngestException">What is wrong with the change.</exception>
    public async Task<BulkLoadSchedule> ChangeAsync(string name, ChangeRequest request, CancellationToken cancellationToken)
    {
        string? copy = null;
        while (true)
        {
            StoredSchedule was = await store.FindScheduleAsync(name, cancellationToken) ?? throw NotFound(name);
            StoredSchedule now = await ApplyAsync(was, request, cancellationToken);
            if (request.CopyInput && InputOf(now.Definition.Load) is { } input)
                now = now with { Spool = copy ??= await spool.KeepAsync(input, cancellationToken) };
            string host = connections.HostOf(now.Definition.Load.Connection);
            // A run that was planned in the same moment has moved it on: then the change is made to what it is now.
            if (!await store.ChangeDefinitionAsync(was, now, host, time.GetUtcNow(), cancellationToken))
                continue;
            if (now.Status == ScheduleStatus.Active)
                connections.NoteUse(now.Definition.Load);
            logger.LogInformation(
                "'{Name}' was changed by {By}: next at {Next:u}.",
                now.Definition.Name,
                request.By ?? "somebody",
                now.NextDue?.UtcDateTime
            );
            return await DescribeAsync(now, cancellationToken);
        }
    }

    private async Task<StoredSchedule> ApplyAsync(StoredSchedule was, ChangeRequest request, CancellationToken cancellationToken)
    {
        ScheduleDefinition definition = request.ApplyTo(was.Definition);
        if (definition.Name != was.Definition.Name || definition.Load.Kind != was.Definition.Load.Kind)
            throw Invalid("The name of a schedule and the kind of its load cannot be changed.", "Register another schedule.");
        CheckRetries(definition);
        if (IsNotificationChanged(was.Definition, definition))
            await NotificationCheck.CheckAsync(definition, cancellationToken);
        StoredSchedule now = was with { Definition = definition };
        if (IsTimeChanged(was.Definition, definition))
            now = Retime(now, request.AllowPast);
        if (request.CopyInput || LoadJson.Write(was.Definition.Load) != LoadJson.Write(definition.Load))
            now = now with
            {
                Definition = now.Definition with { Load = await CheckLoadAsync(now.Definition.Load, request, cancellationToken) },
            };
        return now;
    }

    /// <summary>In another zone, only a cron text means other times.</summary>
    private static bool IsTimeChanged(ScheduleDefinition was, ScheduleDefinition now) =>
        was.At != now.At || was.Cron != now.Cron || was.Every != now.Every || (now.Cron is not null && was.TimeZone != now.TimeZone);

    private static bool IsNotificationChanged(ScheduleDefinition was, ScheduleDefinition now) =>
        was.NotifyUri != now.NotifyUri || !(was.NotifyCommand ?? []).SequenceEqual(now.NotifyCommand ?? []);

    private StoredSchedule Retime(StoredSchedule schedule, bool allowsPast)
    {
        DateTimeOffset now = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
        bool isSuspended = schedule.Status == ScheduleStatus.Suspended;
        ScheduleDefinition definition = CheckTimes(schedule.Definition, now, allowsPast || isSuspended);
        StoredSchedule retimed = planner.Rearm(schedule with { Definition = definition, RegisteredAt = now });
        if (retimed.NextDue is null)
            throw NoTimeToCome();
        if (isSuspended)
            return retimed with { Status = ScheduleStatus.Suspended };
        return definition.At <= now ? retimed with { NextDue = now, Reason = null } : retimed with { Reason = null };
    }

    /// <summary>The load with its server. A file whose copy is kept is looked at only where it is copied anew.</summary>
    private async Task<LoadDefinition> CheckLoadAsync(LoadDefinition load, ChangeRequest request, CancellationToken cancellationToken)
    {
        LoadCheck.Check(load, isInputRead: request.CopyInput || InputOf(load) is null);
        ConnectionProfile profile = connections.FindForRun(load);
        await CheckSignInAsync(load, profile, cancellationToken);
        return load with { Server = SavedConnections.ServerOf(profile) };
    }
}
