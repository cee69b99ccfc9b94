using System.Data.Common;

namespace IngestTools.Scheduler.Store;

/// <summary>Where a run's end is reported.</summary>
internal enum NotificationKind
{
    /// <summary>The address that the daemon reports all runs to.</summary>
    Daemon,

    /// <summary>An address of the schedule.</summary>
    Uri,

    /// <summary>A program of the schedule.</summary>
    Command,
}

/// <summary>Where a report stands.</summary>
internal enum NotificationState
{
    Pending,
    Sent,
    Failed,
}

/// <summary>A report of a run's end to one target.</summary>
internal sealed record StoredNotification
{
    public long Number { get; init; }

    /// <summary>The run's number.</summary>
    public long Run { get; init; }

    public NotificationKind Kind { get; init; }

    /// <summary>The schedule's address, or its program and arguments as a JSON array; null for the daemon's own address.</summary>
    public string? Target { get; init; }

    public NotificationState State { get; init; }

    /// <summary>The number of attempts that were begun.</summary>
    public int Attempts { get; init; }

    /// <summary>Not sent before this.</summary>
    public DateTimeOffset DueAt { get; init; }

    /// <summary>Why the last attempt failed; null where none did.</summary>
    public string? Reason { get; init; }

    public static StoredNotification Read(DbDataReader row) =>
        new()
        {
            Number = row.Number("id"),
            Run = row.Number("run_id"),
            Kind = Enum.Parse<NotificationKind>(row.Text("kind")),
            Target = row.TextOrNull("target"),
            State = Enum.Parse<NotificationState>(row.Text("state")),
            Attempts = (int)row.Number("attempts"),
            DueAt = row.Time("due_at"),
            Reason = row.TextOrNull("reason"),
        };

    /// <summary>What the history of a run shows of all its reports: the word for each, and why one failed.</summary>
    public static string Describe(IEnumerable<StoredNotification> all) =>
        string.Join("; ", all.Select(one => one.Reason is null ? one.State.ToString() : $"{one.State}: {one.Reason}").Distinct());
}
