namespace IngestTools.Services.Ica;

/// <summary>
/// One kind of batch that ICA works off. All kinds have the same routes, the same pages and the same <c>{id, job}</c>; a kind is what
/// stands here. Each operation has media types of its own, and the service refuses any other.
/// </summary>
internal sealed record BatchOperation
{
    private const string V3 = "application/vnd.illumina.v3+json";

    private const string V4 = "application/vnd.illumina.v4+json";

    /// <summary>What jobs, tokens and lists of data are asked for in: they have no newer version.</summary>
    public const string CommonMedia = V3;

    /// <summary>An item of which a part was done begins with this, whatever the kind.</summary>
    private const string PartlyPrefix = "PARTIALLY_";

    /// <summary>The status of an item that came to nothing, whatever the kind.</summary>
    public const string Failed = "FAILED";

    /// <summary>Links data into a project.</summary>
    /// <remarks>
    /// ICA, POST /api/projects/{projectId}/dataLinkingBatch. In version 3 a folder of which a part was linked would be told as FAILED.
    /// </remarks>
    public static readonly BatchOperation Linking = new()
    {
        Kind = TransactionKind.LinkingBatch,
        Name = "linking batch",
        Verb = "linked",
        Segment = "dataLinkingBatch",
        CreateMedia = V4,
        BatchMedia = V3,
        ItemsMedia = V4,
        Done = ["LINKED", "ALREADY_LINKED"],
        Failing = [Failed, "PARTIALLY_LINKED"],
        Going = ["INITIALISED", "WAITING_RESOURCES", "RUNNING"],
    };

    public required TransactionKind Kind { get; init; }

    /// <summary>The service's name for it, in messages.</summary>
    public required string Name { get; init; }

    /// <summary>What was done with an item, in messages.</summary>
    public required string Verb { get; init; }

    /// <summary>The segment of its routes.</summary>
    public required string Segment { get; init; }

    /// <summary>The media type of the body that makes a batch, and of its answer: the two must be of one version.</summary>
    public required string CreateMedia { get; init; }

    /// <summary>The media type that a batch is asked for in.</summary>
    public required string BatchMedia { get; init; }

    /// <summary>The media type that items are asked for in.</summary>
    public required string ItemsMedia { get; init; }

    /// <summary>Whether items are listed by POST items:search, with the statuses in the body, and not by GET items.</summary>
    public bool SearchesItems { get; init; }

    /// <summary>The item statuses that are a success.</summary>
    public required IReadOnlyList<string> Done { get; init; }

    /// <summary>The item statuses that are none.</summary>
    public required IReadOnlyList<string> Failing { get; init; }

    /// <summary>The item statuses that are not the last. They are not spelled as those of jobs are.</summary>
    public required IReadOnlyList<string> Going { get; init; }

    /// <summary>What an item's status means. New ones may be added at any time.</summary>
    public ItemState StateOf(string? status) =>
        status switch
        {
            null => ItemState.Unknown,
            _ when Done.Contains(status, StringComparer.Ordinal) => ItemState.Done,
            _ when Going.Contains(status, StringComparer.Ordinal) => ItemState.Going,
            _ when status == Failed || status.StartsWith(PartlyPrefix, StringComparison.Ordinal) => ItemState.Failed,
            _ => ItemState.Unknown,
        };
}

/// <summary>What the status of an item means.</summary>
internal enum ItemState
{
    /// <summary>Not at its end.</summary>
    Going,

    /// <summary>A success.</summary>
    Done,

    /// <summary>No success, or one in part.</summary>
    Failed,

    /// <summary>A word that this version does not know.</summary>
    Unknown,
}
