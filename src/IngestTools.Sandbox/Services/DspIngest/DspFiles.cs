namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>A file in a project's import folder, which the next ingest will take unless it is hidden.</summary>
/// <param name="Path">Relative to the import folder, with "/", in the Unicode form in which it was uploaded.</param>
/// <param name="Length">In bytes, of what arrived.</param>
/// <param name="Sha256">Of what arrived.</param>
/// <param name="IsComplete">False for a file whose upload broke off.</param>
public readonly record struct DspWaitingFile(string Path, long Length, Sha256Digest Sha256, bool IsComplete);

/// <summary>An ingested file: a row of the mapping, and what the assets route returns.</summary>
/// <param name="Original">The path that was uploaded.</param>
/// <param name="AssetId">The derivative's name without its extension.</param>
/// <param name="Extension">The derivative's extension.</param>
/// <param name="Length">The original's, in bytes.</param>
/// <param name="Sha256">The original's.</param>
public sealed record DspAsset(string Original, string AssetId, string Extension, long Length, Sha256Digest Sha256)
{
    /// <summary>The file name in the mapping's second column.</summary>
    public string Derivative => $"{AssetId}.{Extension}";
}

/// <summary>
/// What happened to one path, however often its project was finalized in between. Of what happened before the sandbox was started with its
/// data, only what left a file is counted.
/// </summary>
/// <param name="Uploads">Complete uploads.</param>
/// <param name="BrokenUploads">Uploads that broke off and left a truncated file.</param>
/// <param name="Ingests">Ingests that ended well.</param>
/// <param name="IngestFailures">Ingests that failed and left the file over.</param>
/// <param name="UploadedSha256">Of the newest complete upload.</param>
/// <param name="IngestedSha256">Of the newest ingest.</param>
public readonly record struct DspFileHistory(
    int Uploads,
    int BrokenUploads,
    int Ingests,
    int IngestFailures,
    Sha256Digest UploadedSha256,
    Sha256Digest IngestedSha256
);
