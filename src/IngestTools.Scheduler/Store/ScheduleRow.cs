using System.Data.Common;
using System.Text.Json;

namespace IngestTools.Scheduler.Store;

/// <summary>
/// A row of the schedules: the schedule, or why it cannot be read. One that cannot be read is listed, and hides no other.
/// </summary>
internal sealed record ScheduleRow
{
    /// <summary>The name without regard to case, which is known even of one that cannot be read.</summary>
    public required string Key { get; init; }

    /// <summary>The schedule; null where it cannot be read.</summary>
    public StoredSchedule? Schedule { get; private init; }

    public DateTimeOffset RegisteredAt { get; private init; }

    public string? RegisteredBy { get; private init; }

    public string Name => Schedule?.Definition.Name ?? Key;

    /// <summary>Why it cannot be read, and what to do; null where it can.</summary>
    public IngestException? Error { get; private init; }

    public static ScheduleRow Read(DbDataReader row)
    {
        string key = row.Text("name_key");
        try
        {
            StoredSchedule schedule = StoredSchedule.Read(row);
            return schedule is { Definition: { Name: not null, Load.Connection: not null } } && schedule.Key == key
                ? new ScheduleRow { Key = key, Schedule = schedule }
                : Unreadable(row, key, "something of it is missing.", null);
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException or InvalidCastException or OverflowException)
        {
            return Unreadable(row, key, e.Message, e);
        }
    }

    /// <summary>The schedule.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidSchedule"/>: it cannot be read.</exception>
    public StoredSchedule Open() => Schedule ?? throw Error!;

    private static ScheduleRow Unreadable(DbDataReader row, string key, string why, Exception? cause) =>
        new()
        {
            Key = key,
            RegisteredAt =
                row["registered_at"] is long at && at >= 0 && at <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
                    ? DateTimeOffset.FromUnixTimeMilliseconds(at)
                    : default,
            RegisteredBy = row["registered_by"] as string,
            Error = new IngestException(ErrorId.InvalidSchedule, $"The schedule '{key}' cannot be read from the store: {why}", cause)
            {
                Operation = "schedule",
                Advice = "It runs nothing. Register it again with -Force, or remove it with Unregister-BulkLoadSchedule.",
                Target = key,
            },
        };
}
