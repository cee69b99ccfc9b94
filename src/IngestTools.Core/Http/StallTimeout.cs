namespace IngestTools.Http;

/// <summary>Ends an upload that makes no progress: the one timeout that does not depend on a file's size.</summary>
internal sealed class StallTimeout : IDisposable
{
    /// <summary>How long an upload may make no progress.</summary>
    public static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How long the answer may take once all was sent: a proxy that collects a whole upload before it passes it on needs as long for the
    /// second half of the way.
    /// </summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromMinutes(10);

    private readonly TimeSpan _timeLimit;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _registration;
    private long _lastMove;
    private long _moved;
    private bool _isSent;

    public StallTimeout(TimeSpan timeLimit, TimeProvider time, CancellationToken cancellationToken)
    {
        _timeLimit = timeLimit;
        _time = time;
        _source = new CancellationTokenSource(timeLimit, time);
        _registration = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
        _lastMove = time.GetTimestamp();
    }

    public CancellationToken Token => _source.Token;

    public bool HasEnded => _source.IsCancellationRequested;

    /// <summary>Reports that bytes were sent.</summary>
    public void Moved(long bytes)
    {
        _moved += bytes;
        // Setting the timer anew costs more than a small file does; a second of tolerance is nothing in sixty.
        if (_time.GetElapsedTime(_lastMove) < TimeSpan.FromSeconds(1))
            return;
        _lastMove = _time.GetTimestamp();
        _source.CancelAfter(_timeLimit);
    }

    /// <summary>The sender waits by its own will, which is not a stall.</summary>
    public void Pause() => _source.CancelAfter(Timeout.InfiniteTimeSpan);

    /// <summary>The sender continues.</summary>
    public void Resume()
    {
        _lastMove = _time.GetTimestamp();
        _source.CancelAfter(_timeLimit);
    }

    /// <summary>Reports that all was sent.</summary>
    public void AllSent()
    {
        _isSent = true;
        _source.CancelAfter(AnswerTimeout);
    }

    public IngestException NoProgress(IngestService service, HttpOperation operation, Exception cause) =>
        new(
            ErrorId.NoProgress,
            _isSent
                ? $"'{operation.Name}' sent all of {_moved:N0} bytes, and no answer came for {AnswerTimeout.TotalMinutes:0} minutes."
                : $"'{operation.Name}' made no progress for {_timeLimit.TotalSeconds:0} s, after {_moved:N0} bytes.",
            cause
        )
        {
            Service = service,
            Operation = operation.Name,
            IsTransient = true,
            Advice = "The server, or a proxy before it, is stalled. Try again later.",
            Target = operation.Target,
            MayHaveActed = true,
        };

    public void Dispose()
    {
        _registration.Dispose();
        _source.Dispose();
    }
}
