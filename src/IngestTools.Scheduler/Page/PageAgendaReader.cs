using System.Globalization;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduler.Timing;

namespace IngestTools.Scheduler.Page;

/// <summary>Which part of the agenda is read.</summary>
internal sealed record AgendaQuery
{
    public required TimeZoneInfo Zone { get; init; }

    /// <summary>One day of the week; null is all of it.</summary>
    public DateOnly? Day { get; init; }

    /// <summary>A part of the schedules' names; null is any.</summary>
    public string? Text { get; init; }

    /// <summary>Where the last part ended; null begins with now.</summary>
    public (DateTimeOffset At, string Key)? After { get; init; }

    public int Most { get; init; } = PageReader.MaxItems;
}

/// <summary>
/// The times of the next week, in their order. Schedules are read by their next time, and no more of them than the part needs.
/// </summary>
internal sealed class PageAgendaReader(SchedulerStore store, TimeProvider time)
{
    public const int Days = 7;

    /// <summary>The times of a schedule in one day are counted up to this number.</summary>
    public const int MaxCounted = 288;

    private const int Page = 200;

    public async Task<PageAgenda> ReadAsync(AgendaQuery query, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        PageDay[] days = [.. ListDays(now, query.Zone)];
        PageDay[] wanted = query.Day is { } only ? [.. days.Where(day => day.Date == only)] : days;
        if (wanted.Length == 0)
            throw new FormatException($"{query.Day:yyyy-MM-dd} is not one of the next {Days} days");
        DateTimeOffset from = wanted[0].Start > now ? wanted[0].Start : now;
        Queue queue = new(wanted, from, query.After);
        (List<PageUpcoming> items, string? next) = await TakeAsync(queue, query, wanted[^1].End, cancellationToken);
        return new PageAgenda
        {
            Zone = query.Zone.Id,
            Days = days,
            Items = items,
            ClockChanges = [.. FindClockChanges(items, query.Zone, wanted)],
            Next = next,
        };
    }

    public static string Format((DateTimeOffset At, string Key) after) =>
        string.Create(CultureInfo.InvariantCulture, $"{after.At.ToUnixTimeMilliseconds()}/{after.Key}");

