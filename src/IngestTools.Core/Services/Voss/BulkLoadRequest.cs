namespace IngestTools.Services.Voss;

/// <summary>A workbook whose load is asked for.</summary>
public sealed record BulkLoadRequest
{
    /// <summary>The workbook, by the name that the server gave it.</summary>
    public required string FileName { get; init; }

    /// <summary>The hierarchy: a dotted path or a pkid.</summary>
    public required string Hierarchy { get; init; }

    /// <summary>The local file that was uploaded; null where it is not known.</summary>
    public string? Path { get; init; }

    /// <summary>SHA-256 of what was uploaded, lower-case hexadecimal; null where it is not known.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Whether it is loaded although the same content was loaded into the hierarchy before.</summary>
    public bool Again { get; init; }

    /// <summary>The load of an upload.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="hierarchy">The hierarchy.</param>
    public static BulkLoadRequest Of(UploadResult upload, string hierarchy)
    {
        ArgumentNullException.ThrowIfNull(upload);
        return new BulkLoadRequest
        {
            FileName = upload.FileName ?? upload.RemoteName,
            Hierarchy = hierarchy,
            Path = upload.Path,
            Sha256 = upload.Sha256,
        };
    }
}
