namespace IngestTools.Scheduler.Runs;

/// <summary>Tells the dispatcher that there may be something to do. Several tellings before it looks are one.</summary>
internal sealed class DispatchSignal : IDisposable
{
    private readonly SemaphoreSlim _set = new(0, 1);

    public void Set()
    {
        try
        {
            _set.Release();
        }
        catch (SemaphoreFullException)
        {
            // It has been told, and has not looked yet.
        }
    }

    public Task WaitAsync(TimeSpan most, CancellationToken cancellationToken) => _set.WaitAsync(most, cancellationToken);

    public void Dispose() => _set.Dispose();
}
