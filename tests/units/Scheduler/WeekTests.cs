using IngestTools.Scheduler.Store;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>Weeks in which the clocks change, with Quartz, the planner and a store, and a clock that is set by hand.</summary>
public sealed class WeekTests
{
    /// <summary>On 28 March 2027 02:00 to 03:00 is left out, on 31 October it comes twice.</summary>
    [Theory]
    [InlineData("2027-03-25T00:00:00+01:00", "2027-04-01T00:00:00+02:00", 167)]
    [InlineData("2027-10-28T00:00:00+02:00", "2027-11-04T00:00:00+01:00", 169)]
    public async Task Nightly_and_hourly_loads_run_once_at_each_of_their_times_over_a_clock_change(string from, string to, int hours)
    {
        DateTimeOffset start = DateTimeOffset.Parse(from, null);
        DateTimeOffset end = DateTimeOffset.Parse(to, null);
        Assert.Equal(hours, (end - start).TotalHours);
        await using PlanningHost week = await PlanningHost.StartAsync(start);
        await week.AddAsync("nightly", cron: "30 2 * * *");
        await week.AddAsync("hourly", cron: "0 * * * *");
        await week.AddAsync("each hour", every: TimeSpan.FromHours(1));

        await week.PassAsync(end);

        // The night that has no 02:30 runs at the end of the gap, and the one that has it twice runs the first time.
        string[] nights = start.Month == 3 ? Nights(start, gap: true) : Nights(start, gap: false);
        List<StoredRun> runs = await week.RunsAsync();
        Assert.Equal(nights, TimesOf("nightly"));
        Assert.Equal(Hours(), TimesOf("each hour"));
        Assert.Equal(Hours(), TimesOf("hourly"));
        Assert.All(runs, run => Assert.Equal((RunStatus.Succeeded, null), (run.Status, run.Message)));
        Assert.InRange(week.MaxTriggers, 1, 4);

        string[] TimesOf(string name) =>
            [.. runs.Where(run => run.Name == name).Select(run => run.DueAt.UtcDateTime.ToString("s")).Order()];
        string[] Hours() => [.. Enumerable.Range(1, hours).Select(hour => start.AddHours(hour).UtcDateTime.ToString("s"))];
    }

    private static string[] Nights(DateTimeOffset start, bool gap) =>
        gap
            ?
            [
                "2027-03-25T01:30:00",
                "2027-03-26T01:30:00",
                "2027-03-27T01:30:00",
                "2027-03-28T01:00:00",
                "2027-03-29T00:30:00",
                "2027-03-30T00:30:00",
                "2027-03-31T00:30:00",
            ]
            :
            [
                "2027-10-28T00:30:00",
                "2027-10-29T00:30:00",
                "2027-10-30T00:30:00",
                "2027-10-31T00:30:00",
                "2027-11-01T01:30:00",
                "2027-11-02T01:30:00",
                "2027-11-03T01:30:00",
            ];
}
