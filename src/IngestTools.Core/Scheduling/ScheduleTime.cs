using System.Globalization;
using System.Text.RegularExpressions;

namespace IngestTools.Scheduling;

/// <summary>When a load is to run: an instant, and the wall time in a zone that shows it.</summary>
public sealed partial record ScheduleTime
{
    private const string Forms =
        "Write it as 2026-12-01 02:30 or 2026-12-01T02:30:00, with an offset such as +02:00 or Z where another zone than -TimeZone "
        + "is meant.";

    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);

    private ScheduleTime(DateTimeOffset local, TimeZoneInfo zone)
    {
        Local = local;
        Zone = zone;
    }

    /// <summary>The wall time in the zone, with its offset at that instant.</summary>
    public DateTimeOffset Local { get; }

    /// <summary>The zone.</summary>
    public TimeZoneInfo Zone { get; }

    /// <summary>The time in its zone and in UTC.</summary>
    public string Describe() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $@"{Local:yyyy-MM-dd HH\:mm\:ss zzz} ({Zone.Id}), {Local.UtcDateTime:yyyy-MM-dd HH\:mm\:ss} UTC"
        );

    /// <summary>
    /// Reads a time as a user gave it. A text, or a time of no kind, is wall time in the zone; what names its offset is that instant.
    /// </summary>
    /// <param name="at">A text, a <see cref="DateTime"/> or a <see cref="DateTimeOffset"/>.</param>
    /// <param name="timeZone">An IANA or Windows id; null is this machine's zone.</param>
    /// <param name="now">The present.</param>
    /// <param name="force">Takes a time in the past, the first of two, and for one that the clocks pass over the one that they then
    /// show.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidSchedule"/>: there is no such time or zone, the time comes twice, or it
    /// is past.</exception>
    public static ScheduleTime Resolve(object at, string? timeZone, DateTimeOffset now, bool force)
    {
        ArgumentNullException.ThrowIfNull(at);
        ScheduleTime time = Read(at, FindZone(timeZone), force);
        time.CheckAhead(at, now, force);
        return time;
    }

    /// <summary>Refuses a time that has passed, as it may have done since it was read.</summary>
    /// <param name="at">The time as it was given, for the error.</param>
    /// <param name="now">The present.</param>
    /// <param name="force">Takes a time in the past.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidSchedule"/>: it is past.</exception>
    public void CheckAhead(object at, DateTimeOffset now, bool force)
    {
        if (Local <= now && !force)
            throw Invalid(
                at,
                $"it has passed: it is {Describe()}, and now it is {now.UtcDateTime:yyyy-MM-dd HH':'mm':'ss} UTC",
                "Give a time to come, or -Force to register it all the same."
            );
    }

    private static ScheduleTime Read(object at, TimeZoneInfo zone, bool force)
    {
        try
        {
            return at switch
            {
                DateTimeOffset instant => OfInstant(instant, zone),
                DateTime { Kind: not DateTimeKind.Unspecified } instant => OfInstant(new DateTimeOffset(instant), zone),
                DateTime wall => OfWall(wall, zone, force),
                _ => Parse(Convert.ToString(at, CultureInfo.InvariantCulture) ?? "", zone, force),
            };
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw Invalid(at, "it is too near the beginning or the end of the calendar", Forms, e);
        }
    }

    private static ScheduleTime Parse(string text, TimeZoneInfo zone, bool force)
    {
        Match match = IsoTime().Match(text.Trim());
        string seconds = match.Groups["seconds"] is { Success: true, Value: var given } ? given : ":00";
        string wallText = $"{match.Groups["date"].Value} {match.Groups["time"].Value}{seconds}";
        if (
            !match.Success
            || !DateTime.TryParseExact(
                wallText,
                "yyyy-MM-dd HH:mm:ss",
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out DateTime wall
            )
        )
            throw Invalid(text, "it is not a date and time", Forms);
        if (!match.Groups["offset"].Success)
            return OfWall(wall, zone, force);
        return OfInstant(new DateTimeOffset(wall, OffsetOf(text, match)), zone);
    }

    private static TimeSpan OffsetOf(string text, Match match)
    {
        const int MostHours = 14;
        if (match.Groups["offset"].Value is "Z" or "z")
            return TimeSpan.Zero;
        int hours = int.Parse(match.Groups["hours"].Value, CultureInfo.InvariantCulture);
        int minutes = int.Parse(match.Groups["minutes"].Value, CultureInfo.InvariantCulture);
        TimeSpan offset = new(hours, minutes, 0);
        if (minutes > 59 || offset > TimeSpan.FromHours(MostHours))
            throw Invalid(text, "this offset does not exist", Forms);
        return match.Groups["sign"].Value == "-" ? -offset : offset;
    }

    private static ScheduleTime OfInstant(DateTimeOffset instant, TimeZoneInfo zone) =>
        new(TimeZoneInfo.ConvertTime(InSeconds(instant), zone), zone);

    /// <remarks>
    /// A zone is asked what it shows at an instant, and never whether a wall time is one that is passed over or comes twice: to that it
    /// gives no answer where the offset of standard time is itself the one that is put back, as in Dublin and Casablanca.
    /// </remarks>
    private static ScheduleTime OfWall(DateTime wall, TimeZoneInfo zone, bool force)
    {
        wall = DateTime.SpecifyKind(wall, DateTimeKind.Unspecified);
        TimeSpan before = OffsetNear(wall, -OneDay, zone);
        TimeSpan[] offsets =
        [
            .. new[] { before, OffsetNear(wall, OneDay, zone) }
                .Distinct()
                .Where(offset => zone.GetUtcOffset(At(wall, offset)) == offset)
                .OrderDescending(),
        ];
        if (offsets.Length == 1)
            return OfInstant(At(wall, offsets[0]), zone);
        if (offsets.Length == 0)
        {
            // The offset from before the gap: the clocks then show as much later as they were put forward.
            ScheduleTime later = OfInstant(At(wall, before), zone);
            return force
                ? later
                : throw Invalid(
                    Text(wall),
                    $"this time does not exist in {zone.Id}: the clocks are put forward over it",
                    $"Give {Text(later.Local.DateTime)}, or -Force for it."
                );
        }

        DateTimeOffset first = At(wall, offsets[0]);
        DateTimeOffset second = At(wall, offsets[1]);
        string both = string.Create(
            CultureInfo.InvariantCulture,
            $@"{first:yyyy-MM-dd\THH\:mm\:sszzz} or {second:yyyy-MM-dd\THH\:mm\:sszzz}"
        );
        return force
            ? OfInstant(first, zone)
            : throw Invalid(
                Text(wall),
                $"it comes twice in {zone.Id}, where the clocks are put back",
                $"Give {both}, or -Force for the first."
            );
    }

    /// <summary>The offset that is valid so far from a wall time; no zone turns its clocks twice within that.</summary>
    private static TimeSpan OffsetNear(DateTime wall, TimeSpan distance, TimeZoneInfo zone) =>
        zone.GetUtcOffset(At(wall, TimeSpan.Zero).Add(distance));

    /// <exception cref="ArgumentOutOfRangeException">There is no such instant.</exception>
    private static DateTimeOffset At(DateTime wall, TimeSpan offset) => new(wall, offset);

    /// <summary>
    /// Schedules are kept in whole seconds; a fraction counts as the next one, so that a time to come does not become one that has passed.
    /// </summary>
    private static DateTimeOffset InSeconds(DateTimeOffset time)
    {
        long fraction = time.Ticks % TimeSpan.TicksPerSecond;
        return fraction == 0 ? time : time.AddTicks(TimeSpan.TicksPerSecond - fraction);
    }

    private static TimeZoneInfo FindZone(string? id)
    {
        if (id is null)
            return TimeZoneInfo.Local;
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(id);
        }
        catch (Exception e) when (e is TimeZoneNotFoundException or InvalidTimeZoneException or System.Security.SecurityException)
        {
            throw Invalid(
                id,
                "this machine does not know the time zone",
                "Give an IANA id such as Europe/Zurich, or a Windows id such as W. Europe Standard Time.",
                e
            );
        }
    }

    private static string Text(DateTime wall) => wall.ToString(@"yyyy-MM-dd HH\:mm\:ss", CultureInfo.InvariantCulture);

    private static IngestException Invalid(object given, string why, string advice, Exception? cause = null) =>
        new(
            ErrorId.InvalidSchedule,
            string.Create(
                CultureInfo.InvariantCulture,
                $"'{Http.Redaction.EscapeControls(Convert.ToString(given, CultureInfo.InvariantCulture)!)}' cannot be scheduled: {why}."
            ),
            cause
        )
        {
            Operation = "schedule",
            Advice = advice,
            Target = given,
        };

    [GeneratedRegex(
        @"\A(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?<time>[0-9]{2}:[0-9]{2})(?<seconds>:[0-9]{2})?"
            + @"(?<offset>[Zz]| ?(?<sign>[+-])(?<hours>[0-9]{2}):?(?<minutes>[0-9]{2}))?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture
    )]
    private static partial Regex IsoTime();
}
