namespace IngestTools.Scheduling;

/// <summary>What to do with a time that passed while nobody could run the load.</summary>
public enum MissedRun
{
    /// <summary>Runs it once, late, however many times were missed.</summary>
    RunOnce,

    /// <summary>Skips it. A run with the status Missed records it.</summary>
    Skip,
}

/// <summary>What to do when a run is due while the previous one has not ended.</summary>
public enum Overlap
{
    /// <summary>Skips the new one. A run with the status Missed records it.</summary>
    Skip,

    /// <summary>Runs it after the other has ended; of several that wait so, one.</summary>
    Queue,
}

/// <summary>A load that is to run later, once or again and again.</summary>
public sealed record ScheduleDefinition
{
    /// <summary>The schedule's name.</summary>
    public required string Name { get; init; }

    /// <summary>What it loads.</summary>
    public required LoadDefinition Load { get; init; }

    /// <summary>Once, at this moment. One of At, Cron and Every is given.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>At the times of a cron text of five fields (Unix) or six (with seconds first).</summary>
    public string? Cron { get; init; }

    /// <summary>Again after each span of time, the first as soon as one has passed since it was registered.</summary>
    public TimeSpan? Every { get; init; }

    /// <summary>
    /// The zone in which <see cref="Cron"/> is read, and in which times are shown: an IANA or a Windows id; null is the daemon's own.
    /// </summary>
    public string? TimeZone { get; init; }

    /// <summary>What to do with a missed time.</summary>
    public MissedRun MissedRun { get; init; }

    /// <summary>What to do when the previous run has not ended.</summary>
    public Overlap Overlap { get; init; }

    /// <summary>
    /// How often a run is repeated that failed before anything was submitted; null is never. A run in which something was submitted, or may
    /// have been, is never repeated.
    /// </summary>
    public int? RetryFailed { get; init; }

    /// <summary>How long after the failure a run is repeated; null is <see cref="DefaultRetryAfter"/>.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// Where a run that ended other than Succeeded is reported: an address of https, or <c>env:NAME</c> or <c>file:PATH</c> where the
    /// address is kept; null reports to none of the schedule's own. It holds no secret.
    /// </summary>
    public string? NotifyUri { get; init; }

    /// <summary>
    /// The program that is run when a run ended other than Succeeded, and its arguments; null runs none. The report is its standard input.
    /// </summary>
    public IReadOnlyList<string>? NotifyCommand { get; init; }

    /// <summary>How long after its failure a run is repeated where nothing was said.</summary>
    public static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromMinutes(15);

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
