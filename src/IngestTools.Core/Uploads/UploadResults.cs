using IngestTools.Journal;

namespace IngestTools.Uploads;

/// <summary>Makes the results of files.</summary>
internal static class UploadResults
{
    /// <summary>The result of a file that is refused, or left out on purpose.</summary>
    public static UploadResult Refused(UploadItem item, SkipReason? skipped, IngestException error) =>
        Of(item, skipped is null ? UploadStatus.Failed : UploadStatus.Skipped, reason: skipped, error: error);

    /// <summary>The result of a file that the server has already.</summary>
    public static UploadResult AlreadyThere(UploadItem item, SkipReason reason, JournaledFile record) =>
        item.Target.IsFlat
            ? Of(item, UploadStatus.Skipped, reason: reason, sha256: record.Sha256, fileName: record.ServerName)
            : Of(item, UploadStatus.Skipped, reason: reason, sha256: record.Sha256, derivative: record.ServerName);

    /// <summary>The result of a file that would be sent.</summary>
    public static UploadResult Planned(UploadItem item) => Of(item, UploadStatus.Planned);

    /// <summary>The result of a file that was sent.</summary>
    public static UploadResult Uploaded(UploadItem item, SentFile sent, UploadSlot slot) =>
        Of(
            item,
            UploadStatus.Uploaded,
            sent.Length,
            sent.Sha256,
            sent.FileName,
            attempts: slot.Entered,
            duration: slot.SinceFirst,
            completedAt: slot.Now
        );

    /// <summary>The result of a file that could not be sent.</summary>
    /// <param name="item">The file.</param>
    /// <param name="error">Why.</param>
    /// <param name="slot">Its slot; null where it had none.</param>
    public static UploadResult Failed(UploadItem item, IngestException error, UploadSlot? slot = null) =>
        Of(
            item,
            UploadStatus.Failed,
            error: error.Target is null ? error.With(target: item.Path) : error,
            attempts: slot?.Entered ?? 0,
            duration: slot?.SinceFirst ?? TimeSpan.Zero
        );

    private static UploadResult Of(
        UploadItem item,
        UploadStatus status,
        long? length = null,
        string? sha256 = null,
        string? fileName = null,
        string? derivative = null,
        SkipReason? reason = null,
        IngestException? error = null,
        int attempts = 0,
        TimeSpan duration = default,
        DateTimeOffset? completedAt = null
    ) =>
        new()
        {
            Path = item.Path,
            RemoteName = item.RemoteName,
            FileName = fileName,
            Shortcode = item.Target.Shortcode,
            Hierarchy = item.Target.Hierarchy,
            Length = length ?? item.Length,
            Sha256 = sha256,
            Status = status,
            Reason = reason,
            Derivative = derivative,
            Attempts = attempts,
            Duration = duration,
            CompletedAt = completedAt,
            Error = error?.ForResult(),
            Connection = item.Target.Connection,
            Server = item.Target.JournalPlace.Server,
        };
}

/// <summary>A file that was sent.</summary>
/// <param name="Length">Bytes that were sent.</param>
/// <param name="Sha256">Their SHA-256, lower-case hexadecimal.</param>
/// <param name="LastWriteTime">When the file was last written, in UTC.</param>
/// <param name="FileName">The name that came back, where the server gives one.</param>
internal sealed record SentFile(long Length, string Sha256, DateTime LastWriteTime, string? FileName)
{
    /// <summary>The journal's record of the file.</summary>
    public JournaledFile ToRecord(UploadItem item) =>
        new()
        {
            Name = item.RemoteName,
            State = FileState.Sent,
            Path = item.Path,
            Length = Length,
            LastWriteTime = LastWriteTime,
            Sha256 = Sha256,
            ServerName = FileName,
        };
}
