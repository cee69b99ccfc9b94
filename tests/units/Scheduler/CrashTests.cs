using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>Daemons that are killed.</summary>
[Collection(KillsProcesses.Name)]
[Trait("kind", "process")]
public sealed class CrashTests
{
    [Fact]
    public async Task Killed_at_fifty_random_points_no_load_is_submitted_twice_and_every_run_ends_truthfully()
    {
        const int rounds = 50;
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options =>
            options.DspIngest.IngestTimePerFile = TimeSpan.FromMilliseconds(150)
        );
        Random random = new(20261122);
        List<string> ids = [];
        for (int round = 0; round < rounds; round++)
        {
            SchedulerProcess daemon = await harness.RunAsync();
            string shortcode = $"10{round:X2}";
            await daemon.RegisterAsync(SchedulerHarness.Yearly(shortcode, harness.DspLoad(shortcode)));
            await daemon.RegisterAsync(SchedulerHarness.Yearly("book " + shortcode, harness.VossLoad($"{shortcode}.xlsx")));
            ids.Add((await daemon.StartRunAsync(shortcode)).Id);
            ids.Add((await daemon.StartRunAsync("book " + shortcode)).Id);
            await Task.Delay(random.Next(0, 450));
            await daemon.KillAsync();
        }

        SchedulerProcess last = await harness.RunAsync();
        foreach (string id in ids)
        {
            BulkLoadRun run = await last.EndOfAsync(id);
            if (run.Kind == LoadKind.BulkLoad)
                IsTrueOfVoss(harness, run);
            else
                IsTrueOfDsp(harness, run);
        }
    }

    private static void IsTrueOfDsp(SchedulerHarness harness, BulkLoadRun run)
    {
        DspProject project = harness.Sandbox.DspIngest.Project(run.Name);
        Assert.True(run.Status == RunStatus.Succeeded, $"{run.Id} ended {run.Status}: {run.Message} {string.Join('\n', run.Log!)}");
        Assert.Equal(1, project.Runs);
        Assert.Equal([1, 1], project.Histories.Select(history => history.Value.Ingests));
        Assert.Equal(2, run.Completed);
    }

    /// <summary>One that the server has was followed; of one that it has not, nobody can say more than that it is not known.</summary>
    private static void IsTrueOfVoss(SchedulerHarness harness, BulkLoadRun run)
    {
        int loads = harness.Sandbox.Voss.Transactions.Count(load =>
            load.FileName!.StartsWith(run.Name[5..] + "-", StringComparison.Ordinal)
        );
        Assert.True(
            (run.Status, loads) is (RunStatus.Succeeded, 1) or (RunStatus.Unknown, 0),
            $"{run.Id} ended {run.Status} with {loads} loads: {run.Message} {string.Join('\n', run.Log!)}"
        );
    }

    [Fact]
    public async Task A_run_whose_time_came_while_the_daemon_was_dead_is_run_late_and_says_so()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        DateTimeOffset at = DateTimeOffset.UtcNow.AddSeconds(1);
        await first.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "late",
                Load = harness.DspLoad("0010"),
                At = at,
            }
        );
        await first.KillAsync();
        await first.UntilAsync(() => Task.FromResult(DateTimeOffset.UtcNow), now => now > at);

        SchedulerProcess second = await harness.RunAsync();

        BulkLoadRun run =
            await second.UntilAsync(async () => (await second.RunsAsync()).FirstOrDefault(), run => run?.IsTerminal == true)
            ?? throw new InvalidOperationException();
        Assert.Equal(RunStatus.Succeeded, run.Status);
        Assert.True(run.Late > TimeSpan.Zero);
        Assert.Single(await second.RunsAsync());
    }

    [Fact]
    public async Task Sigterm_ends_it_leaves_the_work_running_and_the_next_start_follows_it()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options =>
            options.DspIngest.BeforeIngest = _ => gate.Task
        );
        SchedulerProcess first = await harness.RunAsync();
        await first.RegisterAsync(SchedulerHarness.Yearly("term", harness.DspLoad("0011")));
        BulkLoadRun run = await first.UntilAsync((await first.StartRunAsync("term")).Id, run => run.Status == RunStatus.Running);

        Assert.Equal(0, await first.TerminateAsync());

        Assert.False(File.Exists(harness.Socket));
        Assert.True(harness.Sandbox.DspIngest.Project("0011").IsLocked);
        SchedulerProcess second = await harness.RunAsync();
        gate.SetResult();
        BulkLoadRun ended = await second.EndOfAsync(run.Id);
        Assert.Equal((RunStatus.Succeeded, 2L), (ended.Status, ended.Completed!.Value));
        Assert.Equal(1, harness.Sandbox.DspIngest.Project("0011").Runs);
        Assert.Contains(ended.Log!, line => line.Message!.StartsWith("Taken up", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_an_earlier_start_ingested_is_not_sent_again_after_a_crash_before_the_answer_was_noted()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options =>
            options.DspIngest.BeforeIngest = _ => gate.Task
        );
        SchedulerProcess first = await harness.RunAsync();
        await first.RegisterAsync(SchedulerHarness.Yearly("lost", harness.DspLoad("0012")));
        harness.Sandbox.Faults.Replace(Fault.Parse("lost=1,POST /projects/*/bulk-ingest"));
        BulkLoadRun run = await first.UntilAsync((await first.StartRunAsync("lost")).Id, run => run.Status == RunStatus.Submitting);
        await harness.Sandbox.WaitUntilAsync(() =>
            harness.Sandbox.DspIngest.Project("0012").IsLocked && harness.Sandbox.DspIngest.Project("0012").Runs == 1
        );
        await first.KillAsync();

        SchedulerProcess second = await harness.RunAsync();
        gate.SetResult();

        BulkLoadRun ended = await second.EndOfAsync(run.Id);
        Assert.Equal(RunStatus.Succeeded, ended.Status);
        Assert.Equal(1, harness.Sandbox.DspIngest.Project("0012").Runs);
        Assert.All(harness.Sandbox.DspIngest.Project("0012").Histories, history => Assert.Equal(1, history.Value.Uploads));
    }
}
