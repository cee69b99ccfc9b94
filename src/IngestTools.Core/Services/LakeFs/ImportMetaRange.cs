namespace IngestTools;

/// <summary>A metarange: all that a commit can hold.</summary>
/// <remarks>lakeFS v0.65 to v0.110, POST /repositories/{repository}/branches/metaranges</remarks>
public sealed record ImportMetaRange
{
    /// <summary>The repository.</summary>
    public required string Repository { get; init; }

    /// <summary>The metarange's id: what a commit names as its source_metarange.</summary>
    public required string Id { get; init; }

    /// <summary>How many ranges it has.</summary>
    public int Ranges { get; init; }

    /// <summary>How many keys they have in all.</summary>
    public long Count { get; init; }

    /// <summary>The connection's name.</summary>
    public string? Connection { get; init; }

    /// <summary>The base address of the server.</summary>
    public string? Server { get; init; }

    /// <summary>Its id.</summary>
    public override string ToString() => Id;
}
