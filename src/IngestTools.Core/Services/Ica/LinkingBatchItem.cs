namespace IngestTools;

/// <summary>One id of a linking batch, and its outcome.</summary>
public sealed record LinkingBatchItem
{
    /// <summary>The project that the data is linked into.</summary>
    public required string ProjectId { get; init; }

    /// <summary>The batch.</summary>
    public required string BatchId { get; init; }

    /// <summary>The item's own id.</summary>
    public string? ItemId { get; init; }

    /// <summary>The data.</summary>
    public string? DataId { get; init; }

    /// <summary>
    /// The server's word: INITIALISED, WAITING_RESOURCES, RUNNING, LINKED, ALREADY_LINKED, PARTIALLY_LINKED, FAILED, or one that was added
    /// since.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>Why it failed, in the server's words; null where it says nothing.</summary>
    public string? Reason { get; init; }

    /// <summary>The name of the connection that it was read over.</summary>
    public string? Connection { get; init; }

    /// <summary>The base address of the server.</summary>
    public string? Server { get; init; }

    /// <summary>The data, where it stands, and why.</summary>
    public override string ToString() => $"{DataId}: {Status}{(Reason is null ? "" : $", {Reason}")}";
}
