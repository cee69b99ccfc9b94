using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <content>Runs that repeat a failed one.</content>
public sealed partial class PlannerTests
{
    private static readonly ScheduleDefinition Retried = Bench.Hourly(MissedRun.RunOnce) with
    {
        RetryFailed = 2,
        RetryAfter = TimeSpan.FromMinutes(10),
    };

    [Fact]
    public async Task A_run_that_failed_before_anything_was_submitted_is_repeated_up_to_the_count()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Retried);
        StoredRun first = await PlanAndTakeAsync(bench, Noon.AddHours(1));

        StoredRun second = (await EndAsync(bench, first, RunStatus.Failed))!;
        Assert.Empty(await bench.Store.ReadWaitingAsync(4, 10, bench.Time.Now, CancellationToken.None));
        Assert.Null(await bench.Store.TakeAsync(second.Number, 4, bench.Time.Now, CancellationToken.None));
        bench.Time.Now = second.DueAt;
        Assert.Equal(
            second.Number,
            Assert.Single(await bench.Store.ReadWaitingAsync(4, 10, bench.Time.Now, CancellationToken.None)).Number
        );
        StoredRun third = (await EndAsync(bench, await TakeAsync(bench, second), RunStatus.Failed))!;
        bench.Time.Now = third.DueAt;
        StoredRun? fourth = await EndAsync(bench, await TakeAsync(bench, third), RunStatus.Failed);

        Assert.Equal((2, first.Number, Noon.AddMinutes(70)), (second.Attempt, second.RetryOf!.Value, second.DueAt));
        Assert.Equal((3, first.Number, Noon.AddMinutes(80)), (third.Attempt, third.RetryOf!.Value, third.DueAt));
        Assert.Null(fourth);
        BulkLoadRun told = (await bench.Store.FindRunAsync(third.Number, CancellationToken.None))!.Describe();
        Assert.Equal((3, first.Id), (told.Attempt, told.RetryOf));
    }

    [Theory]
    [InlineData(RunStatus.Unknown, false)]
    [InlineData(RunStatus.Succeeded, false)]
    [InlineData(RunStatus.PartlySucceeded, false)]
    [InlineData(RunStatus.Canceled, false)]
    [InlineData(RunStatus.Failed, true)]
    public async Task A_run_that_was_submitted_or_did_not_fail_is_never_repeated(RunStatus status, bool isSubmitted)
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Retried);
        StoredRun run = await PlanAndTakeAsync(bench, Noon.AddHours(1));

        StoredRun? retry = await EndAsync(bench, isSubmitted ? run with { TransactionIds = ["dsp:0001"] } : run, status);

        Assert.Null(retry);
        Assert.Single(await bench.RunsAsync());
    }

    [Fact]
    public async Task The_next_time_or_a_start_by_hand_takes_the_place_of_a_repetition()
    {
        foreach (bool isByHand in new[] { false, true })
        {
            using Bench bench = await Bench.StartAsync(Noon);
            await bench.AddAsync(Retried with { RetryAfter = TimeSpan.FromHours(5) });
            StoredRun retry = (await EndAsync(bench, await PlanAndTakeAsync(bench, Noon.AddHours(1)), RunStatus.Failed))!;

            StoredRun next = isByHand
                ? await bench.Planner.PlanNowAsync((await bench.ScheduleAsync())!, again: true, CancellationToken.None)
                : await PlanAsync(bench, Noon.AddHours(2));

            Assert.Equal((RunStatus.Planned, isByHand), (next.Status, next.Load.Again));
            StoredRun ended = (await bench.Store.FindRunAsync(retry.Number, CancellationToken.None))!;
            Assert.Equal((RunStatus.Canceled, $"{next.Id} takes its place."), (ended.Status, ended.Message));
        }
    }

    [Fact]
    public async Task What_takes_the_place_of_a_repetition_sends_again_where_that_would_have()
    {
        foreach (bool isByHand in new[] { false, true })
        {
            using Bench bench = await Bench.StartAsync(Noon);
            await bench.AddAsync(Retried with { RetryAfter = TimeSpan.FromHours(5) });
            StoredRun again = await bench.Planner.PlanNowAsync((await bench.ScheduleAsync())!, again: true, CancellationToken.None);
            StoredRun retry = (await EndAsync(bench, await TakeAsync(bench, again), RunStatus.Failed))!;
            Assert.True(retry.Load.Again);

            StoredRun next = isByHand
                ? await bench.Planner.PlanNowAsync((await bench.ScheduleAsync())!, again: false, CancellationToken.None)
                : await PlanAsync(bench, Noon.AddHours(2));

            Assert.True((await bench.Store.FindRunAsync(next.Number, CancellationToken.None))!.Load.Again);
            Assert.True(next.Load.Again);
        }
    }

    [Fact]
    public async Task The_end_of_a_run_is_written_once_though_the_answer_to_the_first_time_was_lost()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Retried);
        StoredRun run = await PlanAndTakeAsync(bench, Noon.AddHours(1));

        StoredRun first = (await EndAsync(bench, run, RunStatus.Failed))!;
        StoredRun second = (await EndAsync(bench, run, RunStatus.Failed))!;

        Assert.Equal((first.Number, first.DueAt), (second.Number, second.DueAt));
        Assert.Equal(2, (await bench.RunsAsync()).Count);
    }

    [Fact]
    public async Task A_repetition_goes_to_the_host_of_its_connection_as_that_is_now()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Retried);
        StoredRun run = await PlanAndTakeAsync(bench, Noon.AddHours(1));
        Assert.NotEqual("host", run.Host);

        Assert.Equal("host", (await EndAsync(bench, run, RunStatus.Failed))!.Host);
    }

    [Fact]
    public async Task A_repetition_that_was_planned_by_a_clock_that_was_ahead_waits_no_longer_than_its_schedule_says()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Retried);
        StoredRun run = await PlanAndTakeAsync(bench, Noon.AddHours(1));
        bench.Time.Now = Noon.AddDays(300);
        StoredRun retry = (await EndAsync(bench, run, RunStatus.Failed))!;

        bench.Time.Now = Noon.AddHours(1);
        await bench.Store.LimitRetriesAsync(bench.Time.Now, CancellationToken.None);

        StoredRun limited = (await bench.Store.FindRunAsync(retry.Number, CancellationToken.None))!;
        DateTimeOffset expected = Noon.AddMinutes(70);
        Assert.Equal((expected, expected), (limited.NotBefore, limited.DueAt));
    }

    [Fact]
    public async Task A_failed_run_counts_as_trouble_until_a_repetition_of_it_succeeds()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Retried);
        StoredRun first = await PlanAndTakeAsync(bench, Noon.AddHours(1));
        StoredRun second = (await EndAsync(bench, first, RunStatus.Failed))!;
        Assert.Equal(1, await TroubledAsync());
        bench.Time.Now = second.DueAt;
        StoredRun third = (await EndAsync(bench, await TakeAsync(bench, second), RunStatus.Failed))!;
        Assert.Equal(2, await TroubledAsync());
        bench.Time.Now = third.DueAt;

        Assert.Null(await EndAsync(bench, await TakeAsync(bench, third), RunStatus.Succeeded));

        Assert.Equal(0, await TroubledAsync());

        async Task<int> TroubledAsync() => (await bench.Store.CountAsync(Noon, CancellationToken.None)).Troubled;
    }

    [Fact]
    public async Task A_repetition_that_has_begun_is_a_run_that_others_overlap_with()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Retried);
        StoredRun retry = (await EndAsync(bench, await PlanAndTakeAsync(bench, Noon.AddHours(1)), RunStatus.Failed))!;
        bench.Time.Now = retry.DueAt;
        retry = await TakeAsync(bench, retry);

        StoredRun next = await PlanAsync(bench, Noon.AddHours(2));

        Assert.Equal(RunStatus.Missed, next.Status);
        Assert.False((await bench.Store.FindRunAsync(retry.Number, CancellationToken.None))!.IsTerminal);
    }

    [Fact]
    public async Task A_repetition_ends_with_its_schedule()
    {
        (string Name, Func<Bench, StoredSchedule, Task> End)[] cases =
        [
            (
                "was suspended",
                async (bench, schedule) =>
                    Assert.True(
                        await bench.Store.SuspendScheduleAsync(
                            schedule,
                            schedule with
                            {
                                Status = ScheduleStatus.Suspended,
                            },
                            bench.Time.Now,
                            CancellationToken.None
                        )
                    )
            ),
            (
                "was unregistered",
                async (bench, _) => Assert.NotNull(await bench.Store.DeleteScheduleAsync("s", bench.Time.Now, CancellationToken.None))
            ),
            (
                "was registered again",
                async (bench, schedule) =>
                    Assert.True(
                        (await bench.Store.PutScheduleAsync(schedule with { Revision = "r2" }, replace: true, CancellationToken.None)).Kept
                    )
            ),
            (
                "repeats it no more",
                async (bench, schedule) =>
                    Assert.True(
                        await bench.Store.ChangeDefinitionAsync(
                            schedule,
                            schedule with
                            {
                                Definition = Bench.Hourly(MissedRun.RunOnce),
                            },
                            "host",
                            bench.Time.Now,
                            CancellationToken.None
                        )
                    )
            ),
        ];
        foreach ((string name, Func<Bench, StoredSchedule, Task> end) in cases)
        {
            using Bench bench = await Bench.StartAsync(Noon);
            await bench.AddAsync(Retried);
            StoredRun retry = (await EndAsync(bench, await PlanAndTakeAsync(bench, Noon.AddHours(1)), RunStatus.Failed))!;

            await end(bench, (await bench.ScheduleAsync())!);

            StoredRun ended = (await bench.Store.FindRunAsync(retry.Number, CancellationToken.None))!;
            Assert.Equal(RunStatus.Canceled, ended.Status);
            Assert.Contains(name, ended.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_run_of_a_schedule_that_is_suspended_or_another_one_by_its_end_is_not_repeated()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Retried);
        StoredSchedule schedule = (await bench.ScheduleAsync())!;
        StoredRun failed = await PlanAndTakeAsync(bench, Noon.AddHours(1)) with { Status = RunStatus.Failed };

        Assert.NotNull(failed.CreateRetry(schedule, Noon, _ => "host"));
        Assert.Null(failed.CreateRetry(schedule with { Status = ScheduleStatus.Suspended }, Noon, _ => "host"));
        Assert.Null(failed.CreateRetry(schedule with { Revision = "r2" }, Noon, _ => "host"));
        Assert.Null(failed.CreateRetry(schedule with { Definition = Bench.Hourly(MissedRun.RunOnce) }, Noon, _ => "host"));
        Assert.Null(failed.CreateRetry(null, Noon, _ => "host"));
    }

    [Fact]
    public async Task A_repetition_that_waits_loads_what_its_schedule_loads_now()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Retried);
        StoredRun retry = (await EndAsync(bench, await PlanAndTakeAsync(bench, Noon.AddHours(1)), RunStatus.Failed))!;
        StoredSchedule schedule = (await bench.ScheduleAsync())!;

        Assert.True(
            await bench.Store.ChangeDefinitionAsync(
                schedule,
                schedule with
                {
                    Definition = Retried with { Load = Bench.Load with { Exclude = ["*.db"] } },
                },
                "host",
                bench.Time.Now,
                CancellationToken.None
            )
        );

        retry = (await bench.Store.FindRunAsync(retry.Number, CancellationToken.None))!;
        Assert.Equal((RunStatus.Planned, "*.db", "host"), (retry.Status, Assert.Single(retry.Load.Exclude!), retry.Host));
        Assert.False(
            await bench.Store.ChangeScheduleAsync(schedule, schedule with { NextDue = null }, CancellationToken.None),
            "Who read it before the change does not write over it."
        );
    }

    [Fact]
    public async Task A_store_of_the_first_version_gets_what_later_versions_added()
    {
        using Bench bench = await Bench.StartAsync(Noon);
        await bench.AddAsync(Bench.Hourly(MissedRun.RunOnce));
        StoredRun before = await PlanAsync(bench, Noon.AddHours(1));
        foreach (
            string column in (string[])["ingest_run.attempt", "ingest_run.retry_of", "ingest_run.not_before", "ingest_schedule.changed"]
        )
            await bench.Store.WriteAsync(
                session => session.ExecuteAsync($"ALTER TABLE {column.Replace(".", " DROP COLUMN ", StringComparison.Ordinal)}", default),
                CancellationToken.None
            );
        Assert.Equal(1, (await bench.Store.FindRunAsync(before.Number, CancellationToken.None))!.Attempt);

        await StoreSchema.ProvideAsync(bench.Store.Dialect, TimeSpan.Zero, CancellationToken.None);
        await StoreSchema.ProvideAsync(bench.Store.Dialect, TimeSpan.Zero, CancellationToken.None);

        StoredRun after = await TakeAsync(bench, before);
        Assert.Equal((before.DueKey, 1, null), (after.DueKey, after.Attempt, after.NotBefore));
        Assert.Equal(0, (await bench.ScheduleAsync())!.Changed);
        Assert.Equal(RunStatus.Missed, (await PlanAsync(bench, Noon.AddHours(2))).Status);
    }

    /// <summary>Plans what is due at a time; the newest run.</summary>
    private static async Task<StoredRun> PlanAsync(Bench bench, DateTimeOffset at)
    {
        bench.Time.Now = at;
        await bench.Planner.PlanDueAsync(CancellationToken.None);
        return (await bench.RunsAsync())[0];
    }

    private static async Task<StoredRun> PlanAndTakeAsync(Bench bench, DateTimeOffset at) =>
        await TakeAsync(bench, await PlanAsync(bench, at));

    private static async Task<StoredRun> TakeAsync(Bench bench, StoredRun run) =>
        (await bench.Store.TakeAsync(run.Number, 4, bench.Time.Now, CancellationToken.None))!;

    private static async Task<StoredRun?> EndAsync(Bench bench, StoredRun run, RunStatus status)
    {
        (bool written, StoredRun? retry) = await bench.Store.EndRunAsync(
            run with
            {
                Status = status,
                CompletedAt = bench.Time.Now,
            },
            bench.Time.Now,
            _ => "host",
            CancellationToken.None
        );
        Assert.True(written);
        return retry;
    }
}
