namespace IngestTools.Services.LakeFs;

/// <summary>The form in which imports are spoken of with a server.</summary>
public enum ImportDialect
{
    /// <summary>The one that fits the server's version.</summary>
    Auto,

    /// <summary>lakeFS v0.101.0 and later: several sources, the id in the query.</summary>
    Released,

    /// <summary>Before that: one source, the id in a JSON body, and a commit on a branch of its own (<c>_main_imported</c>).</summary>
    Legacy,
}

/// <summary>What a source is.</summary>
public enum ImportSourceType
{
    /// <summary>All objects whose addresses begin so.</summary>
    CommonPrefix,

#pragma warning disable CA1720 // The service's own word.
    /// <summary>One object.</summary>
    Object,
#pragma warning restore CA1720
}
