namespace IngestTools.Services.LakeFs;

/// <summary>An import that is asked for.</summary>
public sealed record ImportRequest
{
    /// <summary>The commit's message where none is given: the one that lakeFS itself would give.</summary>
    public const string DefaultMessage = "Import objects";

    /// <summary>The repository.</summary>
    public required string Repository { get; init; }

    /// <summary>The branch.</summary>
    public required string Branch { get; init; }

    /// <summary>From where to where.</summary>
    public required IReadOnlyList<ImportSource> Sources { get; init; }

    /// <summary>The commit's message; null or empty is <see cref="DefaultMessage"/>.</summary>
    public string? Message { get; init; }

    /// <summary>The commit's metadata; null or empty for none.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Whether a read-only repository may be written to.</summary>
    public bool AllowReadOnly { get; init; }

    /// <summary>The number of objects below which the import has failed; null is 1 where it deleted objects.</summary>
    public long? MinimumObjects { get; init; }

    /// <summary>The form in which the server is spoken to.</summary>
    public ImportDialect Dialect { get; init; }
}
