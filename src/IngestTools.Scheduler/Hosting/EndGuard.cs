namespace IngestTools.Scheduler.Hosting;

/// <summary>
/// Ends the process when a limit has passed since it was asked to stop, whatever still waits: what has not ended by then is as after a
/// crash, and is taken up.
/// </summary>
/// <remarks>It has a thread of its own. Where all others wait for a store that cannot be written, a timer would wait with them.</remarks>
internal sealed class EndGuard(TimeSpan limit, Action end) : IDisposable
{
    private readonly ManualResetEventSlim _isOver = new();
    private CancellationTokenRegistration _registration;
    private Thread? _thread;

    public void Watch(CancellationToken stopping) =>
        _registration = stopping.Register(() =>
        {
            _thread = new Thread(Wait) { IsBackground = true, Name = "end" };
            _thread.Start();
        });

    /// <summary>All has ended by itself.</summary>
    public void Dispose()
    {
        _isOver.Set();
        _registration.Dispose();
        _thread?.Join();
        _isOver.Dispose();
    }

    private void Wait()
    {
        if (!_isOver.Wait(limit))
            end();
    }
}
