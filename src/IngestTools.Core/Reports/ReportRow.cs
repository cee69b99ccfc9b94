namespace IngestTools.Reports;

/// <summary>
/// One line of a report: a result, a transaction, a row of a mapping and so on, in the same properties whatever it was made of. The
/// factories in <see cref="ReportRows"/> make them.
/// </summary>
public sealed class ReportRow
{
    internal ReportRow() { }

    /// <summary>What it was made of.</summary>
    internal ReportRowKind Kind { get; init; }

    /// <summary>How it ended, in words that mean the same for every kind.</summary>
    internal ReportOutcome Outcome { get; init; }

    /// <summary>How it ended, in the word of its kind: Uploaded, LINKED, LeftOver.</summary>
    internal string Status { get; init; } = "";

    /// <summary>The id of the transaction, the run, the job or the item of a batch.</summary>
    internal string? Id { get; init; }

    /// <summary>What a transaction does, the schedule of a run, or what an item of a transaction is.</summary>
    internal string? Name { get; init; }

    internal string? Path { get; init; }

    internal string? RemoteName { get; init; }

    internal string? FileName { get; init; }

    internal string? Derivative { get; init; }

    internal string? Shortcode { get; init; }

    internal string? Hierarchy { get; init; }

    internal string? ProjectId { get; init; }

    internal string? BatchId { get; init; }

    internal string? DataId { get; init; }

    internal string? Repository { get; init; }

    internal string? Branch { get; init; }

    /// <summary>Bytes in the file; of a job, bytes that were uploaded.</summary>
    internal long? Length { get; init; }

    internal string? Sha256 { get; init; }

    internal bool? Verified { get; init; }

    internal int? Attempts { get; init; }

    internal long? Completed { get; init; }

    internal long? Total { get; init; }

    internal string? Unit { get; init; }

    internal long? Uploaded { get; init; }

    internal long? Failed { get; init; }

    internal long? Skipped { get; init; }

    internal DateTimeOffset? DueAt { get; init; }

    internal DateTimeOffset? StartedAt { get; init; }

    internal DateTimeOffset? CompletedAt { get; init; }

    internal TimeSpan? Duration { get; init; }

    internal double? BytesPerSecond { get; init; }

    /// <summary>Why a file was skipped.</summary>
    internal SkipReason? Reason { get; init; }

    internal ErrorId? ErrorId { get; init; }

    internal int? StatusCode { get; init; }

    /// <summary>What there is to say about it, for a person: of what failed, why.</summary>
    internal string? Message { get; init; }

    internal string? ServerMessage { get; init; }

    internal string? RequestId { get; init; }

    internal string? Advice { get; init; }

    internal string? Connection { get; init; }

    internal string? Server { get; init; }

    /// <summary>What a person calls it.</summary>
    internal string Item => RemoteName ?? DataId ?? (Kind == ReportRowKind.Run ? Name : null) ?? Id ?? Path ?? Name ?? "";

    /// <summary>
    /// Whether it is listed among the failures. A job with failed files is not: its files are, each with its own cause.
    /// </summary>
    internal bool IsFailure =>
        Outcome is ReportOutcome.Failed or ReportOutcome.Unknown || (Outcome == ReportOutcome.PartlySucceeded && Kind != ReportRowKind.Job);
}

/// <summary>What a row was made of.</summary>
internal enum ReportRowKind
{
    /// <summary>An <see cref="UploadResult"/>.</summary>
    Upload,

    /// <summary>A <see cref="Transaction"/>.</summary>
    Transaction,

    /// <summary>A row of a sheet, or another part of a transaction, that failed.</summary>
    TransactionItem,

    /// <summary>An <see cref="IngestMapping"/>.</summary>
    Mapping,

    /// <summary>A <see cref="LinkingBatchItem"/>.</summary>
    LinkingItem,

    /// <summary>A <see cref="BulkLoadRun"/>.</summary>
    Run,

    /// <summary>An <see cref="IngestJob"/>.</summary>
    Job,
}

/// <summary>How something ended, in words that mean the same for every kind of row.</summary>
internal enum ReportOutcome
{
    /// <summary>It ended with all of it.</summary>
    Succeeded,

    /// <summary>It ended with a part of it.</summary>
    PartlySucceeded,

    /// <summary>It ended without success.</summary>
    Failed,

    /// <summary>It was left out on purpose.</summary>
    Skipped,

    /// <summary>It was stopped on request.</summary>
    Canceled,

    /// <summary>It has not ended.</summary>
    Running,

    /// <summary>How it ended is not known.</summary>
    Unknown,
}
