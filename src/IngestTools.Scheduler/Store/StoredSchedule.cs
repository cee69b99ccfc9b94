using System.Data.Common;
using System.Text.Json;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Store;

/// <summary>A schedule as the store keeps it.</summary>
internal sealed record StoredSchedule
{
    /// <summary>The name without regard to case.</summary>
    public string Key => KeyOf(Definition.Name);

    /// <summary>This registration: one that is replaced has another.</summary>
    public required string Revision { get; init; }

    public required ScheduleDefinition Definition { get; init; }

    public ScheduleStatus Status { get; init; }

    public string? Reason { get; init; }

    /// <summary>What the spool calls the copied input; null where none was copied.</summary>
    public string? Spool { get; init; }

    /// <summary>When it was registered, or its time was changed: intervals are counted from there.</summary>
    public DateTimeOffset RegisteredAt { get; init; }

    /// <summary>How often its definition was changed.</summary>
    public long Changed { get; init; }

    public string? RegisteredBy { get; init; }

    /// <summary>The first time that was not yet planned; null where there is none.</summary>
    public DateTimeOffset? NextDue { get; init; }

    /// <summary>
    /// Whether this is the registration of one load for one time, whatever else was said of it. Where one server is not known, it counts as
    /// the other.
    /// </summary>
    public bool IsOf(DateTimeOffset at, LoadDefinition load) =>
        Definition.At == at
        && LoadJson.Write(Definition.Load with { Server = Definition.Load.Server ?? load.Server })
            == LoadJson.Write(load with { Server = load.Server ?? Definition.Load.Server });

    /// <summary>The same schedule, which loads to a server from now on.</summary>
    public StoredSchedule WithServer(string server) =>
        this with
        {
            Definition = Definition with { Load = Definition.Load with { Server = server } },
        };

    public static string KeyOf(string name) => name.ToLowerInvariant();

    public static StoredSchedule Read(DbDataReader row) =>
        new()
        {
            Revision = row.Text("revision"),
            Definition = JsonSerializer.Deserialize(row.Text("definition"), SchedulingJson.Default.ScheduleDefinition)!,
            Status = Enum.Parse<ScheduleStatus>(row.Text("status")),
            Reason = row.TextOrNull("reason"),
            Spool = row.TextOrNull("spool"),
            RegisteredAt = row.Time("registered_at"),
            RegisteredBy = row.TextOrNull("registered_by"),
            NextDue = row.TimeOrNull("next_due"),
            Changed = row.AddedNumber("changed") ?? 0,
        };

    /// <summary>Whether it stands as another reading of it: nobody planned or changed it meanwhile.</summary>
    public bool IsAt(StoredSchedule other) =>
        (Revision, Changed, Status, NextDue) == (other.Revision, other.Changed, other.Status, other.NextDue);

    public (string, object?)[] Values() =>
        [
            ("key", Key),
            ("revision", Revision),
            ("definition", JsonSerializer.Serialize(Definition, SchedulingJson.Default.ScheduleDefinition)),
            ("status", Status.ToString()),
            ("reason", Reason),
            ("spool", Spool),
            ("registered_at", RegisteredAt.ToUnixTimeMilliseconds()),
            ("registered_by", RegisteredBy),
            ("next_due", NextDue?.ToUnixTimeMilliseconds()),
            ("changed", Changed),
        ];
}
