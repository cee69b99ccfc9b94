using IngestTools.Scheduler.Store;
using IngestTools.Scheduler.Timing;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Runs;

/// <summary>
/// Knows the schedules that run nothing as they stand, and says so for as long as it is so: one that the store cannot give any more, one
/// whose zone this machine does not know. Nobody else looks at them before their time.
/// </summary>
internal sealed class ScheduleSurvey(
    SchedulerStore store,
    RunPlanner planner,
    SavedConnections connections,
    TimeProvider time,
    ILogger<ScheduleSurvey> logger
)
{
    /// <summary>
    /// All schedules are looked at so often. What is wrong with one is so from the daemon's start, or comes from damage to the store; of
    /// one that is due, the planner tells at once.
    /// </summary>
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    private const int Page = 500;

    /// <summary>Of those that are known to be broken, so many are looked at each time: one that is mended is forgotten at once.</summary>
    private const int MostLookedAtAgain = 100;

    /// <summary>Of more, only the number is shown.</summary>
    private const int MostTold = 5;

    private readonly SortedDictionary<string, string> _broken = new(StringComparer.Ordinal);
    private long? _looked;

    /// <summary>Why a schedule that should run cannot; null where it can.</summary>
    public static IngestException? WhyBroken(StoredSchedule schedule)
    {
        if (schedule.Status != ScheduleStatus.Active)
            return null;
        try
        {
            _ = new Timetable(schedule.Definition, schedule.RegisteredAt);
            return null;
        }
        catch (IngestException e)
        {
            return new IngestException(e.ErrorId, $"Its times cannot be reckoned: {e.Message}", e)
            {
                Advice =
                    "It runs nothing while that is so. Register it again with -Force and another time or -TimeZone, or give the "
                    + "machine its time zones back and start the scheduler again.",
            };
        }
    }

    public static string Tell(IngestException error) => $"{error.Message} {error.Advice}";

    /// <summary>Looks, and says what is wrong; null where nothing is.</summary>
    public async Task<string?> LookAsync(CancellationToken cancellationToken)
    {
        if (_looked is { } looked && time.GetElapsedTime(looked) < Interval)
            await LookAgainAsync(cancellationToken);
        else
            await LookAtAllAsync(cancellationToken);
        SortedDictionary<string, string> all = new(_broken, StringComparer.Ordinal);
        foreach ((string key, string why) in planner.Unplanned)
            all.TryAdd(key, why);
        if (all.Count == 0)
            return null;
        string reasons = string.Join(' ', all.Take(MostTold).Select(entry => $"'{entry.Key}': {entry.Value}"));
        return $"{all.Count} {(all.Count == 1 ? "schedule runs" : "schedules run")} nothing: "
            + $"{reasons}{(all.Count > MostTold ? " ..." : "")}";
    }

    /// <summary>What is wrong with connections of active schedules. Before anything is said, it is noted anew which they are.</summary>
    public async Task<IEnumerable<string>> FindConnectionTroublesAsync(CancellationToken cancellationToken)
    {
        if (!connections.FindTroubles().Any())
            return [];
        await LookAtAllAsync(cancellationToken);
        return connections.FindTroubles();
    }

    private async Task LookAtAllAsync(CancellationToken cancellationToken)
    {
        _looked = time.GetTimestamp();
        connections.ForgetUses();
        HashSet<string> gone = new(_broken.Keys, StringComparer.Ordinal);
        string last = "";
        while (await store.ReadSchedulesAfterAsync(last, Page, cancellationToken) is { Count: > 0 } rows)
        {
            last = rows[^1].Key;
            foreach (ScheduleRow row in rows)
            {
                gone.Remove(row.Key);
                Note(row);
            }
        }

        foreach (string key in gone)
            _broken.Remove(key);

        // The whole store has passed through, at the start twice; nothing as large follows for an hour, so what that took is given back.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    private async Task LookAgainAsync(CancellationToken cancellationToken)
    {
        foreach (string key in _broken.Keys.Take(MostLookedAtAgain).ToArray())
        {
            if (await store.FindRowAsync(key, cancellationToken) is { } row)
                Note(row);
            else
                _broken.Remove(key);
        }
    }

    private void Note(ScheduleRow row)
    {
        if (row.Schedule is { Status: ScheduleStatus.Active } active)
            connections.NoteUse(active.Definition.Load);
        if ((row.Schedule is { } schedule ? WhyBroken(schedule) : row.Error) is not { } error)
        {
            _broken.Remove(row.Key);
            return;
        }

        string why = Tell(error);
        if (_broken.GetValueOrDefault(row.Key) != why)
            logger.LogError("'{Name}' runs nothing: {Why}", row.Name, why);
        _broken[row.Key] = why;
    }
}
