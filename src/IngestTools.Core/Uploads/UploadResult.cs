namespace IngestTools;

/// <summary>What became of one file that was to be sent.</summary>
public sealed class UploadResult
{
    /// <summary>The local file, as a full path.</summary>
    public required string Path { get; init; }

    /// <summary>The name under which the file was sent.</summary>
    public required string RemoteName { get; init; }

    /// <summary>VOSS: the name that came back, and by which a load finds the file; null elsewhere.</summary>
    public string? FileName { get; init; }

    /// <summary>DSP-INGEST: the project, in upper case; null elsewhere.</summary>
    public string? Shortcode { get; init; }

    /// <summary>VOSS: the hierarchy; null elsewhere.</summary>
    public string? Hierarchy { get; init; }

    /// <summary>Bytes in the file.</summary>
    public long Length { get; init; }

    /// <summary>SHA-256 of the bytes that were sent, lower-case hexadecimal; null where nothing was sent whole.</summary>
    public string? Sha256 { get; init; }

    /// <summary>How it ended.</summary>
    public UploadStatus Status { get; init; }

    /// <summary>Why it was skipped; null where it was not.</summary>
    public SkipReason? Reason { get; init; }

    /// <summary>DSP-INGEST: the server's name of the ingested file, where the journal knows it; null elsewhere.</summary>
    public string? Derivative { get; init; }

    /// <summary>How often it was sent.</summary>
    public int Attempts { get; init; }

    /// <summary>From the first attempt to the end of the last, pauses between them included.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>When the last attempt ended; null where nothing was sent, or it is not known.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Bytes a second over <see cref="Duration"/>; 0 where nothing was sent.</summary>
    public double BytesPerSecond => Status == UploadStatus.Uploaded && Duration > TimeSpan.Zero ? Length / Duration.TotalSeconds : 0;

    /// <summary>Why it was not uploaded; null where it was.</summary>
    public IngestException? Error { get; init; }

    /// <summary>The name of the connection that was used.</summary>
    public string? Connection { get; init; }

    /// <summary>The base address of the server that it was sent to.</summary>
    public string? Server { get; init; }

    /// <summary>Whether the server has the file: it was uploaded, or it had been sent before and has not changed.</summary>
    public bool IsOnServer => Status == UploadStatus.Uploaded || Reason is SkipReason.AlreadySent or SkipReason.AlreadyIngested;
}
