using IngestTools.Connections;

namespace IngestTools.Scheduler.Notifications;

/// <summary>Where the daemon reports the runs of all schedules, and how long an attempt takes.</summary>
internal sealed record NotificationOptions
{
    /// <summary>The address, or the reference to where it is kept; null reports only where a schedule says so.</summary>
    public string? Uri { get; init; }

    /// <summary>Reads the secret that signs what is sent; null signs nothing.</summary>
    public SecretReader? Secret { get; init; }

    /// <summary>A server that has not answered within this time is given up.</summary>
    public TimeSpan PostLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A program that has not ended within this time is killed.</summary>
    public TimeSpan CommandLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The pauses between attempts: a receiver that is restarted misses nothing, and one that is down overnight neither. After the last
    /// attempt the report has failed.
    /// </summary>
    public IReadOnlyList<TimeSpan> Pauses { get; init; } =
    [
        TimeSpan.FromSeconds(10),
        TimeSpan.FromSeconds(30),
        TimeSpan.FromMinutes(2),
        TimeSpan.FromMinutes(10),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(1),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(4),
    ];
}
