using System.Collections.Concurrent;
using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Scheduler.Loads;
using IngestTools.Scheduler.Notifications;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduler.Timing;
using IngestTools.Scheduling;
using IngestTools.Services.LakeFs;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Runs;

/// <summary>Takes schedules, and changes them. What would fail at night is refused now.</summary>
internal sealed partial class Registrar(
    SchedulerStore store,
    ISpool spool,
    SavedConnections connections,
    RunPlanner planner,
    TimeProvider time,
    ILogger<Registrar> logger
)
{
    /// <summary>The number of next times that are shown.</summary>
    private const int NextTimesTold = 5;

    private const int LongestName = 200;

    /// <summary>More repetitions are a schedule of their own.</summary>
    private const int MostRetries = 100;

    /// <summary>A sign-in that was good so short a time ago is not tried again: schedules are registered by the hundred.</summary>
    private static readonly TimeSpan SignInHolds = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(ConnectionProfile Profile, string? Scope), DateTimeOffset> _signIns = new();

    /// <summary>The schedule that a registration would make.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidSchedule"/> and what else is wrong with it.</exception>
    public async Task<BulkLoadSchedule> PreviewAsync(RegisterRequest request, CancellationToken cancellationToken)
    {
        request = WithServerAsConnectionsHaveIt(request);
        if (await FindPassedAsync(request, cancellationToken) is { } passed)
            return await DescribeAsync(passed, cancellationToken);
        StoredSchedule schedule = await CheckAsync(request, cancellationToken);
        if (!request.Replace && await store.FindScheduleAsync(schedule.Key, cancellationToken) is { } other)
            throw NameInUse(other);
        return Describe(schedule, null);
    }

    /// <summary>Keeps a schedule, with a copy of its input where the kind of load has one.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NameInUse"/>, <see cref="ErrorId.InvalidSchedule"/> and what else is wrong with
    /// it.</exception>
    public async Task<BulkLoadSchedule> RegisterAsync(RegisterRequest request, CancellationToken cancellationToken)
    {
        request = WithServerAsConnectionsHaveIt(request);
        if (await FindPassedAsync(request, cancellationToken) is { } passed)
            return await DescribeAsync(passed, cancellationToken);
        StoredSchedule schedule = await CheckAsync(request, cancellationToken);
        if (!request.Replace && await store.FindScheduleAsync(schedule.Key, cancellationToken) is { } other)
            throw NameInUse(other);
        if (InputOf(schedule.Definition.Load) is { } input)
            schedule = schedule with { Spool = await spool.KeepAsync(input, cancellationToken) };
        (bool kept, StoredSchedule? old) = await store.PutScheduleAsync(schedule, request.Replace, cancellationToken);
        if (!kept)
            return request.Replace && old is not null ? await DescribeAsync(old, cancellationToken) : throw NameInUse(old ?? schedule);
        if (schedule.Status == ScheduleStatus.Active)
            connections.NoteUse(schedule.Definition.Load);
        logger.LogInformation(
            "'{Name}' was {Done} by {By}: {Kind} over {Connection}, next at {Next:u}.",
            schedule.Definition.Name,
            old is null ? "registered" : "replaced",
            schedule.RegisteredBy ?? "somebody",
            schedule.Definition.Load.Kind,
            schedule.Definition.Load.Connection,
            schedule.NextDue?.UtcDateTime
        );
        return Describe(schedule, null);
    }

    public async Task UnregisterAsync(string name, CancellationToken cancellationToken)
    {
        ScheduleRow old = await store.DeleteScheduleAsync(name, time.GetUtcNow(), cancellationToken) ?? throw NotFound(name);
        logger.LogInformation("'{Name}' was unregistered.", old.Name);
    }

    /// <summary>Lets a schedule run nothing until it is resumed. What would repeat a failed run ends.</summary>
    public Task<BulkLoadSchedule> SuspendAsync(string name, SuspendRequest request, CancellationToken cancellationToken) =>
        ChangeAsync(
            name,
            schedule =>
                schedule.Status switch
                {
                    ScheduleStatus.Ended => throw Ended(schedule),
                    _ => Suspended(schedule, request),
                },
            (was, now) => store.SuspendScheduleAsync(was, now, time.GetUtcNow(), cancellationToken),
            cancellationToken
        );

    private static StoredSchedule Suspended(StoredSchedule schedule, SuspendRequest request) =>
        schedule with
        {
            Status = ScheduleStatus.Suspended,
            Reason =
                request.Reason is null && request.By is null
                    ? null
                    : $"{request.Reason ?? "No reason was given."}{(request.By is null ? "" : $" ({request.By})")}",
        };

    /// <summary>
    /// Goes on from now: times that passed meanwhile were not to be run. A single time that passed is missed, and treated as the schedule
    /// says.
    /// </summary>
    public Task<BulkLoadSchedule> ResumeAsync(string name, CancellationToken cancellationToken) =>
        ChangeAsync(
            name,
            schedule =>
                schedule.Status switch
                {
                    ScheduleStatus.Ended => throw Ended(schedule),
                    ScheduleStatus.Suspended => planner.Rearm(schedule) with { Reason = null },
                    _ => schedule,
                },
            (was, now) => store.ChangeScheduleAsync(was, now, cancellationToken),
            cancellationToken
        );

    public async Task<StoredRun> StartAsync(string name, bool again, CancellationToken cancellationToken)
    {
        StoredSchedule schedule = await store.FindScheduleAsync(name, cancellationToken) ?? throw NotFound(name);
        _ = connections.FindForRun(schedule.Definition.Load);
        return await planner.PlanNowAsync(schedule, again, cancellationToken);
    }

    /// <summary>The schedules of the store as others see them, also those that cannot be read.</summary>
    public static BulkLoadSchedule Describe(ScheduleRow row, StoredRun? last) =>
        row.Schedule is { } schedule
            ? Describe(schedule, last)
            : new BulkLoadSchedule
            {
                Name = row.Name,
                Status = ScheduleStatus.Broken,
                Reason = ScheduleSurvey.Tell(row.Error!),
                LastRun = last?.Describe(),
                RegisteredAt = row.RegisteredAt,
                RegisteredBy = row.RegisteredBy,
            };

    private static BulkLoadSchedule Describe(StoredSchedule schedule, StoredRun? last)
    {
        IngestException? broken = ScheduleSurvey.WhyBroken(schedule);
        return new BulkLoadSchedule
        {
            Name = schedule.Definition.Name,
            Status = broken is null ? schedule.Status : ScheduleStatus.Broken,
            Definition = schedule.Definition,
            Reason = broken is null ? schedule.Reason : ScheduleSurvey.Tell(broken),
            NextRuns =
                broken is null && schedule.Status == ScheduleStatus.Active
                    ? new Timetable(schedule.Definition, schedule.RegisteredAt).List(schedule.NextDue, NextTimesTold)
                    : [],
            LastRun = last?.Describe(),
            RegisteredAt = schedule.RegisteredAt,
            RegisteredBy = schedule.RegisteredBy,
        };
    }

    private async Task<BulkLoadSchedule> ChangeAsync(
        string name,
        Func<StoredSchedule, StoredSchedule> change,
        Func<StoredSchedule, StoredSchedule, Task<bool>> write,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            StoredSchedule was = await store.FindScheduleAsync(name, cancellationToken) ?? throw NotFound(name);
            StoredSchedule now = change(was);
            // A run that was planned in the same moment has moved it on: then the change is made to what it is now.
            if (!await write(was, now))
                continue;
            logger.LogInformation(
                "'{Name}' is {Status} now{Reason}.",
                now.Definition.Name,
                now.Status,
                now.Reason is null ? "" : $": {now.Reason}"
            );
            return await DescribeAsync(now, cancellationToken);
        }
    }

    /// <summary>
    /// The same load for the same time, which has passed, as it stands already: a script that registers it once more does not run it once
    /// more.
    /// </summary>
    private async Task<StoredSchedule?> FindPassedAsync(RegisterRequest request, CancellationToken cancellationToken)
    {
        ScheduleDefinition definition = request.Definition;
        if (!request.Replace || definition is not { Cron: null, Every: null, At: { } at } || at > time.GetUtcNow())
            return null;
        StoredSchedule? old = (await store.FindRowAsync(definition.Name, cancellationToken))?.Schedule;
        if (old is null || old.Status == ScheduleStatus.Suspended || !old.IsOf(at, connections.WithServer(definition.Load)))
            return null;
        logger.LogInformation(
            "'{Name}' stays as it is: its time, {At:u}, has come already. Start-BulkLoadSchedule runs it again.",
            old.Definition.Name,
            at.UtcDateTime
        );
        return old;
    }

    private async Task<BulkLoadSchedule> DescribeAsync(StoredSchedule schedule, CancellationToken cancellationToken) =>
        Describe(schedule, (await store.ReadLastRunsAsync([schedule.Key], cancellationToken)).FirstOrDefault());

    private async Task<StoredSchedule> CheckAsync(RegisterRequest request, CancellationToken cancellationToken)
    {
        DateTimeOffset now = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
        // One that is suspended runs nothing now: when it is resumed its time is missed.
        ScheduleDefinition definition = CheckTimes(request.Definition, now, request.AllowPast || request.Suspend is not null);
        CheckName(definition.Name);
        CheckRetries(definition);
        await NotificationCheck.CheckAsync(definition, cancellationToken);
        LoadCheck.Check(definition.Load, isInputRead: true);
        ConnectionProfile profile = connections.FindForRegistration(definition.Load);
        await CheckSignInAsync(definition.Load, profile, cancellationToken);
        definition = definition with { Load = definition.Load with { Server = SavedConnections.ServerOf(profile) } };
        StoredSchedule schedule = new()
        {
            Revision = Guid.NewGuid().ToString("N"),
            Definition = definition,
            RegisteredAt = now,
            RegisteredBy = request.By,
        };
        schedule = planner.Rearm(schedule);
        // The time that was asked for is kept, so that the same registration is known again; it is run as one that is due now.
        if (definition.At <= now && request.Suspend is null)
            schedule = schedule with { NextDue = now };
        if (request.Suspend is { } suspend)
            schedule = Suspended(schedule, suspend);
        return schedule.NextDue is null ? throw NoTimeToCome() : schedule;
    }

    /// <summary>The address of a server may come from a file or a table: it can lack the slash at its end, for example.</summary>
    private static RegisterRequest WithServerAsConnectionsHaveIt(RegisterRequest request)
    {
        if (request.Definition.Load.Server is not { } given)
            return request;
        string server =
            IngestConnection.ServerOf(given)
            ?? throw Invalid(
                $"'{Redaction.Of(given)}' is not the base address of a server.",
                "Give the schedule's server as a full address without user name, password and query, such as "
                    + "https://ingest.example.org, or leave it out."
            );
        return request with { Definition = request.Definition with { Load = request.Definition.Load with { Server = server } } };
    }

    private static ScheduleDefinition CheckTimes(ScheduleDefinition definition, DateTimeOffset now, bool allowsPast)
    {
        // A schedule keeps the zone that it was given, also when the machine is moved.
        definition = definition with
        {
            TimeZone = definition.TimeZone ?? TimeZoneInfo.Local.Id,
        };
        _ = new Timetable(definition, now);
        if (definition.At is not { } at || at > now || allowsPast)
            return definition;
        throw Invalid($"{at:yyyy-MM-dd HH:mm:ss zzz} has passed.", "Give a time to come, or -Force to run it at once.");
    }

    private static void CheckRetries(ScheduleDefinition definition)
    {
        if (definition.RetryFailed is < 0 or > MostRetries)
            throw Invalid(
                $"A failed run is repeated at most {MostRetries} times, and not {definition.RetryFailed} times.",
                $"Give -RetryFailed a number from 0 to {MostRetries}."
            );
        if (definition.RetryAfter is not { } pause)
            return;
        if (definition.RetryFailed is null or 0)
            throw Invalid("-RetryAfter without -RetryFailed repeats nothing.", "Give -RetryFailed too, or leave -RetryAfter out.");
        if (pause < Timetable.ShortestInterval || pause > Timetable.LongestInterval)
            throw Invalid(
                $"A failed run cannot be repeated after {pause}: the shortest time is a second, the longest ten years.",
                "Give -RetryAfter as a time span: 00:15:00 is a quarter of an hour."
            );
    }

    private static void CheckName(string name)
    {
        if (
            string.IsNullOrWhiteSpace(name)
            || name.Length > LongestName
            || name is "." or ".."
            || name.Any(c => char.IsControl(c) || c is '*' or '?' or '/' or '\\')
        )
            throw Invalid(
                $"'{Redaction.EscapeControls(name)}' is not a valid name for a schedule.",
                $"Give letters, digits, spaces and signs other than * ? / \\, {LongestName} at most."
            );
    }

    /// <summary>Signs in as the daemon will: with its own files and its own environment.</summary>
    private async Task CheckSignInAsync(LoadDefinition load, ConnectionProfile profile, CancellationToken cancellationToken)
    {
        if (profile.Service != LoadKinds.ServiceOf(load.Kind))
            throw Invalid(
                $"The connection '{profile.Name}' is one to {profile.Service}, and a {load.Kind} needs one to "
                    + $"{LoadKinds.ServiceOf(load.Kind)}.",
                "Name another -Connection."
            );
        string? scope = LoadKinds.ScopeOf(load);
        DateTimeOffset now = time.GetUtcNow();
        if (load.Kind != LoadKind.Import && _signIns.TryGetValue((profile, scope), out DateTimeOffset good) && now - good < SignInHolds)
            return;
        using IngestConnection connection = SavedConnections.Open(profile, logger);
        ServiceReport report = await ServiceCheck.RunAsync(connection, scope, logger, cancellationToken);
        if (!report.Ok)
            throw NotWell(profile, report);
        if (load.Kind == LoadKind.Import)
            await ImportLoad.PlanAsync(new LakeFsClient(connection, logger), load, "", logger, cancellationToken);
        foreach (
            KeyValuePair<(ConnectionProfile, string?), DateTimeOffset> old in _signIns.Where(entry => now - entry.Value >= SignInHolds)
        )
            _signIns.TryRemove(old);
        _signIns[(profile, scope)] = now;
    }

    private static IngestException NotWell(ConnectionProfile profile, ServiceReport report) =>
        new(
            !report.Reachable ? ErrorId.ConnectionFailed
                : report.SignedIn != true ? ErrorId.NotSignedIn
                : ErrorId.NotAllowed,
            $"The scheduler cannot use the connection '{profile.Name}', so it would fail at its time: "
                + $"{string.Join(' ', report.Details.Where(detail => !detail.StartsWith("Version", StringComparison.Ordinal)))}"
        )
        {
            Service = profile.Service,
            Operation = "register",
            Advice =
                "The scheduler reads the secret itself, as its own account: save the connection there with -SecretFrom file:PATH, or "
                + "env:NAME of the scheduler's environment.",
            Target = profile.Name,
        };

    /// <summary>What is copied: what the service does not keep.</summary>
    private static string? InputOf(LoadDefinition load) =>
        load.Kind switch
        {
            LoadKind.BulkLoad => load.Path,
            LoadKind.LinkingBatch => load.DataIdPath,
            _ => null,
        };

    private static IngestException NotFound(string name) =>
        new(ErrorId.NotFound, $"There is no schedule '{name}'.")
        {
            Operation = "schedule",
            Advice = "Get-BulkLoadSchedule lists them.",
            Target = name,
        };

    private static IngestException NameInUse(StoredSchedule other) =>
        new(
            ErrorId.NameInUse,
            $"There is a schedule '{other.Definition.Name}' "
                + $"already{(other.RegisteredBy is null ? "" : $", registered by {other.RegisteredBy}")}."
        )
        {
            Operation = "register",
            Advice = "Give another -Name, or -Force to replace it.",
            Target = other.Definition.Name,
        };

    private static IngestException NoTimeToCome() =>
        Invalid("The cron text names no time that will come.", "Look at its day and month: 30 February never comes.");

    private static IngestException Ended(StoredSchedule schedule) =>
        new(ErrorId.Conflict, $"'{schedule.Definition.Name}' has no further time.")
        {
            Operation = "schedule",
            Advice = "Start-BulkLoadSchedule runs it now; registered again with -Force it gets new times.",
            Target = schedule.Definition.Name,
        };

    private static IngestException Invalid(string message, string advice) =>
        new(ErrorId.InvalidSchedule, message) { Operation = "register", Advice = advice };
}
