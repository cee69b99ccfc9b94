using IngestTools.Scheduler.Notifications;

namespace IngestTools.Scheduler.Hosting;

/// <summary>How the daemon runs.</summary>
internal sealed record DaemonOptions
{
    /// <summary>The folder of the store, the lock and the spool.</summary>
    public required string Folder { get; init; }

    /// <summary>The database of several nodes; null where the store is a file in the folder.</summary>
    public string? Connection { get; init; }

    public required string Socket { get; init; }

    public required string Node { get; init; }

    /// <summary>A fixed pause between looks at what runs; null suits it to the service.</summary>
    public TimeSpan? PollInterval { get; init; }

    public required TimeSpan TakeOverAfter { get; init; }

    /// <summary>The port of the page; 0 takes a free one, null serves no page.</summary>
    public int? PagePort { get; init; }

    public bool IsVerbose { get; init; }

    /// <summary>The file that the log is written to; null writes it to stderr.</summary>
    public string? LogPath { get; init; }

    /// <summary>Where runs are reported that end other than Succeeded.</summary>
    public NotificationOptions Notifications { get; init; } = new();
}
