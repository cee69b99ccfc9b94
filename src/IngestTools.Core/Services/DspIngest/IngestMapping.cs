namespace IngestTools;

/// <summary>A row of a project's mapping.csv, or a file that has none.</summary>
/// <remarks>DSP-INGEST, GET /projects/{shortcode}/bulk-ingest/mapping.csv</remarks>
public sealed record IngestMapping
{
    /// <summary>The project, in upper case.</summary>
    public required string Shortcode { get; init; }

    /// <summary>The name of the file as it was uploaded.</summary>
    public required string Original { get; init; }

    /// <summary>The server's name of the ingested file; null where the file was not ingested.</summary>
    public string? Derivative { get; init; }

    /// <summary>Whether the file was ingested; false for one that is left over.</summary>
    public bool Ingested { get; init; }

    /// <summary>Whether the server's SHA-256 is that of the local file; null where it was not compared.</summary>
    public bool? Verified { get; init; }

    /// <summary>The SHA-256 of the original as the server computed it, lower-case hexadecimal; null where it was not asked for.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The local file; null where it is not known.</summary>
    public string? Path { get; init; }

    /// <summary>The name of the connection that was used.</summary>
    public string? Connection { get; init; }

    /// <summary>The base address of the server.</summary>
    public string? Server { get; init; }

    /// <summary>The file and the name that the server gave it.</summary>
    public override string ToString() => Derivative is null ? Original : $"{Original} -> {Derivative}";
}