    public static (DateTimeOffset At, string Key) Parse(string text)
    {
        string[] parts = text.Split('/', 2);
        return parts.Length == 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long at) && at < MaxTime
            ? (DateTimeOffset.FromUnixTimeMilliseconds(at), parts[1])
            : throw new FormatException($"'{text}' does not name a part of the agenda");
    }

    private static readonly long MaxTime = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private async Task<(List<PageUpcoming> Items, string? Next)> TakeAsync(
        Queue queue,
        AgendaQuery query,
        DateTimeOffset until,
        CancellationToken cancellationToken
    )
    {
        List<PageUpcoming> items = [];
        (DateTimeOffset Due, string Key)? read = null;
        bool isRead = false;
        while (true)
        {
            // Whatever was not read yet is due later than what was.
            while (!isRead && (queue.First is not { } first || first >= read?.Due))
            {
                List<ScheduleRow> rows = await store.ReadUpcomingAsync(read, until, query.Text, Page, cancellationToken);
                foreach (StoredSchedule schedule in rows.Select(row => row.Schedule).OfType<StoredSchedule>())
                    queue.Add(schedule);
                isRead = rows.Count < Page;
                // A row that cannot be read has no time. What follows the last one that has is read again, and is the same.
                if (rows.LastOrDefault(row => row.Schedule is not null)?.Schedule is { NextDue: { } due } last)
                    read = (due, last.Key);
                else
                    isRead = true;
            }

            if (queue.First is not { } at || at >= until)
                return (items, null);
            if (items.Count == query.Most)
                return (items, Format(queue.Taken!.Value));
            items.Add(queue.Take());
        }
    }

    private static IEnumerable<PageDay> ListDays(DateTimeOffset now, TimeZoneInfo zone)
    {
        DateOnly today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);
        for (int i = 0; i < Days; i++)
            yield return new PageDay(today.AddDays(i), StartOf(today.AddDays(i), zone), StartOf(today.AddDays(i + 1), zone));
    }

    /// <summary>The first moment of a day. Where the clocks are set at midnight, that is not midnight.</summary>
    private static DateTimeOffset StartOf(DateOnly date, TimeZoneInfo zone)
    {
        DateTime local = date.ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(local))
            local = local.AddMinutes(1);
        TimeSpan offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset);
    }

    private static IEnumerable<PageClockChange> FindClockChanges(List<PageUpcoming> items, TimeZoneInfo viewer, PageDay[] days)
    {
        foreach (string id in items.Select(item => item.Zone).Append(viewer.Id).Distinct())
        {
            TimeZoneInfo zone = Timetable.ZoneOf(id);
            TimeSpan offset = zone.GetUtcOffset(days[0].Start);
            foreach (PageDay day in days)
            {
                for (DateTimeOffset at = day.Start; at < day.End; at = at.AddMinutes(15))
                {
                    if (zone.GetUtcOffset(at) is var now && now != offset)
                        yield return new PageClockChange(id, at.ToOffset(offset), at.ToOffset(now), day.Date);
                    offset = now;
                }
            }
        }
    }

    /// <summary>Schedules by the first of their times that was not taken.</summary>
    private sealed class Queue
    {
        private readonly PageDay[] _days;
        private readonly TimetableCache _timetables = new();
        private readonly DateTimeOffset _from;
        private readonly (DateTimeOffset At, string Key)? _after;
        private readonly PriorityQueue<
            (StoredSchedule Schedule, CachedTimes Times, DateTimeOffset At),
            (DateTimeOffset At, string Key)
        > _queue = new(Comparer<(DateTimeOffset At, string Key)>.Create(Compare));

        public Queue(PageDay[] days, DateTimeOffset from, (DateTimeOffset At, string Key)? after) =>
            (_days, _from, _after) = (days, from, after);

        /// <summary>The time of the next item.</summary>
        public DateTimeOffset? First => _queue.TryPeek(out _, out (DateTimeOffset At, string Key) first) ? first.At : null;

        /// <summary>Where the last item stands.</summary>
        public (DateTimeOffset At, string Key)? Taken { get; private set; }

        /// <summary>Adds a schedule. Those whose times cannot be told are listed as broken, and have none here.</summary>
        public void Add(StoredSchedule schedule)
        {
            if (schedule.NextDue is not { } due || _timetables.Find(schedule) is not { } times)
                return;
            DateTimeOffset from = _after is { At: var at } && DayOf(at).Start > _from ? DayOf(at).Start : _from;
            DateTimeOffset? first = FirstFrom(times, due, from);
            // What was taken before stands for the whole day.
            if (first is { } time && _after is { } after && Compare((time, schedule.Key), after) <= 0)
                first = FirstFrom(times, due, DayOf(time).End);
            Enqueue(schedule, times, first);
        }

        public PageUpcoming Take()
        {
            (StoredSchedule schedule, CachedTimes times, DateTimeOffset at) = _queue.Dequeue();
            Taken = (at, schedule.Key);
            PageDay day = DayOf(at);
            (int count, DateTimeOffset last, bool isMore) = Count(times, at, day.End);
            Enqueue(schedule, times, FirstFrom(times, at, day.End));
            return new PageUpcoming
            {
                Name = Http.Redaction.EscapeControls(schedule.Definition.Name),
                Kind = schedule.Definition.Load.Kind,
                Load = PageText.Of(schedule.Definition.Load),
                Date = day.Date,
                At = TimeZoneInfo.ConvertTime(at, times.Zone),
                Last = TimeZoneInfo.ConvertTime(last, times.Zone),
                Zone = PageText.ZoneOf(schedule.Definition),
                Count = count,
                IsMore = isMore,
            };
        }

        private void Enqueue(StoredSchedule schedule, CachedTimes times, DateTimeOffset? at)
        {
            if (at is { } time && time < _days[^1].End)
                _queue.Enqueue((schedule, times, time), (time, schedule.Key));
        }

        private PageDay DayOf(DateTimeOffset at) => _days.FirstOrDefault(day => at < day.End) ?? _days[^1];

        private static (int Count, DateTimeOffset Last, bool IsMore) Count(CachedTimes times, DateTimeOffset first, DateTimeOffset end)
        {
            int count = 1;
            DateTimeOffset last = first;
            while (times.NextAfter(last) is { } next && next < end)
            {
                if (count == MaxCounted)
                    return (count, last, true);
                (count, last) = (count + 1, next);
            }

            return (count, last, false);
        }

        /// <summary>The first time at a moment or later, given one that is known.</summary>
        private static DateTimeOffset? FirstFrom(CachedTimes times, DateTimeOffset known, DateTimeOffset from) =>
            known >= from ? known : times.NextAfter(from.AddTicks(-1));

        private static int Compare((DateTimeOffset At, string Key) one, (DateTimeOffset At, string Key) other) =>
            one.At.CompareTo(other.At) is not 0 and var order ? order : string.CompareOrdinal(one.Key, other.Key);
    }

    /// <summary>Timetables of one request: thousands of schedules have few cron texts between them.</summary>
    private sealed class TimetableCache
    {
        private readonly Dictionary<(string Cron, string? Zone), CachedTimes?> _known = [];

        /// <summary>The times of a schedule; null where they cannot be told.</summary>
        public CachedTimes? Find(StoredSchedule schedule)
        {
            if (schedule.Definition.Cron is not { } cron)
                return Create(schedule);
            (string, string?) key = (cron, schedule.Definition.TimeZone);
            if (!_known.TryGetValue(key, out CachedTimes? times))
                _known.Add(key, times = Create(schedule));
            return times;
        }

        private static CachedTimes? Create(StoredSchedule schedule)
        {
            try
            {
                return new CachedTimes(new Timetable(schedule.Definition, schedule.RegisteredAt));
            }
            catch (IngestException)
            {
                return null;
            }
        }
    }

    /// <summary>A timetable that keeps what was asked of it: the schedules with it are asked for the same days.</summary>
    private sealed class CachedTimes(Timetable times)
    {
        private readonly Dictionary<long, DateTimeOffset?> _next = [];

        public TimeZoneInfo Zone => times.Zone;

        /// <summary>The first time after a moment; null where there is none.</summary>
        public DateTimeOffset? NextAfter(DateTimeOffset moment)
        {
            if (!_next.TryGetValue(moment.UtcTicks, out DateTimeOffset? next))
                _next.Add(moment.UtcTicks, next = times.NextAfter(moment));
            return next;
        }
    }
}
