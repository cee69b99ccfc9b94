namespace IngestTools;

/// <summary>A range: keys of a source that lakeFS wrote together. A metarange is made of ranges.</summary>
/// <remarks>lakeFS v0.65 to v0.110, POST /repositories/{repository}/branches/ranges</remarks>
public sealed record ImportRange
{
    /// <summary>The repository.</summary>
    public string Repository { get; init; } = "";

    /// <summary>The range's id.</summary>
    public string Id { get; init; } = "";

    /// <summary>The first key; may be empty, for a directory's marker has no name.</summary>
    public string MinKey { get; init; } = "";

    /// <summary>The last key; may be empty.</summary>
    public string MaxKey { get; init; } = "";

    /// <summary>How many keys.</summary>
    public long Count { get; init; }

    /// <summary>The size of the range itself in bytes, as the server estimates it.</summary>
    public long EstimatedSize { get; init; }

    /// <summary>Whether the source may have more.</summary>
    public bool HasMore { get; init; }

    /// <summary>The last key that was read in the object store: where the next range begins (<c>-After</c>). Empty at the end.</summary>
    public string LastKey { get; init; } = "";

    /// <summary>Where the next range begins; empty at the end.</summary>
    public string ContinuationToken { get; init; } = "";

    /// <summary>
    /// What holds the keys that came out of order and are in no range; empty where there are none. They need a commit of their own.
    /// </summary>
    public string StagingToken { get; init; } = "";

    /// <summary>The connection's name.</summary>
    public string? Connection { get; init; }

    /// <summary>The base address of the server.</summary>
    public string? Server { get; init; }

    /// <summary>Its id.</summary>
    public override string ToString() => Id;
}
