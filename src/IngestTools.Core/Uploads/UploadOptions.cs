using IngestTools.Journal;

namespace IngestTools.Uploads;

/// <summary>How files are sent.</summary>
public sealed record UploadOptions
{
    /// <summary>The most uploads at once. Below it the engine finds its own level for each project.</summary>
    public int ThrottleLimit { get; init; } = 16;

    /// <summary>Whether names are sent that the server is expected to refuse.</summary>
    public bool Force { get; init; }

    /// <summary>How long a lock that others hold is waited for before a file fails.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Whether folders are searched through all levels.</summary>
    public bool Recurse { get; init; }

    /// <summary>File name patterns of which one must match (* and ?); none lets every name through.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>File name patterns of which none may match.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>The folder that remote names are relative to; null takes the folder given, or the bare name.</summary>
    public string? BasePath { get; init; }

    /// <summary>What goes before each remote name; null is nothing.</summary>
    public string? Destination { get; init; }

    /// <summary>What was sent before. A file that is recorded there and has not changed is skipped.</summary>
    public IIngestJournal Journal { get; init; } = IngestJournal.Off;

    /// <summary>Whether files are sent that were sent before and have not changed.</summary>
    public bool Again { get; init; }

    /// <summary>Whether a file counts as unchanged by its SHA-256 instead of the time it was last written.</summary>
    public bool Checksum { get; init; }

    /// <summary>
    /// The maximum number of bytes of files that are sent in a second, all concurrent uploads and attempts together; null sets no limit.
    /// </summary>
    public long? MaxBytesPerSecond { get; init; }

    /// <summary>
    /// Whether nothing is sent. All checks of a real call are made, those of the server included, and each file that would be sent has a
    /// result with the status <see cref="UploadStatus.Planned"/>.
    /// </summary>
    public bool IsDryRun { get; init; }

    /// <summary>Whether nothing is sent and nothing is recorded: <see cref="Confirm"/> is only asked about what would be sent.</summary>
    public bool IsRehearsal { get; init; }

    /// <summary>Whether nothing is sent.</summary>
    internal bool SendsNothing => IsRehearsal || IsDryRun;

    /// <summary>Asked before each file is sent; one that is not to be sent has no result. Null sends all.</summary>
    public Func<UploadItem, ValueTask<bool>>? Confirm { get; init; }
}
