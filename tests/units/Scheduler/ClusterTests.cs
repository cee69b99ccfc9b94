using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Scheduling;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>Two nodes on one PostgreSQL.</summary>
public sealed class ClusterTests
{
    [PostgresFact]
    public async Task Two_nodes_run_each_time_once_and_see_each_others_schedules()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess one = await NodeAsync(harness, postgres, "one");
        SchedulerProcess two = await NodeAsync(harness, postgres, "two");
        for (int i = 0; i < 6; i++)
        {
            string shortcode = $"03{i:X2}";
            await (i % 2 == 0 ? one : two).RegisterAsync(new ScheduleDefinition { Name = shortcode, Load = harness.DspLoad(shortcode, files: 1), Every = TimeSpan.FromSeconds(2), Overlap = Overlap.Queue });
        }

        await two.UntilAsync(() => two.RunsAsync("?status=Succeeded"), runs => runs.Count >= 12);

        Assert.Equal(6, (await one.SchedulesAsync()).Count);
        List<BulkLoadRun> runs = await one.RunsAsync();
        Assert.Equal(runs.Count, runs.Select(run => (run.Name, run.DueAt)).Distinct().Count());
        foreach (BulkLoadSchedule schedule in await two.SchedulesAsync())
        {
            using HttpResponseMessage deleted = await two.Http.DeleteAsync($"schedules/{schedule.Name}");
        }

        await one.UntilAsync(() => one.StateAsync(), state => state.Running == 0 && state.Active == 0);
        Assert.Equal(0, await postgres.CountAsync("SELECT count(*) FROM ingest_run WHERE ended = 0"));
        Assert.Equal(6L, await postgres.CountAsync("SELECT count(DISTINCT name) FROM ingest_run WHERE status = 'Succeeded'"));
    }

    [PostgresFact]
    public async Task Either_node_killed_at_random_points_no_load_is_submitted_twice_and_the_other_takes_it_over()
    {
        const int rounds = 12;
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options => options.DspIngest.IngestTimePerFile = TimeSpan.FromMilliseconds(200));
        Random random = new(20261123);
        SchedulerProcess[] nodes = [await NodeAsync(harness, postgres, "one"), await NodeAsync(harness, postgres, "two")];
        List<string> ids = [];
        for (int round = 0; round < rounds; round++)
        {
            foreach (SchedulerProcess node in nodes)
            {
                string shortcode = $"40{ids.Count:X2}";
                await node.RegisterAsync(SchedulerHarness.Yearly(shortcode, harness.DspLoad(shortcode)));
                ids.Add((await node.StartRunAsync(shortcode)).Id);
            }

            await Task.Delay(random.Next(0, 500));
            int victim = random.Next(2);
            await nodes[victim].KillAsync();
            nodes[victim] = await NodeAsync(harness, postgres, victim == 0 ? "one" : "two");
        }

        // The last one dies for good: the other ends its work.
        await nodes[0].KillAsync();
        foreach (string id in ids)
        {
            BulkLoadRun run = await nodes[1].EndOfAsync(id);
            DspProject project = harness.Sandbox.DspIngest.Project(run.Name);
            Assert.True(run.Status == RunStatus.Succeeded, $"{run.Id} ended {run.Status}: {run.Message} {string.Join('\n', run.Log!)}");
            Assert.Equal(1, project.Runs);
            Assert.Equal([1, 1], project.Histories.Select(history => history.Value.Ingests));
        }
    }

    [PostgresFact]
    public async Task A_node_that_dies_for_good_leaves_its_running_load_to_the_other_which_follows_it()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options => options.DspIngest.BeforeIngest = _ => gate.Task);
        SchedulerProcess one = await NodeAsync(harness, postgres, "one");
        await one.RegisterAsync(SchedulerHarness.Yearly("left", harness.DspLoad("0041")));
        BulkLoadRun run = await one.UntilAsync((await one.StartRunAsync("left")).Id, run => run.Status == RunStatus.Running);
        SchedulerProcess two = await NodeAsync(harness, postgres, "two");
        SchedulerProcess namesake = Begin(harness, postgres, "one", Path.Join(harness.Folder.Path, "another"));
        Assert.Equal(1, await namesake.EndsAsync());
        Assert.Contains($"node name one lives: process {one.Id}", namesake.Log, StringComparison.Ordinal);
        await one.KillAsync();

        await two.UntilAsync(run.Id, run => run.Node == "two");
        gate.SetResult();

        Assert.Equal(RunStatus.Succeeded, (await two.EndOfAsync(run.Id)).Status);
        Assert.Equal(1, harness.Sandbox.DspIngest.Project("0041").Runs);
    }

    internal static Task<SchedulerProcess> NodeAsync(SchedulerHarness harness, PostgresServer postgres, string name) =>
        Begin(harness, postgres, name, Path.Join(harness.Folder.Path, "node-" + name)).ReadyAsync();

    private static SchedulerProcess Begin(SchedulerHarness harness, PostgresServer postgres, string name, string folder)
    {
        harness.Environment["SCHEDULER_TEST_DB"] = postgres.Connection;
        string[] command = SchedulerProcess.Command(
            "run", "--store", "postgres", "--connection-from", "env:SCHEDULER_TEST_DB", "--folder", folder, "--node", name, "--takeover-after", "3", "--poll-interval", "0.1");
        return harness.Begin(harness.Home, Path.Join(folder, "control.sock"), command);
    }
}
