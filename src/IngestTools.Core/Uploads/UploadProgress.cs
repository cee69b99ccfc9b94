namespace IngestTools.Uploads;

/// <summary>How far an upload has come, at a moment.</summary>
/// <param name="FilesFound">Files found so far.</param>
/// <param name="FilesDone">Files that ended, one way or another.</param>
/// <param name="FilesFailed">Files that failed.</param>
/// <param name="BytesFound">Bytes in the files found so far.</param>
/// <param name="BytesDone">Bytes sent, those of attempts that failed not counted.</param>
/// <param name="IsTotalKnown">Whether all files have been found.</param>
/// <param name="Elapsed">Since the first file was taken.</param>
/// <param name="BytesPerSecond">The rate over the last seconds.</param>
/// <param name="Remaining">The time left at that rate; null while it cannot be told.</param>
/// <param name="CurrentFile">A file that is being sent; null where none is.</param>
public sealed record UploadProgress(
    long FilesFound,
    long FilesDone,
    long FilesFailed,
    long BytesFound,
    long BytesDone,
    bool IsTotalKnown,
    TimeSpan Elapsed,
    double BytesPerSecond,
    TimeSpan? Remaining,
    string? CurrentFile
);
