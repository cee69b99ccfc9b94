using System.Globalization;
using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduler.Timing;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>What becomes of times that have come, with a clock that is set by hand.</summary>
public sealed partial class PlannerTests
{
    private static readonly DateTimeOffset Noon = new(2027, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_time_gets_one_run_however_often_it_is_looked_at()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Bench.Hourly(MissedRun.RunOnce));
        bench.Time.Now = Noon.AddHours(1);

        for (int i = 0; i < 3; i++)
            await bench.Planner.PlanDueAsync(CancellationToken.None);

        StoredRun run = Assert.Single(await bench.RunsAsync());
        Assert.Equal((RunStatus.Planned, Noon.AddHours(1)), (run.Status, run.DueAt));
    }

    [Fact]
    public async Task RunOnce_runs_the_newest_missed_time_and_tells_of_the_others()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Bench.Hourly(MissedRun.RunOnce));
        bench.Time.Now = Noon.AddHours(3.5);

        await bench.Planner.PlanOverdueAsync(CancellationToken.None);

        List<StoredRun> runs = await bench.RunsAsync();
        Assert.Equal([RunStatus.Planned, RunStatus.Missed, RunStatus.Missed], runs.Select(run => run.Status));
        Assert.Equal([Noon.AddHours(3), Noon.AddHours(2), Noon.AddHours(1)], runs.Select(run => run.DueAt));
        Assert.Equal(Noon.AddHours(4), (await bench.ScheduleAsync())!.NextDue);
    }

    [Fact]
    public async Task Skip_runs_no_missed_time_and_tells_of_each()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Bench.Hourly(MissedRun.Skip));
        bench.Time.Now = Noon.AddHours(2.5);

        await bench.Planner.PlanOverdueAsync(CancellationToken.None);

        Assert.All(await bench.RunsAsync(), run => Assert.Equal(RunStatus.Missed, run.Status));
        Assert.Equal(2, (await bench.RunsAsync()).Count);
    }

    [Fact]
    public async Task A_single_time_that_was_missed_is_never_dropped_silently()
    {
        foreach (
            (MissedRun policy, RunStatus expected) in new[] { (MissedRun.RunOnce, RunStatus.Planned), (MissedRun.Skip, RunStatus.Missed) }
        )
        {
            using Bench bench = await Bench.StartAsync(Noon);
            await bench.AddAsync(
                new ScheduleDefinition
                {
                    Name = "s",
                    Load = Bench.Load,
                    At = Noon.AddMinutes(1),
                    MissedRun = policy,
                }
            );
            bench.Time.Now = Noon.AddMinutes(10);

            await bench.Planner.PlanOverdueAsync(CancellationToken.None);

            Assert.Equal(expected, Assert.Single(await bench.RunsAsync()).Status);
            Assert.Equal(ScheduleStatus.Ended, (await bench.ScheduleAsync())!.Status);
        }
    }

    [Fact]
    public async Task A_year_of_missed_seconds_is_told_in_a_hundred_runs_and_one()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(
            new ScheduleDefinition
            {
                Name = "s",
                Load = Bench.Load,
                Every = TimeSpan.FromSeconds(1),
                MissedRun = MissedRun.Skip,
            }
        );
        bench.Time.Now = Noon.AddYears(1);

        await bench.Planner.PlanOverdueAsync(CancellationToken.None);

        List<StoredRun> runs = await bench.RunsAsync();
        Assert.InRange(runs.Count(run => run.Status == RunStatus.Missed), 101, 200);
        Assert.True((await bench.ScheduleAsync())!.NextDue > bench.Time.Now);
    }

    [Fact]
    public async Task A_clock_that_jumps_back_runs_nothing_twice_and_loses_nothing_to_come()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Bench.Hourly(MissedRun.RunOnce));
        bench.Time.Now = Noon.AddDays(400);
        await bench.Planner.PlanOverdueAsync(CancellationToken.None);
        await bench.EndAllAsync();

        bench.Time.Now = Noon.AddMinutes(5);
        Assert.True(await bench.Planner.SetBackAsync((await bench.ScheduleAsync())!, null, CancellationToken.None));
        Assert.Equal(Noon.AddHours(1), (await bench.ScheduleAsync())!.NextDue);
        // What was called missed is yet to come, and the newest time had its run.
        Assert.Equal(Noon.AddDays(400), Assert.Single(await bench.RunsAsync()).DueAt);
        foreach (int hours in new[] { 1, 200 })
        {
            bench.Time.Now = Noon.AddHours(hours);
            await bench.Planner.PlanDueAsync(CancellationToken.None);
            Assert.Contains(await bench.RunsAsync(), run => run.DueAt == bench.Time.Now && run.Status == RunStatus.Planned);
            await bench.EndAllAsync();
        }

        int before = (await bench.RunsAsync()).Count;
        bench.Time.Now = Noon.AddDays(400);
        await bench.Planner.PlanDueAsync(CancellationToken.None);
        Assert.Equal(1, (await bench.RunsAsync()).Count(run => run.DueAt == Noon.AddDays(400)));
        Assert.True((await bench.RunsAsync()).Count > before);
    }

    [Theory]
    [InlineData(MissedRun.RunOnce, RunStatus.Planned, "6 4 3 2 1")]
    [InlineData(MissedRun.Skip, RunStatus.Missed, "6 5 4 3 2 1")]
    public async Task A_clock_that_jumps_forward_and_back_by_hours_runs_nothing_twice_and_the_times_between_when_they_come(
        MissedRun policy,
        RunStatus newest,
        string runAtTheirTime
    )
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Bench.Hourly(policy));
        List<StoredRun> began = [];
        await RunAtAsync(Noon.AddHours(1));
        await RunAtAsync(Noon.AddHours(5.5));
        Assert.Equal(
            [(5, newest), (4, RunStatus.Missed), (3, RunStatus.Missed), (2, RunStatus.Missed), (1, RunStatus.Succeeded)],
            began.Select(run => ((int)(run.DueAt - Noon).TotalHours, run.Status))
        );

        bench.Time.Now = Noon.AddHours(1.1);
        Assert.True(await bench.Planner.SetBackAsync((await bench.ScheduleAsync())!, null, CancellationToken.None));
        Assert.False(await bench.Planner.SetBackAsync((await bench.ScheduleAsync())!, null, CancellationToken.None));
        List<int> atTheirTime = [1];
        for (int hour = 2; hour <= 6; hour++)
        {
            await RunAtAsync(Noon.AddHours(hour));
            atTheirTime.AddRange(began.Where(run => run.Status == RunStatus.Planned).Select(run => (int)(run.DueAt - Noon).TotalHours));
        }

        Assert.Equal(runAtTheirTime, string.Join(' ', atTheirTime.OrderDescending()));
        List<StoredRun> all = await bench.RunsAsync();
        Assert.Equal([6, 5, 4, 3, 2, 1], all.Select(run => (int)(run.DueAt - Noon).TotalHours).OrderDescending());
        Assert.All(all, run => Assert.Equal(RunStatus.Succeeded, run.Status));

        async Task RunAtAsync(DateTimeOffset now)
        {
            bench.Time.Now = now;
            await bench.Planner.PlanDueAsync(CancellationToken.None);
            began = await bench.RunsAsync();
            await bench.EndAllAsync();
        }
    }

    [Theory]
    [InlineData(MissedRun.RunOnce)]
    [InlineData(MissedRun.Skip)]
    public async Task A_single_time_that_a_clock_jumps_over_and_that_comes_again_has_one_run(MissedRun policy)
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(
            new ScheduleDefinition
            {
                Name = "s",
                Load = Bench.Load,
                At = Noon.AddHours(1),
                MissedRun = policy,
            }
        );

        foreach (double hours in new[] { 5.0, 0.5, 1.0, 1.5 })
        {
            bench.Time.Now = Noon.AddHours(hours);
            await bench.Planner.SetBackAsync((await bench.ScheduleAsync())!, null, CancellationToken.None);
            await bench.Planner.PlanDueAsync(CancellationToken.None);
            await bench.EndAllAsync();
        }

        StoredRun run = Assert.Single(await bench.RunsAsync());
        Assert.Equal((RunStatus.Succeeded, Noon.AddHours(1)), (run.Status, run.DueAt));
        Assert.Equal(ScheduleStatus.Ended, (await bench.ScheduleAsync())!.Status);
    }

    [Theory]
    [InlineData(MissedRun.RunOnce)]
    [InlineData(MissedRun.Skip)]
    public async Task A_clock_that_is_ahead_for_a_moment_changes_nothing(MissedRun policy)
    {
        using Bench bench = await Bench.StartAsync(Noon, isDoubting: true);
        await bench.AddAsync(Bench.Hourly(policy) with { Cron = "* * * * *" });

        bench.Time.Pass(TimeSpan.FromSeconds(30));
        bench.Time.Ahead = TimeSpan.FromMinutes(10);
        for (int i = 0; i < 4; i++)
        {
            bench.Time.Pass(TimeSpan.FromSeconds(5));
            await bench.Planner.PlanOverdueAsync(CancellationToken.None);
            await bench.Planner.PlanDueAsync(CancellationToken.None);
        }

        Assert.Empty(await bench.RunsAsync());
        bench.Time.Ahead = TimeSpan.Zero;
        for (int minute = 1; minute <= 12; minute++)
        {
            bench.Time.Pass(Noon.AddMinutes(minute) - bench.Time.Now);
            await bench.Planner.PlanDueAsync(CancellationToken.None);
            Assert.Equal(Noon.AddMinutes(minute), Assert.Single(await bench.RunsAsync(), run => !run.IsTerminal).DueAt);
            await bench.EndAllAsync();
        }

        Assert.Equal(12, (await bench.RunsAsync()).Count);
        Assert.Empty(bench.Clock!.TakeJumps());
    }

    [Theory]
    [InlineData(MissedRun.RunOnce)]
    [InlineData(MissedRun.Skip)]
    public async Task Times_that_passed_while_the_clock_was_wrong_are_run_when_it_is_right_again(MissedRun policy)
    {
        using Bench bench = await Bench.StartAsync(Noon, isDoubting: true);
        await bench.AddAsync(Bench.Hourly(policy) with { Cron = "* * * * *" });
        bench.Time.Pass(TimeSpan.FromSeconds(30));
        bench.Time.Ahead = TimeSpan.FromMinutes(10);
        await PassAsync(TimeSpan.FromSeconds(20));
        await PassAsync(TimeSpan.FromSeconds(20));
        // From 12:01:50 on the clock counts; 12:02:00 comes before it is right again.
        await PassAsync(TimeSpan.FromSeconds(40));
        await PassAsync(TimeSpan.FromSeconds(15));
        bench.Time.Ahead = TimeSpan.Zero;
        await PassAsync(TimeSpan.FromSeconds(5));

        ClockJump back = bench.Clock!.TakeJumps()[^1];
        Assert.Equal((true, Noon.AddSeconds(110)), (back.IsBack, back.WrongSince));
        Assert.True(await bench.Planner.SetBackAsync((await bench.ScheduleAsync())!, back.WrongSince, CancellationToken.None));
        // As the housekeeping does right after it.
        await PassAsync(TimeSpan.Zero);
        for (int minute = 3; minute <= 13; minute++)
            await PassAsync(Noon.AddMinutes(minute) - bench.Time.Now);

        List<StoredRun> runs = await bench.RunsAsync();
        Assert.Equal(Enumerable.Range(1, 13), runs.Select(run => (int)(run.DueAt - Noon).TotalMinutes).Order());
        Assert.All(runs, run => Assert.Equal((RunStatus.Succeeded, null), (run.Status, run.Message)));

        async Task PassAsync(TimeSpan time)
        {
            bench.Time.Pass(time);
            await bench.Planner.PlanDueAsync(CancellationToken.None);
            await bench.EndAllAsync();
        }
    }

    [Fact]
    public async Task A_clock_that_stays_ahead_counts_after_a_while_and_is_the_reason_of_what_was_missed()
    {
        using Bench bench = await Bench.StartAsync(Noon, isDoubting: true);
        await bench.AddAsync(Bench.Hourly(MissedRun.Skip));
        bench.Time.Ahead = TimeSpan.FromHours(2.5);
        await bench.Planner.PlanDueAsync(CancellationToken.None);
        Assert.Empty(await bench.RunsAsync());

        bench.Time.Pass(DueClock.Doubt);
        await bench.Planner.PlanDueAsync(CancellationToken.None);

        List<StoredRun> runs = await bench.RunsAsync();
        Assert.Equal([Noon.AddHours(2), Noon.AddHours(1)], runs.Select(run => run.DueAt));
        Assert.All(runs, run => Assert.Contains("The clock went from 2027-03-01 12:00:45Z to 2027-03-01 14:30:45Z", run.Message));
        Assert.False(Assert.Single(bench.Clock!.TakeJumps()).IsBack);
    }

    [Fact]
    public async Task A_machine_that_was_suspended_for_two_days_runs_a_schedule_once_and_tells_of_each_time_that_passed()
    {
        using Bench bench = await Bench.StartAsync(Noon, isDoubting: true);
        await bench.AddAsync(Bench.Hourly(MissedRun.RunOnce));
        bench.Time.Ahead = TimeSpan.FromDays(2);
        await bench.Planner.PlanDueAsync(CancellationToken.None);

        bench.Time.Pass(DueClock.Doubt);
        await bench.Planner.PlanOverdueAsync(CancellationToken.None);

        List<StoredRun> runs = await bench.RunsAsync();
        Assert.Equal(Enumerable.Range(1, 48).Select(hour => Noon.AddHours(hour)), runs.Select(run => run.DueAt).Order());
        Assert.Equal(Noon.AddHours(48), Assert.Single(runs, run => run.Status == RunStatus.Planned).DueAt);
        Assert.All(
            runs.Where(run => run.Status == RunStatus.Missed),
            run => Assert.Contains("or the machine was suspended", run.Message, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Ten_thousand_schedules_that_are_due_within_a_minute_have_one_run_each_whoever_plans_them()
    {
        const int count = 10_000;
        using Bench bench = await Bench.StartAsync(Noon.AddMinutes(30));
        await bench.AddAllAsync(
            Enumerable
                .Range(0, count)
                .Select(i =>
                    Bench.Hourly(MissedRun.Skip) with
                    {
                        Name = string.Create(CultureInfo.InvariantCulture, $"load {i}"),
                        Cron = string.Create(CultureInfo.InvariantCulture, $"{i % 60} 0 * * * ?"),
                    }
                )
        );
        RunPlanner other = bench.Restarted();

        foreach (int seconds in new[] { 0, 15, 30, 45, 59 })
        {
            bench.Time.Now = Noon.AddHours(1).AddSeconds(seconds);
            await Task.WhenAll(bench.Planner.PlanDueAsync(CancellationToken.None), other.PlanDueAsync(CancellationToken.None));
        }

        Assert.Equal(
            (count, count, count),
            await bench.Store.ReadAsync(
                async session =>
                    (
                        await CountAsync(session, "count(*)"),
                        await CountAsync(session, "count(DISTINCT name)"),
                        await CountAsync(session, "sum(status = 'Planned')")
                    ),
                CancellationToken.None
            )
        );

        static async Task<int> CountAsync(StoreSession session, string what) =>
            (int)(await session.NumberAsync($"SELECT {what} FROM ingest_run", CancellationToken.None))!.Value;
    }

    [Fact]
    public async Task A_time_that_comes_while_a_clock_is_doubted_is_not_missed()
    {
        using Bench bench = await Bench.StartAsync(Noon, isDoubting: true);
        bench.Time.Pass(TimeSpan.FromSeconds(30));
        bench.Time.Ahead = TimeSpan.FromMinutes(2);
        await bench.AddAsync(Bench.Hourly(MissedRun.Skip) with { Cron = null, At = Noon.AddSeconds(151), TimeZone = null });

        // As often as the housekeeping looks.
        for (int seconds = 0; seconds <= 60; seconds += 5)
        {
            await bench.Planner.PlanOverdueAsync(CancellationToken.None);
            bench.Time.Pass(TimeSpan.FromSeconds(5));
        }

        Assert.Equal(RunStatus.Planned, Assert.Single(await bench.RunsAsync()).Status);
    }

    [Theory]
    [InlineData("0 * * * *", null)]
    [InlineData(null, "01:00:00")]
    public async Task A_schedule_that_was_registered_while_the_clock_was_ahead_is_set_back_too(string? cron, string? every)
    {
        using Bench bench = await Bench.StartAsync(Noon.AddDays(300));
        await bench.AddAsync(
            Bench.Hourly(MissedRun.Skip) with
            {
                Cron = cron,
                Every = every is null ? null : TimeSpan.Parse(every, CultureInfo.InvariantCulture),
                TimeZone = cron is null ? null : "UTC",
            }
        );

        bench.Time.Now = Noon;
        Assert.False(await bench.Planner.SetBackAsync((await bench.ScheduleAsync())!, null, CancellationToken.None));
        Assert.True(await bench.Planner.SetBackAsync((await bench.ScheduleAsync())!, Noon.AddHours(-2), CancellationToken.None));

        StoredSchedule schedule = (await bench.ScheduleAsync())!;
        Assert.Equal((Noon, Noon.AddHours(1)), (schedule.RegisteredAt, schedule.NextDue));
    }

    [Fact]
    public async Task A_clock_that_is_behind_for_a_moment_forgets_nothing_that_was_missed_for_another_reason()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Bench.Hourly(MissedRun.RunOnce));
        _ = await PlanAndTakeAsync(bench, Noon.AddHours(1));
        bench.Time.Now = Noon.AddHours(2);
        await bench.Planner.PlanDueAsync(CancellationToken.None);
        StoredRun missed = Assert.Single(await bench.RunsAsync(), run => run.Status == RunStatus.Missed);

        bench.Time.Now = Noon.AddHours(1.5);
        await bench.Planner.SetBackAsync((await bench.ScheduleAsync())!, null, CancellationToken.None);
        bench.Time.Now = Noon.AddHours(2.1);
        await bench.Planner.PlanOverdueAsync(CancellationToken.None);

        Assert.Equal(missed.Message, Assert.Single(await bench.RunsAsync(), run => run.DueAt == Noon.AddHours(2)).Message);
        Assert.Equal(Noon.AddHours(3), (await bench.ScheduleAsync())!.NextDue);
    }

    [Fact]
    public async Task What_is_missed_says_that_the_scheduler_was_down_also_where_an_earlier_run_has_not_ended()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Bench.Hourly(MissedRun.RunOnce));
        long going = (await PlanAndTakeAsync(bench, Noon.AddHours(1))).Number;

        bench.Time.Now = Noon.AddHours(3.5);
        await bench.Restarted().PlanOverdueAsync(CancellationToken.None);
        bench.Time.Now = Noon.AddHours(4);
        await bench.Planner.PlanDueAsync(CancellationToken.None);

        Assert.Equal(
            [
                (4, $"run:{going} had not ended at its time, and the schedule skips runs that overlap."),
                (
                    3,
                    "The scheduler was not running at its time. It started at 2027-03-01 15:30:00Z. "
                        + $"Since then run:{going} has not ended, and the schedule skips runs that overlap."
                ),
                (
                    2,
                    "The scheduler was not running at its time. It started at 2027-03-01 15:30:00Z. "
                        + "The run that was due at 2027-03-01 15:00:00Z stands for it."
                ),
                (1, null),
            ],
            (await bench.RunsAsync()).Select(run => ((int)(run.DueAt - Noon).TotalHours, run.Message))
        );
    }

    [Theory]
    [InlineData(17, RunStatus.Planned)]
    [InlineData(61, RunStatus.Planned)]
    [InlineData(63, RunStatus.Missed)]
    public async Task Skip_runs_late_within_the_documented_minute_only(int startedAfter, RunStatus expected)
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Bench.Hourly(MissedRun.Skip) with { Cron = null, At = Noon.AddSeconds(2) });
        bench.Time.Now = Noon.AddSeconds(startedAfter);

        await bench.Restarted().PlanOverdueAsync(CancellationToken.None);

        StoredRun run = Assert.Single(await bench.RunsAsync());
        Assert.Equal(
            (
                expected,
                expected == RunStatus.Planned
                    ? null
                    : "The scheduler was not running at its time. It started at 2027-03-01 12:01:03Z. The schedule skips what was missed."
            ),
            (run.Status, run.Message)
        );
    }

    [Fact]
    public async Task Times_of_a_short_interval_that_passed_while_the_scheduler_was_down_say_so()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Bench.Hourly(MissedRun.RunOnce) with { Cron = null, Every = TimeSpan.FromSeconds(1) });
        bench.Time.Now = Noon.AddSeconds(17.5);

        await bench.Restarted().PlanDueAsync(CancellationToken.None);

        List<StoredRun> runs = await bench.RunsAsync();
        StoredRun first = Assert.Single(runs, run => run.Status == RunStatus.Planned);
        Assert.Equal(17, runs.Count);
        Assert.All(
            runs.Where(run => run != first),
            run =>
                Assert.Equal(
                    "The scheduler was not running at its time. It started at 2027-03-01 12:00:17Z. "
                        + $"{first.Id}, due at 2027-03-01 12:00:01Z, stands for it.",
                    run.Message
                )
        );
    }

    [Fact]
    public async Task What_overlaps_is_skipped_or_waits_and_only_one_waits()
    {
        using Bench skipping = await Bench.StartAsync(Noon);
        await skipping.AddAsync(Bench.Hourly(MissedRun.RunOnce));
        using Bench queueing = await Bench.StartAsync(Noon);
        await queueing.AddAsync(Bench.Hourly(MissedRun.RunOnce) with { Overlap = Overlap.Queue });
        foreach (Bench bench in new[] { skipping, queueing })
        {
            for (int hour = 1; hour <= 3; hour++)
            {
                bench.Time.Now = Noon.AddHours(hour);
                await bench.Planner.PlanDueAsync(CancellationToken.None);
                if (hour == 1)
                    Assert.NotNull(
                        await bench.Store.TakeAsync((await bench.RunsAsync())[0].Number, 4, bench.Time.Now, CancellationToken.None)
                    );
            }
        }

        Assert.Equal([RunStatus.Missed, RunStatus.Missed, RunStatus.Planned], (await skipping.RunsAsync()).Select(run => run.Status));
        Assert.Equal([RunStatus.Missed, RunStatus.Planned, RunStatus.Planned], (await queueing.RunsAsync()).Select(run => run.Status));
        Assert.Empty(await queueing.Store.ReadWaitingAsync(4, 10, queueing.Time.Now, CancellationToken.None));
    }

    [Fact]
    public async Task Two_that_plan_and_take_at_once_make_one_run_and_one_taker()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Bench.Hourly(MissedRun.RunOnce));
        bench.Time.Now = Noon.AddHours(1);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => bench.Planner.PlanDueAsync(CancellationToken.None))));
        long number = Assert.Single(await bench.RunsAsync()).Number;

        StoredRun?[] taken = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Task.Run(() => bench.Store.TakeAsync(number, 4, bench.Time.Now, CancellationToken.None)))
        );

        Assert.Single(taken, run => run is not null);
    }

    [Fact]
    public async Task A_schedule_whose_zone_is_gone_is_told_and_holds_up_no_other()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Bench.Hourly(MissedRun.RunOnce));
        StoredSchedule gone = new()
        {
            Revision = "g",
            Definition = Bench.Hourly(MissedRun.RunOnce) with { Name = "a", TimeZone = "Europe/Atlantis" },
            RegisteredAt = Noon,
            NextDue = Noon.AddMinutes(1),
        };
        Assert.True((await bench.Store.PutScheduleAsync(gone, false, CancellationToken.None)).Kept);
        bench.Time.Now = Noon.AddHours(1);

        await bench.Planner.PlanDueAsync(CancellationToken.None);

        Assert.Equal("s", Assert.Single(await bench.RunsAsync()).Name);
        (string key, string why) = Assert.Single(bench.Planner.Unplanned);
        Assert.Equal("a", key);
        Assert.Contains("Europe/Atlantis", why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schedule_whose_planning_fails_anywhere_is_not_moved_on_without_its_run()
    {
        int failed = 0;
        for (int reading = 1; reading <= 6; reading++)
        {
            using Bench bench = await Bench.StartAsync(Noon);
            // The run that is missed notes when: a reading of the clock between the two writings.
            await bench.AddAsync(
                new ScheduleDefinition
                {
                    Name = "s",
                    Load = Bench.Load,
                    At = Noon.AddMinutes(1),
                    MissedRun = MissedRun.Skip,
                }
            );
            StoredSchedule other = new()
            {
                Revision = "o",
                Definition = Bench.Hourly(MissedRun.RunOnce) with { Name = "other" },
                RegisteredAt = Noon,
                NextDue = Noon.AddMinutes(2),
            };
            Assert.True((await bench.Store.PutScheduleAsync(other, false, CancellationToken.None)).Kept);
            bench.Time.Now = Noon.AddHours(1);
            bench.Time.FailsAt = reading;

            try
            {
                await bench.Planner.PlanDueAsync(CancellationToken.None);
            }
            catch (InvalidTimeZoneException)
            {
                // Where nothing was begun, nothing can be half done.
            }

            bench.Time.FailsAt = 0;
            List<StoredRun> runs = await bench.RunsAsync();
            foreach (string name in new[] { "s", "other" })
            {
                StoredSchedule schedule = (await bench.Store.FindScheduleAsync(name, CancellationToken.None))!;
                bool isMoved = schedule.NextDue is null || schedule.NextDue > bench.Time.Now;
                Assert.Equal(isMoved, runs.Exists(run => run.Name == name));
                Assert.Equal(schedule.NextDue is null, schedule.Status == ScheduleStatus.Ended);
            }

            failed += bench.Planner.Unplanned.Count;
            await bench.Planner.PlanDueAsync(CancellationToken.None);
            Assert.Empty(bench.Planner.Unplanned);
            Assert.Contains(await bench.RunsAsync(), run => run.Name == "s" && run.Status == RunStatus.Missed);
            Assert.Contains(await bench.RunsAsync(), run => run.Name == "other");
        }

        Assert.InRange(failed, 2, 6);
    }

    [Fact]
    public async Task A_single_time_that_had_its_run_is_not_replaced_by_itself()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        ScheduleDefinition once = new()
        {
            Name = "s",
            Load = Bench.Load,
            At = Noon.AddMinutes(1),
        };
        await bench.AddAsync(once);
        bench.Time.Now = Noon.AddMinutes(1);
        await bench.Planner.PlanDueAsync(CancellationToken.None);

        StoredSchedule again = new()
        {
            Revision = "again",
            Definition = once,
            RegisteredAt = Noon,
            NextDue = once.At,
        };
        StoredSchedule other = again with { Definition = once with { At = Noon.AddMinutes(2) }, NextDue = Noon.AddMinutes(2) };

        Assert.False((await bench.Store.PutScheduleAsync(again, true, CancellationToken.None)).Kept);
        Assert.True((await bench.Store.PutScheduleAsync(other, true, CancellationToken.None)).Kept);
    }

    private sealed class Bench : IDisposable
    {
        public static readonly LoadDefinition Load = new()
        {
            Kind = LoadKind.BulkIngest,
            Connection = "dsp",
            Path = "/nowhere",
            Shortcode = "0001",
        };

        private readonly TemporaryFolder _folder = new();
        private readonly SqliteDialect _dialect;
        private readonly DispatchSignal _signal = new();
        private readonly SchedulerMeter _meter = new();

        private Bench(DateTimeOffset now, bool isDoubting)
        {
            Time = new FailingTime { Now = now };
            Clock = isDoubting ? new DueClock(Time, NullLogger<DueClock>.Instance) : null;
            _dialect = new SqliteDialect(_folder.Path);
            Store = new SchedulerStore(_dialect, "this", "node");
            Planner = Restarted();
        }

        /// <summary>A planner of a scheduler that starts now.</summary>
        public RunPlanner Restarted()
        {
            TimeProvider time = Clock ?? (TimeProvider)Time;
            return new RunPlanner(
                Store,
                new SavedConnections(),
                _signal,
                _meter,
                new Attendance(time),
                time,
                NullLogger<RunPlanner>.Instance
            );
        }

        public FailingTime Time { get; }

        public SchedulerStore Store { get; }

        public RunPlanner Planner { get; }

        /// <summary>The clock between the planner and the time; null where there is none.</summary>
        public DueClock? Clock { get; }

        public static async Task<Bench> StartAsync(DateTimeOffset now, bool isDoubting = false)
        {
            Bench bench = new(now, isDoubting);
            await StoreSchema.ProvideAsync(bench._dialect, TimeSpan.Zero, CancellationToken.None);
            return bench;
        }

        public static ScheduleDefinition Hourly(MissedRun missed) =>
            new()
            {
                Name = "s",
                Load = Load,
                Cron = "0 * * * *",
                TimeZone = "UTC",
                MissedRun = missed,
            };

        public async Task AddAsync(ScheduleDefinition definition) =>
            Assert.True((await Store.PutScheduleAsync(Create(definition), false, CancellationToken.None)).Kept);

        /// <summary>Adds many schedules in one transaction.</summary>
        public Task<int> AddAllAsync(IEnumerable<ScheduleDefinition> definitions) =>
            Store.WriteAsync(
                async session =>
                {
                    int added = 0;
                    foreach (ScheduleDefinition definition in definitions)
                        added += await session.ExecuteAsync(
                            "INSERT INTO ingest_schedule (name_key, revision, definition, status, registered_at, next_due) "
                                + "VALUES (@key, @revision, @definition, @status, @registered_at, @next_due)",
                            CancellationToken.None,
                            [
                                .. Create(definition)
                                    .Values()
                                    .Where(value =>
                                        value.Item1 is "key" or "revision" or "definition" or "status" or "registered_at" or "next_due"
                                    ),
                            ]
                        );
                    return added;
                },
                CancellationToken.None
            );

        private StoredSchedule Create(ScheduleDefinition definition) =>
            Planner.Rearm(
                new StoredSchedule
                {
                    Revision = definition.Name,
                    Definition = definition,
                    RegisteredAt = Time.Now,
                }
            );

        public Task<StoredSchedule?> ScheduleAsync() => Store.FindScheduleAsync("s", CancellationToken.None);

        public Task<List<StoredRun>> RunsAsync() => Store.ReadRunsAsync(new RunFilter(), 1000, CancellationToken.None);

        public async Task EndAllAsync()
        {
            foreach (StoredRun run in (await RunsAsync()).Where(run => !run.IsTerminal))
            {
                StoredRun taken = (await Store.TakeAsync(run.Number, 4, Time.Now, CancellationToken.None))!;
                Assert.True(
                    await Store.WriteRunAsync(taken with { Status = RunStatus.Succeeded, CompletedAt = Time.Now }, CancellationToken.None)
                );
            }
        }

        public void Dispose()
        {
            _signal.Dispose();
            _meter.Dispose();
            _dialect.Dispose();
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            _folder.Dispose();
        }
    }

    /// <summary>A clock that stands still, and that fails on request as a broken time zone does.</summary>
    private sealed class FailingTime : FakeTimeProvider
    {
        private int _readings;
        private int _failsAt;

        public DateTimeOffset Now
        {
            get => base.GetUtcNow();
            set => AdjustTime(value);
        }

        /// <summary>Which reading from now on fails; none where it is 0.</summary>
        public int FailsAt
        {
            set => (_failsAt, _readings) = (value, 0);
        }

        /// <summary>How far the clock is ahead of the time that has passed.</summary>
        public TimeSpan Ahead { get; set; }

        public void Pass(TimeSpan time) => Advance(time);

        public override long GetTimestamp() => base.GetUtcNow().Ticks;

        public override DateTimeOffset GetUtcNow() =>
            ++_readings == _failsAt ? throw new InvalidTimeZoneException("a test") : base.GetUtcNow() + Ahead;
    }
}
