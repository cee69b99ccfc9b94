using System.Text.Json.Serialization;

namespace IngestTools;

/// <summary>
/// Something that runs on a server, as it was when last looked at. A transaction is a picture of a moment: looking again gives another.
/// </summary>
public sealed record Transaction
{
    /// <summary>The service and the path to the transaction in one string, to be kept and used later: <c>dsp:0001</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What it does.</summary>
    public required TransactionKind Kind { get; init; }

    /// <summary>Where it stands.</summary>
    public TransactionStatus Status { get; init; }

    /// <summary>The server's own word for where it stands.</summary>
    public string? ServerStatus { get; init; }

    /// <summary>Items done so far; null where the server does not tell.</summary>
    public long? Completed { get; init; }

    /// <summary>Items in all; null where the server does not tell.</summary>
    public long? Total { get; init; }

    /// <summary>What is counted: "files", "items", "objects", "rows".</summary>
    public string? Unit { get; init; }

    /// <summary>What there is to say about it, for a person.</summary>
    public string? Message { get; init; }

    /// <summary>When it was asked for.</summary>
    public DateTimeOffset? SubmittedAt { get; init; }

    /// <summary>When it began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended; where the server does not tell, when its end was seen.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>From its beginning to its end, or to when it was last looked at; null before it began.</summary>
    public TimeSpan? Elapsed => (StartedAt ?? SubmittedAt) is { } began ? (CompletedAt ?? SeenAt ?? began) - began : null;

    /// <summary>When it was looked at.</summary>
    public DateTimeOffset? SeenAt { get; init; }

    /// <summary>For a schedule: when it will run.</summary>
    public DateTimeOffset? ScheduledFor { get; init; }

    /// <summary>The name of the connection that it belongs to.</summary>
    public string? Connection { get; init; }

    /// <summary>The base address of the server that it runs on.</summary>
    public string? Server { get; init; }

    /// <summary>DSP-INGEST: the project, in upper case.</summary>
    public string? Shortcode { get; init; }

    /// <summary>ICA: the project that the data is linked into.</summary>
    public string? ProjectId { get; init; }

    /// <summary>ICA: the batch.</summary>
    public string? BatchId { get; init; }

    /// <summary>ICA: the job that works on the batch; null before there is one.</summary>
    public string? JobId { get; init; }

    /// <summary>lakeFS: the repository.</summary>
    public string? Repository { get; init; }

    /// <summary>lakeFS: the branch that is imported into.</summary>
    public string? Branch { get; init; }

    /// <summary>lakeFS: the import.</summary>
    public string? ImportId { get; init; }

    /// <summary>lakeFS: the commit that the import made; null before there is one.</summary>
    public string? CommitId { get; init; }

    /// <summary>lakeFS: the metarange that the import made; null before there is one.</summary>
    public string? MetaRangeId { get; init; }

    /// <summary>VOSS: the hierarchy that the load runs at.</summary>
    public string? Hierarchy { get; init; }

    /// <summary>VOSS: the transaction's pkid.</summary>
    public string? TransactionId { get; init; }

    /// <summary>VOSS: the workbook, by the name that the server gave it.</summary>
    public string? FileName { get; init; }

    /// <summary>
    /// VOSS: the transactions one level down, newest first, then the rows that failed, in their order; null where they were not asked for.
    /// </summary>
    public IReadOnlyList<SubTransaction>? SubTransactions { get; init; }

    /// <summary>VOSS: what the server logged, at most the newest 1,000 lines; null where it was not asked for.</summary>
    public IReadOnlyList<TransactionLogEntry>? Log { get; init; }

    /// <summary>Whether it has ended, one way or another.</summary>
    public bool IsTerminal => Status is not (TransactionStatus.Queued or TransactionStatus.Running);

    /// <summary>Its id.</summary>
    public override string ToString() => Id;

    /// <summary>
    /// lakeFS: the number of objects below which the import has failed; null is 1 where objects were deleted. The journal records it, so
    /// that another session that waits by the id applies the same limit.
    /// </summary>
    [JsonInclude]
    internal long? MinimumObjects { get; init; }

    /// <summary>What the one who started it knows and the server does not: the uploads that it should ingest.</summary>
    internal object? Expectation { get; init; }
}
