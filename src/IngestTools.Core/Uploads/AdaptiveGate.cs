namespace IngestTools.Uploads;

/// <summary>
/// Lets so many uploads of one lane go at once as the server has use for. It doubles while twice as many at once are answered nearly as quickly, stays where
/// more would only wait longer, halves when the server says that its lock is held, and tries more again from time to time. So it finds 1 or 2 where a lock
/// lets one upload through at a time, and the limit where nothing does.
/// </summary>
internal sealed class AdaptiveGate
{
    /// <summary>Doubling must leave the time to an answer below this multiple: at 2 nothing would be won, at 1 everything.</summary>
    private const double WorthwhileSlowdown = 1.5;

    /// <summary>Answers that take so much longer than one alone stand in a queue that a lock, which is waited for 400 ms, leaves little more room for.</summary>
    private static readonly TimeSpan LongQueue = TimeSpan.FromMilliseconds(150);

    /// <summary>A file's size adds to its time: so many bytes count as much as the request itself.</summary>
    private const double BytesPerRequest = 128 * 1024;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    private readonly object _lock = new();
    private readonly LinkedList<Waiter> _waiting = new();
    private readonly TimeProvider _time;
    private readonly int _most;
    private int _limit = 1;
    private int _inside;
    private bool _alone;

    private int _toSkip;
    private int _measured;
    private double _sum;
    private double _smaller;
    private double _oneAlone = double.MaxValue;
    private bool _settled;
    private long _settledAt;
    private TimeSpan _retryAfter = FirstRetry;

    public AdaptiveGate(int most, TimeProvider time)
    {
        _most = most;
        _time = time;
        _toSkip = 1;
    }

    /// <summary>How many go at once now.</summary>
    public int Limit
    {
        get
        {
            lock (_lock)
                return _limit;
        }
    }

    /// <summary>Waits for a place.</summary>
    /// <param name="alone">Whether nothing else may go meanwhile.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask EnterAsync(bool alone, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_lock)
        {
            if (_waiting.Count == 0 && HasPlace(alone))
            {
                Take(alone);
                return;
            }

            waiter = new Waiter(alone);
            waiter.Node = _waiting.AddLast(waiter);
        }

        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(_ => GiveUp(waiter, cancellationToken), null);
        await waiter.Entered.Task.ConfigureAwait(false);
    }

    /// <summary>An upload has ended well.</summary>
    public void Leave(bool alone, TimeSpan duration, long bytes)
    {
        lock (_lock)
        {
            if (!alone)
                Measure(duration.TotalSeconds / (1 + bytes / BytesPerRequest));
            Free(alone);
        }
    }

    /// <summary>An upload has ended otherwise.</summary>
    public void Leave(bool alone)
    {
        lock (_lock)
            Free(alone);
    }

    /// <summary>An upload was refused since the lock was held: fewer at once, and a longer time until more are tried.</summary>
    public void LeaveLocked(bool alone)
    {
        lock (_lock)
        {
            _limit = Math.Max(1, _limit / 2);
            Settle(_limit, _retryAfter * 2);
            Free(alone);
        }
    }

    private bool HasPlace(bool alone) => !_alone && (alone ? _inside == 0 : _inside < _limit);

    private void Take(bool alone)
    {
        _inside++;
        _alone = alone;
    }

    private void Free(bool alone)
    {
        _inside--;
        if (alone)
            _alone = false;
        while (_waiting.First is { } first && HasPlace(first.Value.Alone))
        {
            _waiting.RemoveFirst();
            first.Value.Node = null;
            Take(first.Value.Alone);
            first.Value.Entered.SetResult();
        }
    }

    private void GiveUp(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (waiter.Node is null)
                return;
            _waiting.Remove(waiter.Node);
            waiter.Node = null;
        }

        waiter.Entered.TrySetCanceled(cancellationToken);
    }

    /// <summary>Takes the time of one answer. The first ones at a new level still come from the old one, and are passed over.</summary>
    private void Measure(double seconds)
    {
        if (_settled)
        {
            if (_limit < _most && _time.GetElapsedTime(_settledAt) >= _retryAfter)
                TryMore(_sum / Math.Max(1, _measured));
            else
                Track(seconds);
            return;
        }

        if (_toSkip > 0)
        {
            _toSkip--;
            return;
        }

        _sum += seconds;
        if (++_measured < _limit)
            return;
        double mean = _sum / _measured;
        if (_limit == 1)
            _oneAlone = Math.Min(_oneAlone, mean);
        bool wasWorthwhile = _limit == 1 || _smaller == 0 || mean <= _smaller * WorthwhileSlowdown;
        if (!wasWorthwhile)
        {
            _limit = Math.Max(1, _limit / 2);
            Settle(_limit, _retryAfter * 2);
        }
        else if (_limit >= _most || mean - _oneAlone > LongQueue.TotalSeconds)
        {
            Settle(_limit, FirstRetry);
        }
        else
        {
            TryMore(mean);
        }
    }

    /// <summary>While settled, keeps the mean of the last answers: what a larger level will be held against.</summary>
    private void Track(double seconds)
    {
        const int window = 64;
        if (_measured >= window)
        {
            _sum /= 2;
            _measured /= 2;
        }

        _sum += seconds;
        _measured++;
    }

    private void TryMore(double mean)
    {
        _smaller = mean;
        _limit = Math.Min(_most, _limit * 2);
        _settled = false;
        _toSkip = _limit;
        _measured = 0;
        _sum = 0;
    }

    private void Settle(int limit, TimeSpan retryAfter)
    {
        _settled = true;
        _settledAt = _time.GetTimestamp();
        _retryAfter = retryAfter < LongestRetry ? retryAfter : LongestRetry;
        _measured = 0;
        _sum = 0;
    }

    private sealed class Waiter(bool alone)
    {
        public bool Alone => alone;

        public LinkedListNode<Waiter>? Node { get; set; }

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
