namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>What GET /projects/{shortcode}/assets/{assetId} returns of an ingested file.</summary>
internal sealed record DspAssetAnswer(
    string InternalFilename,
    string OriginalInternalFilename,
    string OriginalFilename,
    string ChecksumOriginal,
    string ChecksumDerivative,
    int? Width,
    int? Height,
    string? InternalMimeType,
    string? OriginalMimeType,
    long SizeOriginal
)
{
    /// <summary>The sandbox converts nothing: a derivative has its original's bytes, and an image has one made-up size.</summary>
    public static DspAssetAnswer From(DspAsset asset, bool isCorrupt)
    {
        string name = UploadPath.LastSegment(asset.Original);
        string extension = UploadPath.Extension(name);
        bool isImage = asset.Extension == "jpx";
        string checksum = asset.Sha256.ToString();
        return new DspAssetAnswer(
            asset.Derivative,
            $"{asset.AssetId}.{extension}.orig",
            name,
            isCorrupt ? new string('0', checksum.Length) : checksum,
            checksum,
            isImage ? 640 : null,
            isImage ? 480 : null,
            MimeType(asset.Extension),
            MimeType(extension),
            asset.Length
        );
    }

    /// <summary>Enough kinds for a client to see that they differ.</summary>
    private static string MimeType(string extension) =>
        extension.ToUpperInvariant() switch
        {
            "JPX" => "image/jpx",
            "JP2" => "image/jp2",
            "JPG" or "JPEG" => "image/jpeg",
            "PNG" => "image/png",
            "TIF" or "TIFF" => "image/tiff",
            "SVG" => "image/svg+xml",
            "MP4" => "video/mp4",
            "MP3" or "MPEG" => "audio/mpeg",
            "WAV" => "audio/wav",
            "PDF" => "application/pdf",
            "CSV" => "text/csv",
            "TXT" => "text/plain",
            "XML" => "application/xml",
            "JSON" => "application/json",
            "ZIP" => "application/zip",
            _ => "application/octet-stream",
        };
}
