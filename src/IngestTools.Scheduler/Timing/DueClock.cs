using System.Globalization;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Timing;

/// <summary>
/// The clock by which times are due: the machine's where the store is a file, and the database's where several nodes share it.
/// </summary>
/// <remarks>
/// A clock that is set differs from the time that has passed. One that is put forward is believed when it has stayed so for
/// <see cref="Doubt"/>: until then the time that has passed counts, so that a clock that is ahead for a moment changes nothing. One that is
/// put back is believed at once, and again when it returns.
/// </remarks>
/// <param name="machine">The machine's clock, and the time that passes.</param>
/// <param name="logger">Gets what the clock did.</param>
internal sealed class DueClock(TimeProvider machine, ILogger<DueClock> logger) : TimeProvider
{
    /// <summary>A clock that differs by this much from the time that has passed was set.</summary>
    public static readonly TimeSpan Jump = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a clock that was put forward is doubted. A time server that was wrong is right again by then, and a time that comes
    /// meanwhile is planned before it is called missed.
    /// </summary>
    public static readonly TimeSpan Doubt = TimeSpan.FromSeconds(45);

    private readonly object _lock = new();
    private readonly List<ClockJump> _jumps = [];
    private Line _line = new(machine.GetUtcNow(), machine.GetTimestamp());

    /// <summary>How the clock ran before it was put back; null where it was not, or returned.</summary>
    private Line? _beforeBack;

    /// <summary>Since when the clock has been ahead; null where it is not.</summary>
    private long? _aheadSince;

    /// <summary>When it was last logged that the clock is ahead: one that goes back and forth is not logged each time.</summary>
    private long? _logged;

    private bool _isDatabase;

    private ClockJump? _lastForward;

    /// <summary>The last time that the clock was put forward; null where it was not.</summary>
    public ClockJump? LastForward
    {
        get
        {
            lock (_lock)
                return _lastForward;
        }
    }

    public override TimeZoneInfo LocalTimeZone => machine.LocalTimeZone;

    public override long TimestampFrequency => machine.TimestampFrequency;

    public override long GetTimestamp() => machine.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        machine.CreateTimer(callback, state, dueTime, period);

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return _isDatabase ? At(_line, machine.GetTimestamp()) : Judge(machine.GetUtcNow());
    }

    /// <summary>Reads the database's clock. From the first time on, it is the one that counts.</summary>
    public void Follow(DateTimeOffset database)
    {
        lock (_lock)
        {
            if (!_isDatabase)
                _line = new Line(database, machine.GetTimestamp());
            _isDatabase = true;
            Judge(database);
        }
    }

    /// <summary>The jumps since this was last called, oldest first.</summary>
    public IReadOnlyList<ClockJump> TakeJumps()
    {
        lock (_lock)
        {
            ClockJump[] jumps = [.. _jumps];
            _jumps.Clear();
            return jumps;
        }
    }

    private DateTimeOffset Judge(DateTimeOffset read)
    {
        long ticks = machine.GetTimestamp();
        DateTimeOffset expected = At(_line, ticks);
        if ((read - expected).Duration() < Jump)
        {
            _aheadSince = null;
            return Believe(read, ticks);
        }

        if (read < expected)
        {
            _aheadSince = null;
            _beforeBack ??= _line;
            return Believe(expected, read, ticks);
        }

        if (_beforeBack is { } before && (read - At(before, ticks)).Duration() < Jump)
            return Believe(expected, read, ticks);
        if (_aheadSince is null)
        {
            _aheadSince = ticks;
            LogAhead(read - expected, ticks);
        }

        return machine.GetElapsedTime(_aheadSince.Value, ticks) < Doubt ? expected : Believe(expected, read, ticks);
    }

    private void LogAhead(TimeSpan jump, long ticks)
    {
        if (_logged is { } logged && machine.GetElapsedTime(logged, ticks) < Doubt)
            return;
        _logged = ticks;
        logger.LogWarning(
            "The clock is {Jump} ahead of the time that has passed. It counts when it has been so for {Doubt:0} s.",
            Text(jump),
            Doubt.TotalSeconds
        );
    }

    private DateTimeOffset Believe(DateTimeOffset read, long ticks)
    {
        _line = new Line(read, ticks);
        return read;
    }

    private DateTimeOffset Believe(DateTimeOffset expected, DateTimeOffset read, long ticks)
    {
        ClockJump jump = new(expected, read);
        if (!jump.IsBack)
            (_aheadSince, _beforeBack, _lastForward) = (null, null, jump);
        else if (_lastForward is { } wrong && (wrong.Length + jump.Length).Duration() < Jump)
            (jump, _lastForward) = (jump with { WrongSince = wrong.From }, null);
        _jumps.Add(jump);
        return Believe(read, ticks);
    }

    private DateTimeOffset At(Line line, long ticks) => line.Read + machine.GetElapsedTime(line.Ticks, ticks);

    private static string Text(TimeSpan span) => span.ToString(@"d\.hh\:mm\:ss", CultureInfo.InvariantCulture);

    /// <summary>What the clock showed at a moment, from which it runs evenly.</summary>
    private readonly record struct Line(DateTimeOffset Read, long Ticks);
}

/// <summary>A clock that was set from one time to another, or a machine that was suspended between them.</summary>
internal readonly record struct ClockJump(DateTimeOffset From, DateTimeOffset To)
{
    public bool IsBack => To < From;

    public TimeSpan Length => To - From;

    /// <summary>Where the clock is back at what it would show had it not been put forward: since when it was wrong.</summary>
    public DateTimeOffset? WrongSince { get; init; }
}
