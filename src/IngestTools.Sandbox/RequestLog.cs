namespace IngestTools.Sandbox;

/// <summary>One request that ended. Of its headers only harmless values are kept, so that no secret is ever logged.</summary>
/// <param name="Number">1 for the first request since the sandbox started, in the order of arrival.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="Target">The raw request target, percent-encoded as it came.</param>
/// <param name="Status">The status that was set; the client saw it unless <paramref name="Aborted"/>.</param>
/// <param name="HeaderNames">The names of the request's headers.</param>
/// <param name="ContentType">The request's Content-Type.</param>
/// <param name="ContentLength">The request's Content-Length.</param>
/// <param name="Aborted">Whether the connection broke before the answer was complete, on either side.</param>
/// <param name="Fault">The kinds of the faults that were applied, or null.</param>
public sealed record RequestRecord(
    long Number,
    string Method,
    string Target,
    int Status,
    IReadOnlyList<string> HeaderNames,
    string? ContentType,
    long? ContentLength,
    bool Aborted,
    string? Fault
);

/// <summary>The newest requests to the services, in the order in which they ended. Control requests are not logged.</summary>
public sealed class RequestLog
{
    private readonly object _gate = new();
    private readonly Queue<RequestRecord> _records = new();
    private readonly int _limit;
    private readonly ChangeSignal _changes;
    private long _started;
    private long _ended;

    internal RequestLog(int limit, ChangeSignal changes)
    {
        _limit = limit;
        _changes = changes;
    }

    /// <summary>Requests that arrived since the sandbox started.</summary>
    public long Started => Interlocked.Read(ref _started);

    /// <summary>Requests that ended since the sandbox started.</summary>
    public long Ended => Interlocked.Read(ref _ended);

    /// <summary>Requests being answered now.</summary>
    public long InFlight => Started - Ended;

    /// <summary>A copy of the newest records, oldest first.</summary>
    public IReadOnlyList<RequestRecord> Snapshot()
    {
        lock (_gate)
            return _records.ToArray();
    }

    internal long Begin()
    {
        long number = Interlocked.Increment(ref _started);
        _changes.Pulse();
        return number;
    }

    internal void End(RequestRecord record)
    {
        lock (_gate)
        {
            if (_limit > 0 && _records.Count == _limit)
                _records.Dequeue();
            if (_limit > 0)
                _records.Enqueue(record);
        }
        Interlocked.Increment(ref _ended);
        _changes.Pulse();
    }
}
