using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class SchedulerRunTests
{
    [Fact]
    public async Task A_load_runs_at_its_time_and_ends_with_its_mapping_saved()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        string mapping = Path.Join(harness.Folder.Path, "mapping.csv");
        DateTimeOffset at = DateTimeOffset.UtcNow.AddSeconds(1.5);
        BulkLoadSchedule schedule = await daemon.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "once",
                Load = harness.DspLoad("0001") with { MappingPath = mapping },
                At = at,
                TimeZone = "Europe/Zurich",
            }
        );
        Assert.Equal(at.ToUnixTimeMilliseconds(), Assert.Single(schedule.NextRuns).ToUnixTimeMilliseconds());

        BulkLoadRun run =
            await daemon.UntilAsync(async () => (await daemon.RunsAsync()).FirstOrDefault(), run => run?.IsTerminal == true)
            ?? throw new InvalidOperationException();

        Assert.Equal(RunStatus.Succeeded, run.Status);
        Assert.Equal("dsp:0001", Assert.Single(run.TransactionIds));
        Assert.Equal((2, 2, "files"), (run.Completed, run.Total, run.Unit));
        Assert.True(run.StartedAt >= at.AddMilliseconds(-50), $"{run.StartedAt:O} is before {at:O}");
        Assert.Equal(2, File.ReadAllLines(mapping).Length - 1);
        Assert.Equal(ScheduleStatus.Ended, Assert.Single(await daemon.SchedulesAsync()).Status);
        Assert.Equal(1, harness.Sandbox.DspIngest.Project("0001").Runs);
        Assert.Contains((await daemon.RunAsync(run.Id)).Log!, line => line.Message!.Contains("dsp:0001", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_repeated_load_runs_at_each_of_its_times_once()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "each second",
                Load = harness.DspLoad("0002"),
                Cron = "* * * * * ?",
                TimeZone = "UTC",
                Overlap = Overlap.Queue,
            }
        );

        List<BulkLoadRun> runs = await daemon.UntilAsync(() => daemon.RunsAsync("?status=Succeeded"), runs => runs.Count >= 3);

        List<BulkLoadRun> all = await daemon.RunsAsync();
        Assert.Equal(all.Count, all.Select(run => run.DueAt).Distinct().Count());
        Assert.All(runs, run => Assert.Equal(0, run.DueAt.Millisecond));
    }

    [Fact]
    public async Task A_failed_file_makes_a_run_partly_succeeded_and_its_log_names_it()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options =>
            options.DspIngest.IngestFails = DspIngestOptions.FilesLike("file 1.txt")
        );
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("partly", harness.DspLoad("0003", files: 3)));

        BulkLoadRun run = await daemon.EndOfAsync((await daemon.StartRunAsync("partly")).Id);

        Assert.Equal(RunStatus.PartlySucceeded, run.Status);
        Assert.Equal((2, 3), (run.Completed, run.Total));
        Assert.Contains(run.Log!, line => line.Message!.Contains("file 1.txt", StringComparison.Ordinal));
        Assert.Equal(1, (await daemon.StateAsync()).TroubledLastDay);
        Assert.Equal(1, (await harness.CommandAsync("status")).Code);
    }

    [Fact]
    public async Task A_lost_answer_to_the_start_is_looked_into_and_not_followed_by_a_second_start()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("lost", harness.DspLoad("0004")));
        harness.Sandbox.Faults.Replace(Fault.Parse("lost=1,POST /projects/*/bulk-ingest"));

        BulkLoadRun run = await daemon.EndOfAsync((await daemon.StartRunAsync("lost")).Id);

        Assert.Equal(RunStatus.Succeeded, run.Status);
        Assert.Equal(1, harness.Sandbox.DspIngest.Project("0004").Runs);
    }

    [Fact]
    public async Task At_most_four_loads_go_to_one_host_at_a_time_and_all_have_their_turn()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options =>
            options.DspIngest.BeforeIngest = _ => gate.Task
        );
        SchedulerProcess daemon = await harness.RunAsync();
        List<string> ids = [];
        for (int i = 0; i < 6; i++)
        {
            string shortcode = $"01{i:X2}";
            await daemon.RegisterAsync(SchedulerHarness.Yearly(shortcode, harness.DspLoad(shortcode, files: 1)));
            ids.Add((await daemon.StartRunAsync(shortcode)).Id);
        }

        List<BulkLoadRun> runs = await daemon.UntilAsync(
            () => daemon.RunsAsync(),
            runs => runs.Count(run => run.Status == RunStatus.Running) == 4
        );
        Assert.Equal(2, runs.Count(run => run is { Status: RunStatus.Planned, StartedAt: null }));
        gate.SetResult();
        foreach (string id in ids)
            Assert.Equal(RunStatus.Succeeded, (await daemon.EndOfAsync(id)).Status);
    }

    [Fact]
    public async Task A_run_that_waits_or_uploads_is_canceled_and_one_that_cannot_be_stopped_says_so()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options =>
            options.DspIngest.BeforeIngest = _ => gate.Task
        );
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("stop", harness.DspLoad("0005")) with { Overlap = Overlap.Queue });
        BulkLoadRun running = await daemon.UntilAsync((await daemon.StartRunAsync("stop")).Id, run => run.Status == RunStatus.Running);
        BulkLoadRun waiting = await daemon.StartRunAsync("stop");

        using HttpResponseMessage refused = await daemon.Http.PostAsync($"runs/{running.Id[4..]}/stop", null);
        using HttpResponseMessage stopped = await daemon.Http.PostAsync($"runs/{waiting.Id[4..]}/stop", null);

        Assert.Equal(409, (int)refused.StatusCode);
        Assert.Contains("CannotCancel", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(RunStatus.Canceled, (await daemon.RunAsync(waiting.Id)).Status);
        gate.SetResult();
        Assert.Equal(RunStatus.Succeeded, (await daemon.EndOfAsync(running.Id)).Status);

        // The files of the first run are ingested and would be skipped: only a new one is uploaded.
        harness.Folder.Write("0005/new.txt", 99);
        harness.Sandbox.Faults.Replace(Fault.Parse("stall=POST /projects/*/bulk-ingest/ingest/*"));
        BulkLoadRun uploading = await daemon.UntilAsync((await daemon.StartRunAsync("stop")).Id, run => run.Status == RunStatus.Uploading);
        using HttpResponseMessage third = await daemon.Http.PostAsync($"runs/{uploading.Id[4..]}/stop", null);
        Assert.Equal(RunStatus.Canceled, (await daemon.EndOfAsync(uploading.Id)).Status);
    }

    [Fact]
    public async Task Suspended_schedules_run_nothing_and_go_on_when_resumed()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "pause",
                Load = harness.DspLoad("0006", files: 1),
                Every = TimeSpan.FromSeconds(1),
            }
        );
        using (
            HttpResponseMessage suspended = await daemon.Http.PostAsync(
                "schedules/pause/suspend",
                new StringContent("""{"reason":"the server is moved","by":"ann"}""")
            )
        )
            Assert.True(suspended.IsSuccessStatusCode, await suspended.Content.ReadAsStringAsync());

        BulkLoadSchedule schedule = Assert.Single(await daemon.SchedulesAsync("?name=PA*"));

        Assert.Equal((ScheduleStatus.Suspended, "the server is moved (ann)"), (schedule.Status, schedule.Reason));
        Assert.Empty(schedule.NextRuns);
        int before = (await daemon.RunsAsync()).Count;
        // The trigger of another schedule shows that time has passed.
        await daemon.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "clock",
                Load = harness.DspLoad("0007", files: 1),
                Every = TimeSpan.FromSeconds(1),
            }
        );
        await daemon.UntilAsync(() => daemon.RunsAsync("?name=clock"), runs => runs.Count >= 2);
        Assert.Equal(before, (await daemon.RunsAsync("?name=pause")).Count);
        using HttpResponseMessage resumed = await daemon.Http.PostAsync("schedules/pause/resume", null);
        await daemon.UntilAsync(() => daemon.RunsAsync("?name=pause"), runs => runs.Count > before);
    }

    [Theory]
    [InlineData("dsp", "503=6,POST /projects/**")]
    [InlineData("dsp-login", "503=6,POST /v2/authentication")]
    public async Task An_outage_before_the_start_is_sat_out_and_nothing_is_started_twice(string connection, string outage)
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("outage", harness.DspLoad("0008", connection: connection)));
        harness.Sandbox.Faults.Replace(Fault.Parse(outage));

        BulkLoadRun run = await daemon.EndOfAsync((await daemon.StartRunAsync("outage")).Id);

        Assert.Equal(RunStatus.Succeeded, run.Status);
        Assert.Equal(1, harness.Sandbox.DspIngest.Project("0008").Runs);
    }
}
