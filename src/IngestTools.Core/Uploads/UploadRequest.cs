namespace IngestTools.Uploads;

/// <summary>A file or folder that is to be sent.</summary>
/// <param name="Path">A full path, taken literally.</param>
/// <param name="Target">Where it goes.</param>
public sealed record UploadRequest(string Path, IUploadTarget Target)
{
    /// <summary>The remote name, where it is known from an earlier attempt; null makes one.</summary>
    public string? RemoteName { get; init; }
}

/// <summary>One file on its way.</summary>
/// <param name="Path">The local file, as a full path.</param>
/// <param name="RemoteName">Its name on the server, with <c>/</c> between folders, in Unicode form NFC.</param>
/// <param name="Length">Bytes, as listed.</param>
/// <param name="Target">Where it goes.</param>
public sealed record UploadItem(string Path, string RemoteName, long Length, IUploadTarget Target)
{
    /// <summary>When the local file was last written, in UTC, as listed.</summary>
    internal DateTime LastWriteTime { get; init; }
}
