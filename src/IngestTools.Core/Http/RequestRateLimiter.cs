namespace IngestTools.Http;

/// <summary>Keeps requests below a rate: a few may go at once, then each waits for its turn.</summary>
/// <param name="perSecond">How many a second.</param>
/// <param name="atOnce">How many at once, after a rest. No second has more than both together.</param>
/// <param name="time">The clock.</param>
internal sealed class RequestRateLimiter(int perSecond, int atOnce, TimeProvider time)
{
    private readonly object _gate = new();
    private readonly TimeSpan _interval = TimeSpan.FromSeconds(1) / perSecond;
    private readonly long _start = time.GetTimestamp();

    /// <summary>When the next request would go, were there no rest to make good for.</summary>
    private TimeSpan _next = TimeSpan.Zero;

    /// <summary>Waits until a request may go.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_gate)
        {
            TimeSpan now = time.GetElapsedTime(_start);
            TimeSpan earliest = now - _interval * (atOnce - 1);
            TimeSpan turn = _next > earliest ? _next : earliest;
            _next = turn + _interval;
            wait = turn - now;
        }

        return wait > TimeSpan.Zero ? Task.Delay(wait, time, cancellationToken) : Task.CompletedTask;
    }
}
