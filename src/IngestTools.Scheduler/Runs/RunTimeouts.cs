namespace IngestTools.Scheduler.Runs;

/// <summary>How long a run is patient with a service.</summary>
internal sealed record RunTimeouts
{
    /// <summary>A fixed pause between looks at what runs; null starts at a second and grows to what suits the service.</summary>
    public TimeSpan? PollInterval { get; init; }

    /// <summary>
    /// The pauses before what has not yet been submitted is tried again; after the last it has failed. They come on top of those of a
    /// request.
    /// </summary>
    public IReadOnlyList<TimeSpan> RetryPauses { get; init; } =
    [TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5)];

    /// <summary>How long a submitted load is polled while the service cannot be reached or refuses the sign-in.</summary>
    public TimeSpan Outage { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long polling continues while answers are unreadable: a proxy that is being set up gives such answers too.</summary>
    public TimeSpan Refusals { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long at least no other node takes a run after a heartbeat of its node.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a request that must not be sent twice may take to end when the daemon stops, below the ten seconds that it has in all.
    /// </summary>
    public TimeSpan SubmitGrace { get; init; } = TimeSpan.FromSeconds(5);
}
