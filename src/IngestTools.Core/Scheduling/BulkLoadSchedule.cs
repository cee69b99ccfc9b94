using IngestTools.Scheduling;

namespace IngestTools;

/// <summary>Where a schedule stands.</summary>
public enum ScheduleStatus
{
    /// <summary>It waits for its next time.</summary>
    Active,

    /// <summary>It was suspended, and runs nothing until it is resumed.</summary>
    Suspended,

    /// <summary>It has no further time.</summary>
    Ended,

    /// <summary>
    /// It runs nothing, for it cannot be read from the store, or its times cannot be reckoned; <see cref="BulkLoadSchedule.Reason"/> tells
    /// why, and what to do.
    /// </summary>
    Broken,
}

/// <summary>A schedule of the daemon, as it was when asked for.</summary>
public sealed record BulkLoadSchedule
{
    /// <summary>The schedule's name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it stands.</summary>
    public ScheduleStatus Status { get; init; }

    /// <summary>What it loads, and when; null where the store cannot give it any more.</summary>
    public ScheduleDefinition? Definition { get; init; }

    /// <summary>The base address of the server that it loads to; null where that is not known.</summary>
    public string? Server => Definition?.Load?.Server;

    /// <summary>Why it is suspended or broken; null where it is neither, or nobody said.</summary>
    public string? Reason { get; init; }

    /// <summary>The next times, nearest first, in the schedule's zone; at most five.</summary>
    public IReadOnlyList<DateTimeOffset> NextRuns { get; init; } = [];

    /// <summary>The next time in the caller's local zone; null where there is none.</summary>
    public DateTimeOffset? NextRun => NextRuns.Count > 0 ? NextRuns[0].ToLocalTime() : null;

    /// <summary>The next time in UTC; null where there is none.</summary>
    public DateTimeOffset? NextRunUtc => NextRuns.Count > 0 ? NextRuns[0].ToUniversalTime() : null;

    /// <summary>The newest run; null before the first.</summary>
    public BulkLoadRun? LastRun { get; init; }

    /// <summary>When it was registered.</summary>
    public DateTimeOffset RegisteredAt { get; init; }

    /// <summary>Who registered it: a user's name and machine.</summary>
    public string? RegisteredBy { get; init; }

    /// <summary>
    /// Whether the scheduler ran when it was asked; else this is what its store says, and the next times do not run.
    /// </summary>
    public bool IsSchedulerRunning { get; init; } = true;

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
