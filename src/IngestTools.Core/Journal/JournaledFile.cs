namespace IngestTools.Journal;

/// <summary>What the journal knows of one file at one place.</summary>
public sealed record JournaledFile
{
    /// <summary>Its name on the server.</summary>
    public required string Name { get; init; }

    /// <summary>What became of it.</summary>
    public required FileState State { get; init; }

    /// <summary>The local file that was sent; null where it was sent from elsewhere.</summary>
    public string? Path { get; init; }

    /// <summary>Bytes that were sent; null where it was sent from elsewhere.</summary>
    public long? Length { get; init; }

    /// <summary>When the local file was last written, in UTC; null where it was sent from elsewhere.</summary>
    public DateTime? LastWriteTime { get; init; }

    /// <summary>SHA-256 of the bytes that were sent, lower-case hexadecimal; null where it is not known.</summary>
    public string? Sha256 { get; init; }

    /// <summary>What the server made of it: DSP-INGEST's derivative, VOSS's file name; null where there is nothing yet.</summary>
    public string? ServerName { get; init; }

    /// <summary>The job that sent it; 0 where it was sent from elsewhere.</summary>
    public long Job { get; init; }
}

/// <summary>A file that was sent, and where to.</summary>
/// <param name="Place">The place.</param>
/// <param name="File">The file; null where its record was deleted, and is only known to have replaced an earlier one.</param>
/// <param name="SentAt">When it was recorded.</param>
public sealed record JournaledUpload(JournalPlace Place, JournaledFile? File, DateTimeOffset SentAt);

/// <summary>What became of a file.</summary>
public enum FileState
{
    /// <summary>It is on the server, and not ingested as far as is known.</summary>
    Sent = 1,

    /// <summary>The server ingested it.</summary>
    Ingested = 2,

    /// <summary>An ingest ran after it was sent, and did not take it.</summary>
    LeftOver = 3,

    /// <summary>The server has a file of this name that was not sent from here. Whether it is the same file is not known.</summary>
    Elsewhere = 4,
}
