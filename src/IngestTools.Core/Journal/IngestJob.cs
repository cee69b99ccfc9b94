namespace IngestTools;

/// <summary>One call of Send-IngestFile into one project or hierarchy, as the journal keeps it.</summary>
public sealed record IngestJob
{
    /// <summary>Its id: <c>job:12</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Where it stands.</summary>
    public IngestJobStatus Status { get; init; }

    /// <summary>The service.</summary>
    public IngestService Service { get; init; }

    /// <summary>The server's base address.</summary>
    public required string Server { get; init; }

    /// <summary>DSP-INGEST: the project; null elsewhere.</summary>
    public string? Shortcode { get; init; }

    /// <summary>VOSS: the hierarchy; null elsewhere.</summary>
    public string? Hierarchy { get; init; }

    /// <summary>The name of the connection that was used.</summary>
    public string? Connection { get; init; }

    /// <summary>When it began.</summary>
    public DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended; null while it runs, or where it was interrupted.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Files that were uploaded.</summary>
    public long Uploaded { get; init; }

    /// <summary>Files that failed.</summary>
    public long Failed { get; init; }

    /// <summary>Files that were skipped, since they had been sent before and had not changed.</summary>
    public long Skipped { get; init; }

    /// <summary>Bytes that were uploaded.</summary>
    public long Bytes { get; init; }

    /// <summary>The process that ran it.</summary>
    public int ProcessId { get; init; }

    /// <summary>The machine that it ran on.</summary>
    public string? MachineName { get; init; }

    /// <summary>The id of a job's number.</summary>
    /// <param name="number">The number.</param>
    public static string FormatId(long number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"job:{number}");

    /// <summary>Reads the id of a job: <c>job:12</c>, or the number alone.</summary>
    /// <param name="id">The id.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is not the id of a job.</exception>
    public static long ParseId(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        string number = id.StartsWith("job:", StringComparison.OrdinalIgnoreCase) ? id[4..] : id;
        return
            long.TryParse(number, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long value)
            && value > 0
            ? value
            : throw new IngestException(ErrorId.Rejected, $"'{Http.Redaction.EscapeControls(id)}' is not the id of a job.")
            {
                Operation = "read journal",
                Advice = "Give an id such as job:12. Get-IngestJob lists the jobs.",
                Target = id,
            };
    }

    /// <summary>Its id.</summary>
    public override string ToString() => Id;
}

/// <summary>Where a job stands.</summary>
public enum IngestJobStatus
{
    /// <summary>Its process is sending.</summary>
    Running,

    /// <summary>It ended by itself.</summary>
    Completed,

    /// <summary>It was stopped, or its process ended before it was done.</summary>
    Interrupted,
}
