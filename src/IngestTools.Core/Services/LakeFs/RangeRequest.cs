namespace IngestTools.Services.LakeFs;

/// <summary>A walk of a source that is asked for.</summary>
public sealed record RangeRequest
{
    /// <summary>The repository.</summary>
    public required string Repository { get; init; }

    /// <summary>The address in the object store, such as <c>s3://bucket/prefix/</c>.</summary>
    public required string Source { get; init; }

    /// <summary>Only what comes after this key of the object store is taken; empty begins at the beginning.</summary>
    public string After { get; init; } = "";

    /// <summary>What the keys get before their names.</summary>
    public string Prepend { get; init; } = "";

    /// <summary>Where a walk continues: the token of the previous range. Null starts at the beginning.</summary>
    public string? ContinuationToken { get; init; }

    /// <summary>What holds the keys that came out of order: what the range before told. Null begins.</summary>
    public string? StagingToken { get; init; }

    /// <summary>Whether the pages are followed to their end. Ranges without keys are then left out.</summary>
    public bool FollowsPages { get; init; }
}
