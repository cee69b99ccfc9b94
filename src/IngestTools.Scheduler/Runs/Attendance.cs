using System.Globalization;
using IngestTools.Scheduler.Timing;

namespace IngestTools.Scheduler.Runs;

/// <summary>When no scheduler planned what was due, and why.</summary>
/// <param name="time">The clock by which times are due. It is created when the scheduler starts.</param>
internal sealed class Attendance(TimeProvider time)
{
    private readonly DueClock? _clock = time as DueClock;

    /// <summary>Since when this scheduler plans.</summary>
    private readonly DateTimeOffset _since = time.GetUtcNow();

    /// <summary>Whether other nodes planned when this one started.</summary>
    public bool WereOthersPresent { get; set; }

    /// <summary>Why a time could not be planned when it came; null where it could.</summary>
    public string? WhyAbsent(DateTimeOffset at)
    {
        if (!WereOthersPresent && at < _since)
            return Text($"The scheduler was not running at its time. It started at {_since.UtcDateTime:u}.");
        return _clock?.LastForward is { } jump && at > jump.From && at < jump.To
            ? Text($"The clock went from {jump.From.UtcDateTime:u} to {jump.To.UtcDateTime:u}: it was set, or the machine was suspended.")
            : null;
    }

    /// <summary>Why a time was planned late.</summary>
    public string WhyLate(DateTimeOffset at, DateTimeOffset now) =>
        WhyAbsent(at) ?? Text($"The scheduler could not plan it at its time, and did so {(now - at).TotalSeconds:0} s later.");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
