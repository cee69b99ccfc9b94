using IngestTools.Scheduling;

namespace IngestTools;

/// <summary>Where a run stands.</summary>
public enum RunStatus
{
    /// <summary>It is due, and waits for its turn.</summary>
    Planned,

    /// <summary>It sends files. What is sent twice does no harm.</summary>
    Uploading,

    /// <summary>It is about to do, or has just done, what must not be done twice. Written before that is sent.</summary>
    Submitting,

    /// <summary>The server has taken it; its transaction is known.</summary>
    Submitted,

    /// <summary>It runs on the server.</summary>
    Running,

    /// <summary>It ended with all its items.</summary>
    Succeeded,

    /// <summary>It ended with some of its items failed.</summary>
    PartlySucceeded,

    /// <summary>It ended without success, and nothing runs on the server.</summary>
    Failed,

    /// <summary>Its time passed, and it was not run.</summary>
    Missed,

    /// <summary>It was stopped on request.</summary>
    Canceled,

    /// <summary>What the server did cannot be known; the message says what to look at.</summary>
    Unknown,
}

/// <summary>A run of a schedule of the daemon, as it was when asked for.</summary>
public sealed record BulkLoadRun
{
    /// <summary>The run, in one string that Wait-Transaction takes: <c>run:</c> and its number in the daemon's store.</summary>
    public required string Id { get; init; }

    /// <summary>The schedule's name.</summary>
    public required string Name { get; init; }

    /// <summary>What it does; null where the daemon does not tell.</summary>
    public LoadKind? Kind { get; init; }

    /// <summary>The base address of the server that it loads to; null where that was not recorded.</summary>
    public string? Server { get; init; }

    /// <summary>Where it stands.</summary>
    public RunStatus Status { get; init; }

    /// <summary>The time that it was due.</summary>
    public DateTimeOffset DueAt { get; init; }

    /// <summary>When it began; null before that.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended; null before that.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>How long after its time it began.</summary>
    public TimeSpan? Late =>
        StartedAt is { } began && began > DueAt ? began - DueAt
        : StartedAt is null ? null
        : TimeSpan.Zero;

    /// <summary>Whether it was started by hand.</summary>
    public bool Manual { get; init; }

    /// <summary>Which attempt it is: 1 for a run of a time, 2 for the first that repeats a failed one.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>The run that it repeats, the first one of several: <c>run:</c> and its number; null where it repeats none.</summary>
    public string? RetryOf { get; init; }

    /// <summary>The transactions at the service, oldest first: one, or several batches. Get-Transaction takes them.</summary>
    public IReadOnlyList<string> TransactionIds { get; init; } = [];

    /// <summary>The name that the input has at the service, by which it can be looked for there; null where it has none.</summary>
    public string? RemoteName { get; init; }

    /// <summary>Items done.</summary>
    public long? Completed { get; init; }

    /// <summary>Items in all; null where the service does not tell.</summary>
    public long? Total { get; init; }

    /// <summary>What is counted.</summary>
    public string? Unit { get; init; }

    /// <summary>What there is to say about it, for a person.</summary>
    public string? Message { get; init; }

    /// <summary>
    /// Whether its end was reported: Pending, Sent, or Failed with the reason; null where it is not reported to anybody.
    /// </summary>
    public string? Notification { get; init; }

    /// <summary>The node that runs or ran it.</summary>
    public string? Node { get; init; }

    /// <summary>What the daemon did, line by line; null where it was not asked for.</summary>
    public IReadOnlyList<TransactionLogEntry>? Log { get; init; }

    /// <summary>Whether the scheduler ran when it was asked; else this is what its store says.</summary>
    public bool IsSchedulerRunning { get; init; } = true;

    /// <summary>Whether it has ended, one way or another.</summary>
    public bool IsTerminal => Status >= RunStatus.Succeeded;

    /// <summary>The id.</summary>
    public override string ToString() => Id;
}
