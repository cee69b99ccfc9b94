namespace IngestTools.Uploads;

/// <summary>Counts what an upload has done, from any thread, and the rate of the last seconds.</summary>
internal sealed class UploadMeter(TimeProvider time)
{
    /// <summary>The rate is that of this window: long enough to be steady, short enough to follow.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    private readonly Queue<(long At, long Bytes, long Files)> _samples = new();
    private readonly object _lock = new();
    private long _started;
    private long _filesFound;
    private long _filesDone;
    private long _filesFailed;
    private long _bytesFound;
    private long _bytesDone;
    private volatile bool _allFound;
    private volatile string? _current;

    public void Found(long bytes)
    {
        if (Interlocked.Increment(ref _filesFound) == 1)
            Interlocked.CompareExchange(ref _started, time.GetTimestamp(), 0);
        Interlocked.Add(ref _bytesFound, bytes);
    }

    public void AllFound() => _allFound = true;

    public void Sending(string path) => _current = path;

    public void Sent(long bytes) => Interlocked.Add(ref _bytesDone, bytes);

    public void Done(bool failed)
    {
        Interlocked.Increment(ref _filesDone);
        if (failed)
            Interlocked.Increment(ref _filesFailed);
    }

    public UploadProgress Read()
    {
        long found = Interlocked.Read(ref _filesFound);
        long done = Interlocked.Read(ref _filesDone);
        long bytesFound = Interlocked.Read(ref _bytesFound);
        long bytesDone = Interlocked.Read(ref _bytesDone);
        (double bytesRate, double filesRate) = Rates(bytesDone, done);
        TimeSpan elapsed = _started == 0 ? TimeSpan.Zero : time.GetElapsedTime(_started);
        return new UploadProgress(
            found,
            done,
            Interlocked.Read(ref _filesFailed),
            bytesFound,
            bytesDone,
            _allFound,
            elapsed,
            bytesRate,
            Remaining(found - done, filesRate, bytesFound - bytesDone, bytesRate),
            _current
        );
    }

    /// <summary>Many small files are bound by their number, a few large ones by their bytes: the longer of both is the truth.</summary>
    private TimeSpan? Remaining(long files, double filesRate, long bytes, double bytesRate)
    {
        if (!_allFound || (filesRate <= 0 && bytesRate <= 0))
            return null;
        double byBytes = bytesRate > 0 ? Math.Max(0, bytes) / bytesRate : 0;
        double byFiles = filesRate > 0 && bytes < files * 64L * 1024 ? files / filesRate : 0;
        return TimeSpan.FromSeconds(Math.Min(Math.Max(byBytes, byFiles), TimeSpan.FromDays(99).TotalSeconds));
    }

    private (double Bytes, double Files) Rates(long bytes, long files)
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            _samples.Enqueue((now, bytes, files));
            while (_samples.Count > 2 && time.GetElapsedTime(_samples.Peek().At, now) > Window)
                _samples.Dequeue();
            (long at, long bytesThen, long filesThen) = _samples.Peek();
            double seconds = time.GetElapsedTime(at, now).TotalSeconds;
            if (seconds <= 0)
                return default;
            return (Math.Max(0, bytes - bytesThen) / seconds, Math.Max(0, files - filesThen) / seconds);
        }
    }
}
