using IngestTools.Http;

namespace IngestTools.Uploads;

/// <summary>A file as the body of the requests that send it. It is opened anew for each.</summary>
internal sealed class FileBody(string path, UploadMeter meter, RateLimiter? rate) : IDisposable
{
    private LocalFile? _file;
    private FileContent? _content;

    /// <summary>Opens the file for a request.</summary>
    /// <exception cref="IngestException">The file cannot be read, or changed.</exception>
    public FileContent Open(StallTimeout? stallTimeout)
    {
        Undo();
        _file = LocalFile.Open(path);
        return _content = new FileContent(_file, stallTimeout, meter, rate);
    }

    /// <summary>Takes what the last request sent off the count, since it has to be sent again, and closes the file.</summary>
    public void Undo()
    {
        _content?.Undo();
        Dispose();
    }

    /// <summary>What was sent, once the server has it.</summary>
    public SentFile Complete(UploadItem item, object answer)
    {
        byte[] sha256 = _content!.Sha256!;
        string? fileName = item.Target.Sent(item, answer, sha256);
        return new SentFile(_file!.Length, Convert.ToHexString(sha256).ToLowerInvariant(), _file.LastWriteTime, fileName);
    }

    public void Dispose()
    {
        _content = null;
        _file?.Dispose();
        _file = null;
    }
}
