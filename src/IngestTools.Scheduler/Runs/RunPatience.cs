namespace IngestTools.Scheduler.Runs;

/// <summary>How long a run is patient with a service.</summary>
internal sealed record RunPatience
{
    /// <summary>A fixed pause between looks at what runs; null starts at a second and grows to what suits the service.</summary>
    public TimeSpan? PollInterval { get; init; }

    /// <summary>The pauses before what has not yet been submitted is tried again; after the last it has failed. They come on top of those of a request.</summary>
    public IReadOnlyList<TimeSpan> RetryPauses { get; init; } = [TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5)];

    /// <summary>What was submitted is looked at for so long although the service cannot be reached or does not let one in: somebody will see to that.</summary>
    public TimeSpan Outage { get; init; } = TimeSpan.FromHours(24);

    /// <summary>For so long it is asked again although its answers make no sense: a proxy that is being set up anew gives such answers too.</summary>
    public TimeSpan Refusals { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>For so long at least nobody else takes a run whose node has just been heard of.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A request that must not be sent twice is given so long to end when the daemon is told to, below the ten seconds that it has in all.</summary>
    public TimeSpan SubmitGrace { get; init; } = TimeSpan.FromSeconds(5);
}
