namespace IngestTools.Uploads;

/// <summary>
/// Limits the concurrent uploads of one project to what the server has use for. The limit doubles while answers come quickly, or nearly as
/// quickly as with half as many uploads. It stays where more would only wait longer, and is halved when the server reports that its lock is
/// held. From time to time a higher limit is tried again. So it ends at 1 or 2 where a lock admits one upload at a time, and at the maximum
/// where nothing holds uploads back.
/// </summary>
internal sealed class AdaptiveConcurrencyLimiter
{
    /// <summary>
    /// The first limit: low enough for a lock that an upload holds for up to 100 ms, high enough not to waste the first round trips.
    /// </summary>
    private const int FirstLimit = 4;

    /// <summary>
    /// Doubling is worth it while the time to an answer stays below this multiple: at 2 nothing is gained, at 1 everything.
    /// </summary>
    private const double WorthwhileSlowdown = 1.5;

    /// <summary>
    /// Answers this quick do no harm by waiting for each other, even under a lock, and save the client from waking up for each one. The
    /// limit grows whatever their ratio.
    /// </summary>
    private static readonly TimeSpan QuickAnswer = TimeSpan.FromMilliseconds(10);

    /// <summary>Extra latency that shows that uploads queue on the server's lock, which times out after 400 ms.</summary>
    private static readonly TimeSpan LongQueue = TimeSpan.FromMilliseconds(150);

    /// <summary>A file's size adds to its time: this number of bytes counts as much as the request itself.</summary>
    private const double BytesPerRequest = 128 * 1024;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    private readonly object _lock = new();
    private readonly LinkedList<Waiter> _waiting = new();
    private readonly TimeProvider _time;
    private readonly int _maximum;
    private int _limit;
    private int _running;
    private bool _alone;

    private Search _search = Search.Growing;
    private int _toSkip;
    private int _measured;
    private double _sum;

    /// <summary>The mean time to an answer at the limit that was tried before; 0 for the first.</summary>
    private double _meanBefore;
    private double _quickest = double.MaxValue;
    private long _settledAt;
    private long _halvedAt = long.MinValue;
    private TimeSpan _retryAfter = FirstRetry;

    public AdaptiveConcurrencyLimiter(int maximum, TimeProvider time)
    {
        _maximum = maximum;
        _time = time;
        _limit = Math.Min(FirstLimit, maximum);
    }

    private enum Search
    {
        /// <summary>Trying twice the limit.</summary>
        Growing,

        /// <summary>Trying half the limit, since uploads only waited for each other.</summary>
        Shrinking,

        /// <summary>Keeping the limit until it is time to try a higher one.</summary>
        Settled,
    }

    /// <summary>The maximum number of concurrent uploads now.</summary>
    public int Limit
    {
        get
        {
            lock (_lock)
                return _limit;
        }
    }

    /// <summary>Waits until another upload may begin.</summary>
    /// <param name="alone">Whether no other upload may run at the same time.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public async ValueTask EnterAsync(bool alone, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_lock)
        {
            if (_waiting.Count == 0 && MayEnter(alone))
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

    /// <summary>An upload succeeded.</summary>
    public void Leave(bool alone, TimeSpan duration, long bytes)
    {
        lock (_lock)
        {
            if (!alone)
                Measure(duration.TotalSeconds / (1 + bytes / BytesPerRequest));
            Free(alone);
        }
    }

    /// <summary>An upload ended in another way.</summary>
    public void Leave(bool alone)
    {
        lock (_lock)
            Free(alone);
    }

    /// <summary>
    /// An upload was refused because the lock was held: halves the limit, and waits longer until a higher one is tried. Uploads that were
    /// refused together count once.
    /// </summary>
    /// <param name="alone">Whether it was sent alone.</param>
    /// <param name="entered">When it began, as a timestamp.</param>
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

    private bool MayEnter(bool alone) => !_alone && (alone ? _running == 0 : _running < _limit);

    private void Take(bool alone)
    {
        _running++;
        _alone = alone;
    }

    private void Free(bool alone)
    {
        _running--;
        if (alone)
            _alone = false;
        while (_waiting.First is { } first && MayEnter(first.Value.Alone))
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

    /// <summary>
    /// Adds the time of one answer. The first answers after a change still belong to the previous limit, and are ignored.
    /// </summary>
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
            if (_limit < _maximum && _time.GetElapsedTime(_settledAt) >= _retryAfter)
                Try(Search.Growing, _limit * 2, mean);
        }
        else if (_measured >= _limit)
        {
            Decide(mean);
        }
    }

    /// <summary>Decides what to try next, after a limit was measured.</summary>
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
            case Search.Growing when _limit >= _maximum || mean - _quickest > LongQueue.TotalSeconds:
                Settle(_limit, FirstRetry);
                break;
            case Search.Growing:
                Try(Search.Growing, _limit * 2, mean);
                break;
            case Search.Shrinking when mean * WorthwhileSlowdown <= _meanBefore && _limit > 1:
                Try(Search.Shrinking, _limit / 2, mean);
                break;
            case Search.Shrinking:
                // Half the limit was not answered much sooner, so the higher limit was worth it.
                Settle(mean * WorthwhileSlowdown <= _meanBefore ? _limit : _limit * 2, _retryAfter * 2);
                break;
        }
    }

    private void Try(Search search, int limit, double meanBefore)
    {
        _search = search;
        _limit = Math.Clamp(limit, 1, _maximum);
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

    /// <summary>Keeps the mean to the last answers.</summary>
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
