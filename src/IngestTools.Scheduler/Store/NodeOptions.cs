namespace IngestTools.Scheduler.Store;

/// <summary>This daemon among others.</summary>
internal sealed record NodeOptions
{
    /// <summary>Its name, the same at each start.</summary>
    public required string Name { get; init; }

    /// <summary>A daemon without a heartbeat for this time is dead, and its runs are taken over by others.</summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often it says that it lives: several times before it is taken for dead.</summary>
    public TimeSpan BeatInterval => DeadAfter / 6;
}
