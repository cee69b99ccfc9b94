using System.Globalization;
using IngestTools.Sandbox.Services.Voss;
using IngestTools.Scheduling;
using IngestTools.Services.Voss;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class ScheduleTimeTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 5, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("2026-12-01 02:30", "Asia/Kathmandu", "2026-12-01", "02:30:00", "345", "2026-11-30T20:45:00Z")]
    [InlineData("2026-12-01T02:30:15", "Asia/Kolkata", "2026-12-01", "02:30:15", "330", "2026-11-30T21:00:15Z")]
    [InlineData("2027-01-15 02:30", "Australia/Adelaide", "2027-01-15", "02:30:00", "630", "2027-01-14T16:00:00Z")]
    [InlineData("2027-07-15 02:30", "Australia/Adelaide", "2027-07-15", "02:30:00", "570", "2027-07-14T17:00:00Z")]
    [InlineData("2027-01-15 02:30", "America/St_Johns", "2027-01-15", "02:30:00", "-210", "2027-01-15T06:00:00Z")]
    [InlineData("2027-07-15 02:30", "America/St_Johns", "2027-07-15", "02:30:00", "-150", "2027-07-15T05:00:00Z")]
    [InlineData("2027-07-15 02:30", "Australia/Lord_Howe", "2027-07-15", "02:30:00", "630", "2027-07-14T16:00:00Z")]
    [InlineData("2027-01-15 02:30", "Australia/Lord_Howe", "2027-01-15", "02:30:00", "660", "2027-01-14T15:30:00Z")]
    [InlineData("2027-01-15 02:30", "Pacific/Chatham", "2027-01-15", "02:30:00", "825", "2027-01-14T12:45:00Z")]
    [InlineData("2027-07-15 02:30", "W. Europe Standard Time", "2027-07-15", "02:30:00", "120", "2027-07-15T00:30:00Z")]
    [InlineData("2027-07-15T00:30Z", "Europe/Zurich", "2027-07-15", "02:30:00", "120", "2027-07-15T00:30:00Z")]
    [InlineData("2027-01-15T02:30:00+05:45", "Europe/Zurich", "2027-01-14", "21:45:00", "60", "2027-01-14T20:45:00Z")]
    [InlineData("2027-01-15 02:30 -0330", "UTC", "2027-01-15", "06:00:00", "0", "2027-01-15T06:00:00Z")]
    public void Wall_time_becomes_the_servers_terms_with_the_offset_of_that_day(
        string at,
        string zone,
        string date,
        string time,
        string minutes,
        string instant
    )
    {
        ScheduleTime resolved = ScheduleTime.Resolve(at, zone, Now, force: false);
        ExecutionTime execution = new(resolved);
        Assert.Equal((date, time, minutes), (execution.Date, execution.Time, execution.Timezone));
        Assert.Equal(DateTimeOffset.Parse(instant, CultureInfo.InvariantCulture), resolved.Local);
    }

    [Fact]
    public void Time_of_a_kind_is_that_instant_and_one_of_no_kind_is_wall_time()
    {
        DateTime utc = new(2027, 7, 15, 0, 30, 0, DateTimeKind.Utc);
        Assert.Equal("02:30:00", new ExecutionTime(ScheduleTime.Resolve(utc, "Europe/Zurich", Now, false)).Time);
        Assert.Equal(
            "00:30:00",
            new ExecutionTime(ScheduleTime.Resolve(DateTime.SpecifyKind(utc, DateTimeKind.Unspecified), "Europe/Zurich", Now, false)).Time
        );
        Assert.Equal(
            "02:30:01",
            new ExecutionTime(ScheduleTime.Resolve(new DateTimeOffset(utc).AddMilliseconds(1), "Europe/Zurich", Now, false)).Time
        );
        Assert.Equal(TimeZoneInfo.Local.Id, ScheduleTime.Resolve(utc, null, Now, false).Zone.Id);
    }

    [Theory]
    [InlineData("2027-03-14 02:30", "America/New_York", "put forward over it", "2027-03-14 03:30:00", "2027-03-14T07:30:00Z")]
    [InlineData("2027-10-03 02:15", "Australia/Lord_Howe", "put forward over it", "2027-10-03 02:45:00", "2027-10-02T15:45:00Z")]
    [InlineData(
        "2027-11-07 01:30",
        "America/New_York",
        "comes twice",
        "2027-11-07T01:30:00-04:00 or 2027-11-07T01:30:00-05:00",
        "2027-11-07T05:30:00Z"
    )]
    [InlineData("2027-04-04 01:45", "Australia/Lord_Howe", "comes twice", "+11:00 or 2027-04-04T01:45:00+10:30", "2027-04-03T14:45:00Z")]
    [InlineData("2027-03-28 01:30", "Europe/Dublin", "put forward over it", "2027-03-28 02:30:00", "2027-03-28T01:30:00Z")]
    [InlineData(
        "2027-10-31 01:30",
        "Europe/Dublin",
        "comes twice",
        "2027-10-31T01:30:00+01:00 or 2027-10-31T01:30:00+00:00",
        "2027-10-31T00:30:00Z"
    )]
    [InlineData("2027-03-14 02:30", "Africa/Casablanca", "put forward over it", "2027-03-14 03:30:00", "2027-03-14T02:30:00Z")]
    [InlineData(
        "2027-02-07 02:30",
        "Africa/Casablanca",
        "comes twice",
        "2027-02-07T02:30:00+01:00 or 2027-02-07T02:30:00+00:00",
        "2027-02-07T01:30:00Z"
    )]
    [InlineData("2020-01-01 00:00", "UTC", "has passed", "-Force", "2020-01-01T00:00:00Z")]
    public void Time_that_is_not_there_comes_twice_or_has_passed_is_refused_and_forced(
        string at,
        string zone,
        string reason,
        string advice,
        string forced
    )
    {
        IngestException error = Assert.Throws<IngestException>(() => ScheduleTime.Resolve(at, zone, Now, force: false));
        Assert.Equal(ErrorId.InvalidSchedule, error.ErrorId);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Contains(advice, error.Advice, StringComparison.Ordinal);
        Assert.Equal(DateTimeOffset.Parse(forced, CultureInfo.InvariantCulture), ScheduleTime.Resolve(at, zone, Now, force: true).Local);
    }

    [Theory]
    [InlineData("12/01/2026 02:30")]
    [InlineData("2026-13-01 02:30")]
    [InlineData("2026-12-01 24:00")]
    [InlineData("tomorrow")]
    [InlineData("2026-12-01T02:30+15:00")]
    [InlineData("2026-12-01T02:30+05:75")]
    [InlineData("")]
    public void What_is_no_time_is_refused_with_the_form(string at)
    {
        IngestException error = Assert.Throws<IngestException>(() => ScheduleTime.Resolve(at, "UTC", Now, force: true));
        Assert.Equal(ErrorId.InvalidSchedule, error.ErrorId);
        Assert.Contains("2026-12-01T02:30:00", error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void Time_at_an_end_of_the_calendar_is_refused()
    {
        (object At, string Zone)[] extremes =
        [
            ("9999-12-31 23:59", "America/New_York"),
            ("0001-01-01 00:00", "Asia/Kathmandu"),
            ("9999-12-31T23:30-01:00", "UTC"),
            (DateTimeOffset.MaxValue, "Europe/Zurich"),
            (DateTime.MinValue, "Asia/Kathmandu"),
            (DateTime.MaxValue, "America/New_York"),
        ];
        Assert.All(
            extremes,
            extreme =>
                Assert.Equal(
                    ErrorId.InvalidSchedule,
                    Assert.Throws<IngestException>(() => ScheduleTime.Resolve(extreme.At, extreme.Zone, Now, force: true)).ErrorId
                )
        );
    }

    [Fact]
    public void Time_that_passes_after_it_was_read_is_refused_then()
    {
        ScheduleTime time = ScheduleTime.Resolve("2026-11-22 05:01", "UTC", Now, force: false);
        time.CheckAhead("2026-11-22 05:01", Now, force: false);
        IngestException error = Assert.Throws<IngestException>(() => time.CheckAhead("2026-11-22 05:01", Now.AddMinutes(1), force: false));
        Assert.Contains("has passed", error.Message, StringComparison.Ordinal);
        time.CheckAhead("2026-11-22 05:01", Now.AddMinutes(1), force: true);
    }

    [Fact]
    public void Unknown_zone_is_told()
    {
        IngestException error = Assert.Throws<IngestException>(() =>
            ScheduleTime.Resolve("2026-12-01 02:30", "Europe/Nowhere", Now, force: false)
        );
        Assert.Equal(ErrorId.InvalidSchedule, error.ErrorId);
        Assert.Contains("IANA", error.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    [InlineData("fa-IR")]
    [InlineData("th-TH")]
    public async Task Schedule_reaches_the_server_in_its_own_calendar_under_any_culture(string culture)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            await using VossHarness voss = await VossHarness.StartAsync();
            UploadResult sent = await voss.SendAsync(voss.Write("users.xlsx", "a@example.org"));
            ScheduleTime time = ScheduleTime.Resolve("2040-12-01 02:30", "Asia/Kathmandu", Now, force: false);

            Transaction making = await voss.Client.ScheduleAsync(sent.FileName!, VossHarness.Hierarchy, time, voss.Soon);

            VossSchedule schedule = Assert.Single(voss.Voss.Schedules);
            Assert.Equal(("2040-12-01", "02:30:00", "345"), (schedule.ExecuteDate, schedule.ExecuteTime, schedule.ExecuteTimezone));
            Assert.Equal(new DateTimeOffset(2040, 11, 30, 20, 45, 0, TimeSpan.Zero), schedule.At);
            Assert.Equal((TransactionKind.Schedule, schedule.At), (making.Kind, making.ScheduledFor));
            Assert.Equal(
                "Runs at 2040-12-01 02:30:00 +05:45 (Asia/Kathmandu), 2040-11-30 20:45:00 UTC; sent as execute_date 2040-12-01, "
                    + "execute_time 02:30:00, execute_timezone 345.",
                making.Message
            );
            (Transaction ended, _) = await voss.FollowAsync(making);
            Assert.Equal(
                (TransactionStatus.Succeeded, making.Message, TimeSpan.FromMinutes(345)),
                (ended.Status, ended.Message, ended.ScheduledFor?.Offset)
            );
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public async Task Lost_answer_to_a_schedule_is_not_followed_by_a_second()
    {
        await using VossHarness voss = await VossHarness.StartAsync(faults: "lost=POST /api/tool/BulkLoad/");
        UploadResult sent = await voss.SendAsync(voss.Write("users.xlsx", "a@example.org"));
        ScheduleTime time = ScheduleTime.Resolve("2040-12-01 02:30", "UTC", Now, force: false);
        IngestException error = await VossHarness.ErrorOfAsync(() =>
            voss.Client.ScheduleAsync(sent.FileName!, VossHarness.Hierarchy, time, voss.Soon)
        );
        Assert.Equal(ErrorId.OutcomeUnknown, error.ErrorId);
        Assert.Contains("list of schedules", error.Advice, StringComparison.Ordinal);
        Assert.Single(voss.Voss.Schedules);
    }
}
