namespace IngestTools.Uploads;

/// <summary>
/// Lets so many uploads of one lane go at once as the server has use for. It doubles while answers come quickly, or nearly as quickly as with half as many,
/// stays where more would only wait longer, halves when the server says that its lock is held, and tries more again from time to time. So it finds 1 or 2 where a lock
/// lets one upload through at a time, and the limit where nothing does.
/// </summary>
internal sealed class AdaptiveConcurrencyLimiter
{
    /// <summary>So many go at once in the beginning: few enough for a lock that one holds for up to 100 ms, enough not to waste the first round trips.</summary>
    private const int FirstLimit = 4;

    /// <summary>Doubling must leave the time to an answer below this multiple: at 2 nothing would be won, at 1 everything.</summary>
    private const double WorthwhileSlowdown = 1.5;

    /// <summary>
    /// Answers that come this quickly do no harm by waiting for each other, even under a lock, and save the client the work of waking up for each one:
    /// more go at once whatever their ratio.
    /// </summary>
    private static readonly TimeSpan QuickAnswer = TimeSpan.FromMilliseconds(10);

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
    private int _limit;
    private int _inside;
    private bool _alone;

    private Search _search = Search.Growing;
    private int _toSkip;
    private int _measured;
    private double _sum;

    /// <summary>The mean time to an answer at the level that was tried before this one; 0 at the first.</summary>
    private double _meanBefore;
    private double _quickest = double.MaxValue;
    private long _settledAt;
    private long _halvedAt = long.MinValue;
    private TimeSpan _retryAfter = FirstRetry;

    public AdaptiveConcurrencyLimiter(int most, TimeProvider time)
    {
        _most = most;
        _time = time;
        _limit = Math.Min(FirstLimit, most);
    }

    private enum Search
    {
        /// <summary>Trying twice as many.</summary>
        Growing,

        /// <summary>Trying half as many, since twice as many only waited for each other.</summary>
        Shrinking,

        /// <summary>Staying, until it is time to try more again.</summary>
        Settled,
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

    /// <summary>
    /// An upload was refused since the lock was held: fewer at once, and a longer time until more are tried. Those that were refused together say it once.
    /// </summary>
    /// <param name="alone">Whether it went alone.</param>
    /// <param name="entered">When it entered, as a timestamp.</param>
    public void LeaveLocked(bool alone, long entered)
    {
        lock (_lock)
        {
            if (entered >= _halvedAt)
            {
                Settle(_limit / 2, _retryAfter * 2);
                _halvedAt = _time.GetTimestamp();
            }

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
        if (_toSkip > 0)
        {
            _toSkip--;
            return;
        }

        _sum += seconds;
        _measured++;
        double mean = _sum / _measured;
        if (_search == Search.Settled)
        {
            ForgetOldest();
            if (_limit < _most && _time.GetElapsedTime(_settledAt) >= _retryAfter)
                Try(Search.Growing, _limit * 2, mean);
        }
        else if (_measured >= _limit)
        {
            Decide(mean);
        }
    }

    /// <summary>A level was measured: goes on, or stays.</summary>
    private void Decide(double mean)
    {
        _quickest = Math.Min(_quickest, mean);
        bool isQuick = mean <= QuickAnswer.TotalSeconds;
        bool isFirst = _meanBefore == 0;
        switch (_search)
        {
            case Search.Growing when !isQuick && !isFirst && mean > _meanBefore * WorthwhileSlowdown:
                if (_limit > 2)
                    Try(Search.Shrinking, _limit / 4, _meanBefore);
                else
                    Settle(1, _retryAfter * 2);
                break;
            case Search.Growing when _limit >= _most || mean - _quickest > LongQueue.TotalSeconds:
                Settle(_limit, FirstRetry);
                break;
            case Search.Growing:
                Try(Search.Growing, _limit * 2, mean);
                break;
            case Search.Shrinking when mean * WorthwhileSlowdown <= _meanBefore && _limit > 1:
                Try(Search.Shrinking, _limit / 2, mean);
                break;
            case Search.Shrinking:
                // Half as many were not answered much sooner, so their number was worth it.
                Settle(mean * WorthwhileSlowdown <= _meanBefore ? _limit : _limit * 2, _retryAfter * 2);
                break;
        }
    }

    private void Try(Search search, int limit, double meanBefore)
    {
        _search = search;
        _limit = Math.Clamp(limit, 1, _most);
        _meanBefore = meanBefore;
        _toSkip = _limit;
        _measured = 0;
        _sum = 0;
    }

    private void Settle(int limit, TimeSpan retryAfter)
    {
        Try(Search.Settled, limit, 0);
        _settledAt = _time.GetTimestamp();
        _retryAfter = retryAfter < LongestRetry ? retryAfter : LongestRetry;
    }

    /// <summary>Keeps the mean that of the last answers.</summary>
    private void ForgetOldest()
    {
        const int window = 64;
        if (_measured < window)
            return;
        _sum /= 2;
        _measured /= 2;
    }

    private sealed class Waiter(bool alone)
    {
        public bool Alone => alone;

        public LinkedListNode<Waiter>? Node { get; set; }

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
