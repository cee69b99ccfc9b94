using System.Globalization;
using System.Text.RegularExpressions;
using IngestTools.Scheduling;
using Quartz;

namespace IngestTools.Scheduler.Timing;

/// <summary>The times of a schedule, as Quartz reckons them.</summary>
/// <remarks>
/// In a clock change: a time that is left out is run at the end of the gap, and one that comes twice is run the first time. An interval
/// runs on through both.
/// </remarks>
internal sealed partial class Timetable
{
    /// <summary>No schedule repeats more often: a load takes longer.</summary>
    public static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    /// <summary>Longer is a mistake in the unit.</summary>
    public static readonly TimeSpan LongestInterval = TimeSpan.FromDays(3660);

    /// <summary>The largest number of any field: seconds and minutes.</summary>
    private const int LargestNumber = 59;

    private static readonly char[] Blanks = [' ', '\t', '\r', '\n'];

    private readonly ScheduleDefinition _definition;
    private readonly DateTimeOffset _anchor;
    private readonly CronExpression? _cron;

    /// <param name="definition">The definition.</param>
    /// <param name="anchor">When it was registered: intervals are counted from there.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidSchedule"/>: the times are none; the message says why.</exception>
    public Timetable(ScheduleDefinition definition, DateTimeOffset anchor)
    {
        _definition = definition;
        _anchor = anchor;
        Zone = ZoneOf(definition.TimeZone);
        if (new object?[] { definition.At, definition.Cron, definition.Every }.Count(given => given is not null) != 1)
            throw Invalid("One of At, Cron and Every is given, and no more.", "Give -At for once, -Cron or -Every for again and again.");
        if (definition.Cron is { } text)
            _cron = ParseCron(text).WithTimeZone(Zone);
        if (definition.Every is { } every && (every < ShortestInterval || every > LongestInterval))
            throw Invalid(
                $"An interval of {every} cannot be kept: the shortest is a second, the longest ten years.",
                "Give -Every as a time span: 01:00:00 is an hour, 1.00:00:00 a day."
            );
    }

    public TimeZoneInfo Zone { get; }

    /// <summary>The cron text as Quartz has it, with its zone; null where the schedule has none.</summary>
    public CronExpression? Cron => _cron;

    /// <summary>The first time after a moment; null where there is none.</summary>
    public DateTimeOffset? NextAfter(DateTimeOffset moment)
    {
        if (_definition.At is { } at)
            return at > moment ? at : null;
        return _definition.Every is { } every ? _anchor + every * (Periods(moment, every) + 1) : _cron!.GetNextValidTimeAfter(moment);
    }

    /// <summary>The last time up to a moment; null where there is none.</summary>
    public DateTimeOffset? LastUpTo(DateTimeOffset moment)
    {
        if (_definition.At is { } at)
            return at <= moment ? at : null;
        if (_definition.Every is { } every)
            return Periods(moment, every) is var periods and > 0 ? _anchor + every * periods : null;
        if (_cron!.GetPreviousValidTimeBefore(moment + TimeSpan.FromSeconds(1)) is not { } last)
            return null;
        DateTimeOffset from = last - TimeSpan.FromDays(1);
        bool isSteady = Zone.GetUtcOffset(from) == Zone.GetUtcOffset(last) && Zone.GetUtcOffset(last) == Zone.GetUtcOffset(moment);
        return isSteady && last <= moment ? last : StepUpTo(from, moment);
    }

    /// <summary>
    /// Around a clock change Quartz reckons other times backward than forward, and those forward are the ones that are run.
    /// </summary>
    private DateTimeOffset? StepUpTo(DateTimeOffset from, DateTimeOffset moment)
    {
        DateTimeOffset? last = null;
        for (DateTimeOffset? time = NextAfter(from); time <= moment; time = NextAfter(time.Value))
            last = time;
        return last;
    }

    /// <summary>The next times from one on, in the schedule's zone.</summary>
    public List<DateTimeOffset> List(DateTimeOffset? first, int most)
    {
        List<DateTimeOffset> times = [];
        for (DateTimeOffset? time = first; time is { } due && times.Count < most; time = NextAfter(due))
            times.Add(TimeZoneInfo.ConvertTime(due, Zone));
        return times;
    }

    /// <summary>The zone of an id; the machine's where there is none.</summary>
    public static TimeZoneInfo ZoneOf(string? id)
    {
        if (id is null)
            return TimeZoneInfo.Local;
        if (TimeZoneInfo.TryFindSystemTimeZoneById(id, out TimeZoneInfo? zone))
            return zone;
        throw Invalid(
            $"There is no time zone '{id}' on the scheduler's machine.",
            "Give an IANA id such as Europe/Zurich, or a Windows id such as W. Europe Standard Time. "
                + "[TimeZoneInfo]::GetSystemTimeZones() lists them."
        );
    }

    private static CronExpression ParseCron(string text)
    {
        // Quartz refuses what is too large, except for 98 and 99, which it uses itself for "none" and "all".
        if (
            Number()
                .Matches(text)
                .FirstOrDefault(number =>
                    !int.TryParse(number.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int value) || value > LargestNumber
                ) is
            { } large
        )
            throw Invalid($"'{text}' is not a valid cron expression: {large.Value} is out of range.", CronAdvice);
        int fields = text.Split(Blanks, StringSplitOptions.RemoveEmptyEntries).Length;
        try
        {
            return fields switch
            {
                5 => CronExpression.Parse(text, CronFormat.Unix),
                6 => CronExpression.Parse(text),
                _ => throw Invalid(
                    $"The cron text '{text}' has {fields} {(fields == 1 ? "field" : "fields")}, and five or six are read.",
                    CronAdvice
                ),
            };
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw Invalid($"'{text}' is not a valid cron expression: {e.Message.TrimEnd('.')}.", CronAdvice);
        }
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();

    private const string CronAdvice =
        "Five fields are minute, hour, day of month, month, day of week: '15 2 * * 1-5' is 02:15 on working days. Six begin with the "
        + "second: '0 15 2 ? * MON-FRI'.";

    private static IngestException Invalid(string message, string advice) =>
        new(ErrorId.InvalidSchedule, message) { Operation = "register", Advice = advice };

    /// <summary>How many intervals have passed up to a moment.</summary>
    private long Periods(DateTimeOffset moment, TimeSpan every) => moment < _anchor ? 0 : (moment - _anchor).Ticks / every.Ticks;
}
