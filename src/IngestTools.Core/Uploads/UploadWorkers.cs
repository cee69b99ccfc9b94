namespace IngestTools.Uploads;

/// <summary>
/// Workers that send file after file from one queue. A worker that pauses before it sends a file again is replaced while it does, so that a
/// few files that have to wait do not hold up the others.
/// </summary>
internal sealed class UploadWorkers(
    UploadItemQueue queue,
    Func<UploadItem, Task> upload,
    int limit,
    Action<Exception> fail,
    CancellationToken cancellationToken
)
{
    /// <summary>The maximum number of workers for each one that may be active at a time.</summary>
    private const int WorkersPerActiveOne = 4;

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Workers that do not pause.</summary>
    private int _active;

    /// <summary>All workers, and one more until <see cref="WaitAsync"/> is called.</summary>
    private int _count = 1;

    /// <summary>Starts the workers.</summary>
    public void Start()
    {
        for (int i = 0; i < limit; i++)
            Add();
    }

    /// <summary>Ends when the queue is complete and all its files are done. Called once.</summary>
    public Task WaitAsync()
    {
        Leave();
        return _ended.Task;
    }

    /// <summary>A worker begins to pause.</summary>
    public void Pausing()
    {
        Interlocked.Decrement(ref _active);
        if (Volatile.Read(ref _count) <= limit * WorkersPerActiveOne)
            Add();
    }

    /// <summary>A worker has paused.</summary>
    public void Resuming() => Interlocked.Increment(ref _active);

    private void Add()
    {
        Interlocked.Increment(ref _active);
        Interlocked.Increment(ref _count);
        _ = Task.Run(WorkAsync, CancellationToken.None);
    }

    private async Task WorkAsync()
    {
        bool hasRetired = false;
        try
        {
            while (!hasRetired && await queue.TakeAsync(cancellationToken).ConfigureAwait(false) is { } item)
            {
                await upload(item).ConfigureAwait(false);
                hasRetired = TryRetire();
            }
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // The file of this worker has no result, so the whole run fails.
            fail(e);
        }
        finally
        {
            if (!hasRetired)
                Interlocked.Decrement(ref _active);
            Leave();
        }
    }

    /// <summary>Leaves the files to the others, if more workers are active than may be.</summary>
    private bool TryRetire()
    {
        while (true)
        {
            int active = Volatile.Read(ref _active);
            if (active <= limit)
                return false;
            if (Interlocked.CompareExchange(ref _active, active - 1, active) == active)
                return true;
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _count) == 0)
            _ended.TrySetResult();
    }
}
