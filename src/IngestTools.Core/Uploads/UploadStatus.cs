namespace IngestTools;

/// <summary>How the upload of a file ended.</summary>
public enum UploadStatus
{
    /// <summary>The server has the file.</summary>
    Uploaded,

    /// <summary>The server does not have the file, or not whole; <see cref="UploadResult.Error"/> says why.</summary>
    Failed,

    /// <summary>The file was left out on purpose; <see cref="UploadResult.Error"/> says why.</summary>
    Skipped,

    /// <summary>The file would be sent: the call was a dry run.</summary>
    Planned,
}
