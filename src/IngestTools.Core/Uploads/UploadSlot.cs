using IngestTools.Http;

namespace IngestTools.Uploads;

/// <summary>
/// One file's slot among the uploads of its project, and among all uploads of the call. It is given to another file while this one pauses.
/// </summary>
internal sealed class UploadSlot(
    AdaptiveConcurrencyLimiter limiter,
    SemaphoreSlim all,
    bool alone,
    TimeProvider time,
    UploadWorkers workers
) : IRequestSlot
{
    private bool _isTaken;
    private bool _isPaused;
    private long _since;
    private long _firstSince;

    /// <summary>How often the file was sent.</summary>
    public int Entered { get; private set; }

    /// <summary>How long the slot was held the last time.</summary>
    public TimeSpan Inside { get; private set; }

    /// <summary>The time since the file was first sent; zero where it never was.</summary>
    public TimeSpan SinceFirst => Entered == 0 ? TimeSpan.Zero : time.GetElapsedTime(_firstSince);

    /// <summary>The time now, in the machine's zone.</summary>
    public DateTimeOffset Now => time.GetLocalNow();

    /// <summary>Waits for the slot. Does nothing where it is held.</summary>
    public async ValueTask AcquireAsync(CancellationToken cancellationToken)
    {
        Resume();
        if (_isTaken)
            return;
        await limiter.EnterAsync(alone, cancellationToken).ConfigureAwait(false);
        try
        {
            await all.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            limiter.Leave(alone);
            throw;
        }

        _isTaken = true;
    }

    /// <summary>Waits for the slot, to send the file.</summary>
    public ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        ValueTask acquiring = AcquireAsync(cancellationToken);
        if (!acquiring.IsCompletedSuccessfully)
            return EnterLaterAsync(acquiring);
        Count();
        return default;
    }

    /// <summary>Gives the slot to others for the time of a pause.</summary>
    public void Pause(bool isAttempt)
    {
        if (!isAttempt && _isTaken)
            Entered--;
        Leave();
        _isPaused = true;
        workers.Pausing();
    }

    /// <summary>Leaves the slot, with nothing to learn from it. Does nothing where it is not held.</summary>
    public void Leave()
    {
        Resume();
        if (Free())
            limiter.Leave(alone);
    }

    /// <summary>Leaves the slot after an upload of a number of bytes.</summary>
    public void LeaveAnswered(long bytes)
    {
        if (Free())
            limiter.Leave(alone, time.GetElapsedTime(_since), bytes);
    }

    /// <summary>Leaves the slot, since the server's lock was held.</summary>
    public void LeaveLocked()
    {
        if (Free())
            limiter.LeaveLocked(alone, _since);
    }

    private async ValueTask EnterLaterAsync(ValueTask acquiring)
    {
        await acquiring.ConfigureAwait(false);
        Count();
    }

    private void Count()
    {
        _since = time.GetTimestamp();
        if (Entered++ == 0)
            _firstSince = _since;
    }

    private void Resume()
    {
        if (!_isPaused)
            return;
        _isPaused = false;
        workers.Resuming();
    }

    private bool Free()
    {
        if (!_isTaken)
            return false;
        _isTaken = false;
        Inside = time.GetElapsedTime(_since);
        all.Release();
        return true;
    }
}
