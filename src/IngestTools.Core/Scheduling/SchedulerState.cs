namespace IngestTools;

/// <summary>The daemon, as it was when asked for.</summary>
public sealed record SchedulerState
{
    /// <summary>Whether it runs and answers.</summary>
    public bool IsRunning { get; init; }

    /// <summary>The version of the daemon.</summary>
    public string? Version { get; init; }

    /// <summary>Its process.</summary>
    public int? ProcessId { get; init; }

    /// <summary>The machine and the store's node name.</summary>
    public string? Node { get; init; }

    /// <summary>Its store: a path, or the database without its password.</summary>
    public string? Store { get; init; }

    /// <summary>Where it listens: the socket's path, or the pipe's name.</summary>
    public string? Socket { get; init; }

    /// <summary>
    /// The file that it writes its log to; null where there is no such file: started by the system, it writes to the system's journal.
    /// </summary>
    public string? LogPath { get; init; }

    /// <summary>Where its page is, without what opens it; null where the page is off. Show-IngestScheduler opens it.</summary>
    public Uri? PageUri { get; init; }

    /// <summary>The file that holds the token of its page, which only its account can read; null where the page is off.</summary>
    public string? PageTokenPath { get; init; }

    /// <summary>When it began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>How many schedules wait for a time.</summary>
    public int Active { get; init; }

    /// <summary>How many schedules are suspended.</summary>
    public int Suspended { get; init; }

    /// <summary>The number of active runs.</summary>
    public int Running { get; init; }

    /// <summary>Runs of the last day that ended as Failed, PartlySucceeded, Missed or Unknown.</summary>
    public int TroubledLastDay { get; init; }

    /// <summary>The next time that anything is due.</summary>
    public DateTimeOffset? NextRun { get; init; }

    /// <summary>What is wrong; null where nothing is.</summary>
    public string? Trouble { get; init; }

    /// <summary>Whether it is running, and where its store is.</summary>
    public override string ToString() => $"{(IsRunning ? "Running" : "Not running")}{(Store is null ? "" : $", {Store}")}";
}
