namespace IngestTools.Http;

/// <summary>Keeps requests, or bytes, below a rate: some may pass at once, then each waits for its turn.</summary>
/// <param name="perSecond">The number that may pass in a second.</param>
/// <param name="atOnce">The number that may pass at once after a pause. No second has more than both together.</param>
/// <param name="time">The clock.</param>
internal sealed class RateLimiter(double perSecond, double atOnce, TimeProvider time)
{
    private readonly object _gate = new();
    private readonly long _start = time.GetTimestamp();

    /// <summary>When the next one would pass if no pause could be made up for, in seconds since the start.</summary>
    private double _next;

    /// <summary>The number that may pass in a second.</summary>
    public double PerSecond => perSecond;

    /// <summary>Waits until one request, or a number of bytes, may pass.</summary>
    public Task WaitAsync(CancellationToken cancellationToken, long amount = 1)
    {
        double wait;
        lock (_gate)
        {
            double now = time.GetElapsedTime(_start).TotalSeconds;
            double turn = Math.Max(_next, now - Math.Max(0, atOnce - amount) / perSecond);
            _next = turn + amount / perSecond;
            wait = turn - now;
        }

        return wait > 0 ? DelayAsync(TimeSpan.FromSeconds(wait), amount, cancellationToken) : Task.CompletedTask;
    }

    /// <summary>A wait that is canceled gives its turn back.</summary>
    private async Task DelayAsync(TimeSpan wait, long amount, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            lock (_gate)
                _next -= amount / perSecond;
            throw;
        }
    }
}
