using IngestTools.Http;

namespace IngestTools.Uploads;

/// <summary>One file's place: at its lane's gate, and among all uploads of the call.</summary>
internal sealed class UploadPlace(AdaptiveGate gate, SemaphoreSlim places, bool alone, TimeProvider time, Action pausing, Action returning) : IRequestPlace
{
    private bool _isTaken;
    private bool _isPaused;
    private long _since;
    private long _firstSince;

    /// <summary>How often it was taken: how often the file was sent.</summary>
    public int Entered { get; private set; }

    /// <summary>How long it was taken the last time.</summary>
    public TimeSpan Inside { get; private set; }

    /// <summary>Since it was first taken; nothing where it never was.</summary>
    public TimeSpan SinceFirst => Entered == 0 ? TimeSpan.Zero : time.GetElapsedTime(_firstSince);

    /// <summary>Waits for the place.</summary>
    public async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        if (_isPaused)
            returning();
        _isPaused = false;
        await gate.EnterAsync(alone, cancellationToken).ConfigureAwait(false);
        try
        {
            await places.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            gate.Leave(alone);
            throw;
        }

        _isTaken = true;
        _since = time.GetTimestamp();
        if (Entered++ == 0)
            _firstSince = _since;
    }

    /// <summary>Leaves the place to another for the time of a pause.</summary>
    public void Pause(bool isAttempt)
    {
        if (!isAttempt && _isTaken)
            Entered--;
        Leave();
        _isPaused = true;
        pausing();
    }

    /// <summary>Leaves the place, with nothing to learn from it; does nothing where it was left.</summary>
    public void Leave()
    {
        if (_isPaused)
            returning();
        _isPaused = false;
        if (Free())
            gate.Leave(alone);
    }

    /// <summary>Leaves the place after an upload of so many bytes.</summary>
    public void LeaveAnswered(long bytes)
    {
        if (Free())
            gate.Leave(alone, time.GetElapsedTime(_since), bytes);
    }

    /// <summary>Leaves the place since the server's lock was held.</summary>
    public void LeaveLocked()
    {
        if (Free())
            gate.LeaveLocked(alone, _since);
    }

    private bool Free()
    {
        if (!_isTaken)
            return false;
        _isTaken = false;
        Inside = time.GetElapsedTime(_since);
        places.Release();
        return true;
    }
}
