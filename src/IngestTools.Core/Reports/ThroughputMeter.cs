namespace IngestTools.Reports;

/// <summary>Bytes over time.</summary>
/// <param name="From">The beginning of the first interval.</param>
/// <param name="Interval">The length of an interval.</param>
/// <param name="Bytes">The bytes of each interval, in their order.</param>
/// <param name="Elapsed">From the beginning of the first upload to the end of the last.</param>
internal sealed record Throughput(DateTimeOffset From, TimeSpan Interval, IReadOnlyList<double> Bytes, TimeSpan Elapsed)
{
    /// <summary>Whether only the beginnings and ends of jobs are known, and bytes are spread evenly between them.</summary>
    public bool IsOfJobs { get; init; }

    /// <summary>Bytes a second, over all of the time.</summary>
    public double Average => Bytes.Sum() / Math.Max(Elapsed.TotalSeconds, TimeSpan.FromMilliseconds(1).TotalSeconds);

    /// <summary>Bytes a second, in the best interval.</summary>
    public double Peak => Bytes.Max() / Interval.TotalSeconds;
}

/// <summary>
/// Adds up bytes by the time in which they were sent. It keeps a bounded number of intervals: where the times do not fit, the intervals
/// become longer. Times may come in any order.
/// </summary>
internal sealed class ThroughputMeter
{
    /// <summary>Bars that a chart shows on a phone too.</summary>
    public const int MaxIntervals = 120;

    /// <summary>Each is a multiple of the one before it, so that intervals can be added up. After the last one, they double.</summary>
    private static readonly TimeSpan[] Lengths =
    [
        TimeSpan.FromMilliseconds(100),
        TimeSpan.FromMilliseconds(200),
        TimeSpan.FromSeconds(1),
        TimeSpan.FromSeconds(2),
        TimeSpan.FromSeconds(10),
        TimeSpan.FromSeconds(20),
        TimeSpan.FromMinutes(1),
        TimeSpan.FromMinutes(2),
        TimeSpan.FromMinutes(10),
        TimeSpan.FromMinutes(20),
        TimeSpan.FromHours(1),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(6),
        TimeSpan.FromHours(12),
        TimeSpan.FromDays(1),
    ];

    private Dictionary<long, double> _intervals = [];
    private TimeSpan _length = Lengths[0];
    private long _from = long.MaxValue;
    private long _to = long.MinValue;

    /// <summary>Adds what was sent from one time to another, evenly.</summary>
    public void Add(DateTimeOffset began, DateTimeOffset ended, double bytes)
    {
        long to = ended.UtcTicks;
        long from = Math.Min(began.UtcTicks, to);
        _from = Math.Min(_from, from);
        _to = Math.Max(_to, to);
        while (_to / _length.Ticks - _from / _length.Ticks >= MaxIntervals)
            Lengthen();
        if (from == to)
        {
            AddTo(to / _length.Ticks, bytes);
            return;
        }

        for (long index = from / _length.Ticks; index * _length.Ticks < to; index++)
        {
            long inside = Math.Min(to, (index + 1) * _length.Ticks) - Math.Max(from, index * _length.Ticks);
            AddTo(index, bytes * inside / (to - from));
        }
    }

    /// <summary>What was added; null where nothing was.</summary>
    public Throughput? Complete()
    {
        if (_intervals.Count == 0)
            return null;
        long first = _intervals.Keys.Min();
        double[] bytes = new double[_intervals.Keys.Max() - first + 1];
        foreach ((long index, double sum) in _intervals)
            bytes[index - first] = sum;
        return new Throughput(new DateTimeOffset(first * _length.Ticks, TimeSpan.Zero), _length, bytes, TimeSpan.FromTicks(_to - _from));
    }

    private void AddTo(long index, double bytes) => _intervals[index] = _intervals.GetValueOrDefault(index) + bytes;

    private void Lengthen()
    {
        int next = Array.IndexOf(Lengths, _length) + 1;
        TimeSpan length = next > 0 && next < Lengths.Length ? Lengths[next] : _length * 2;
        long factor = length.Ticks / _length.Ticks;
        Dictionary<long, double> longer = [];
        foreach ((long index, double bytes) in _intervals)
            longer[index / factor] = longer.GetValueOrDefault(index / factor) + bytes;
        (_intervals, _length) = (longer, length);
    }
}
