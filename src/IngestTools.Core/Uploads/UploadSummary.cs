namespace IngestTools;

/// <summary>What became of all files of one call.</summary>
public sealed class UploadSummary
{
    /// <summary>DSP-INGEST: the project; null elsewhere, and where there were several.</summary>
    public string? Shortcode { get; init; }

    /// <summary>VOSS: the hierarchy; null elsewhere, and where there were several.</summary>
    public string? Hierarchy { get; init; }

    /// <summary>The number of files, whatever became of them.</summary>
    public long Files => Uploaded + Planned + Skipped + Failed;

    /// <summary>Files that were sent.</summary>
    public long Uploaded { get; init; }

    /// <summary>Files that would be sent: the call was a dry run.</summary>
    public long Planned { get; init; }

    /// <summary>Files that were left out on purpose, or had been sent before.</summary>
    public long Skipped { get; init; }

    /// <summary>Of the skipped files, those that were sent before and are not ingested yet.</summary>
    public long AlreadySent { get; init; }

    /// <summary>Of the skipped files, those that were ingested before.</summary>
    public long AlreadyIngested { get; init; }

    /// <summary>Files that were not sent.</summary>
    public long Failed { get; init; }

    /// <summary>Bytes in the files that were sent, or would be.</summary>
    public long Bytes { get; init; }

    /// <summary>How long the call took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Bytes sent in a second, over <see cref="Duration"/>; 0 in a dry run.</summary>
    public double BytesPerSecond => Uploaded > 0 && Duration > TimeSpan.Zero ? Bytes / Duration.TotalSeconds : 0;

    /// <summary>Files sent in a second, over <see cref="Duration"/>; 0 in a dry run.</summary>
    public double FilesPerSecond => Uploaded > 0 && Duration > TimeSpan.Zero ? Uploaded / Duration.TotalSeconds : 0;

    /// <summary>Why files were not sent: each reason once, the commonest first.</summary>
    public IReadOnlyList<UploadFailureReason> Failures { get; init; } = [];

    /// <summary>The call's id in the journal; null where it recorded nothing.</summary>
    public string? Job { get; init; }

    /// <summary>The name of the connection; null where there were several.</summary>
    public string? Connection { get; init; }

    /// <summary>The base address of the server; null where there were several.</summary>
    public string? Server { get; init; }
}

/// <summary>One reason for which files were not sent.</summary>
/// <param name="ErrorId">The kind of error.</param>
/// <param name="Count">The number of files.</param>
/// <param name="Message">The error of the first of them.</param>
public sealed record UploadFailureReason(ErrorId ErrorId, long Count, string Message)
{
    /// <summary>A sentence for a person.</summary>
    public override string ToString() => $"{Count:N0} {ErrorId}: {Message}";
}
