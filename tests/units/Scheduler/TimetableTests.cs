using IngestTools.Scheduler.Timing;
using IngestTools.Scheduling;
using Xunit;

namespace IngestTools.Units.Scheduler;

public sealed class TimetableTests
{
    private static readonly LoadDefinition Load = new() { Kind = LoadKind.BulkIngest, Connection = "dsp" };

    [Theory]
    [InlineData("15 2 * * 1-5", "2027-03-05T12:00Z", "2027-03-08T02:15Z")]
    [InlineData("0 15 2 ? * MON-FRI", "2027-03-05T12:00Z", "2027-03-08T02:15Z")]
    [InlineData("*/20 * * * *", "2027-03-05T12:01Z", "2027-03-05T12:20Z")]
    [InlineData("30 0 0 1 1 ?", "2027-03-05T12:00Z", "2028-01-01T00:00:30Z")]
    public void Cron_texts_of_five_and_six_fields_are_read(string cron, string from, string next) =>
        Assert.Equal(DateTimeOffset.Parse(next, null), Of(cron, "UTC").NextAfter(DateTimeOffset.Parse(from, null)));

    [Theory]
    [InlineData("America/New_York", "30 2 * * *", "2027-03-13T12:00-05:00", "2027-03-14T03:00-04:00")] // skipped: at the gap's end
    [InlineData("America/New_York", "30 1 * * *", "2027-11-06T12:00-04:00", "2027-11-07T01:30-04:00")] // the time comes twice: the first
    [InlineData("W. Europe Standard Time", "0 6 * * *", "2027-03-27T12:00+01:00", "2027-03-28T06:00+02:00")]
    public void Zones_and_their_clock_changes_are_kept(string zone, string cron, string from, string next)
    {
        DateTimeOffset due = Of(cron, zone).NextAfter(DateTimeOffset.Parse(from, null))!.Value;

        Assert.Equal(DateTimeOffset.Parse(next, null), due);
        Assert.NotEqual(due.AddHours(1), Of(cron, zone).NextAfter(due));
    }

    [Theory]
    [InlineData("Europe/Zurich", "30 2 * * *", 3, 28)]
    [InlineData("Europe/Zurich", "30 2 * * *", 10, 31)]
    [InlineData("Europe/Zurich", "*/20 * * * *", 3, 28)]
    [InlineData("Europe/Zurich", "*/20 * * * *", 10, 31)]
    [InlineData("America/New_York", "15 1,2,3 * * *", 3, 14)]
    [InlineData("America/New_York", "15 1,2,3 * * *", 11, 7)]
    public void The_last_time_before_a_moment_is_one_that_was_run_also_around_a_clock_change(string zone, string cron, int month, int day)
    {
        Timetable timetable = Of(cron, zone);
        DateTimeOffset from = new(2027, month, day, 0, 0, 0, TimeSpan.Zero);
        DateTimeOffset? last = null;
        DateTimeOffset next = timetable.NextAfter(from.AddDays(-2))!.Value;
        for (DateTimeOffset moment = from.AddDays(-1); moment < from.AddDays(2); moment = moment.AddMinutes(10))
        {
            for (; next <= moment; next = timetable.NextAfter(next)!.Value)
                last = next;
            Assert.Equal((moment, last), (moment, timetable.LastUpTo(moment)));
        }
    }

    [Fact]
    public void An_interval_runs_on_through_a_clock_change()
    {
        DateTimeOffset anchor = new(2027, 3, 14, 1, 0, 0, TimeSpan.FromHours(-5));
        Timetable hourly = new(
            new ScheduleDefinition
            {
                Name = "s",
                Load = Load,
                Every = TimeSpan.FromHours(1),
                TimeZone = "America/New_York",
            },
            anchor
        );

        List<DateTimeOffset> times = hourly.List(hourly.NextAfter(anchor), 3);

        Assert.Equal([anchor.AddHours(1), anchor.AddHours(2), anchor.AddHours(3)], times);
        Assert.Equal([3, 4, 5], times.Select(time => time.Hour));
        Assert.Equal(anchor.AddHours(2), hourly.LastUpTo(anchor.AddHours(2.9)));
    }

    [Theory]
    [InlineData("61 * * * *", null, "cron")]
    [InlineData("99 2 * * *", null, "99 is out of range")]
    [InlineData("1,98 2 * * *", null, "98 is out of range")]
    [InlineData("99 0 2 ? * *", null, "99 is out of range")]
    [InlineData("99999999999 2 * * *", null, "99999999999 is out of range")]
    [InlineData("often", null, "1 field,")]
    [InlineData("* * * * * * * *", null, "fields")]
    [InlineData("0 3 * * *", "Middle/Earth", "Middle/Earth")]
    public void A_bad_cron_text_or_zone_is_told(string cron, string? zone, string told)
    {
        IngestException error = Assert.Throws<IngestException>(() => Of(cron, zone));

        Assert.Equal(ErrorId.InvalidSchedule, error.ErrorId);
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Advice);
    }

    private static Timetable Of(string cron, string? zone) =>
        new(
            new ScheduleDefinition
            {
                Name = "s",
                Load = Load,
                Cron = cron,
                TimeZone = zone,
            },
            DateTimeOffset.UnixEpoch
        );
}
