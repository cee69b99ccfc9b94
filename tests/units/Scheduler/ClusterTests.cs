using IngestTools.Sandbox;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>Two nodes on one PostgreSQL.</summary>
[Collection(KillsProcesses.Name)]
[Trait("kind", "process")]
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
            await (i % 2 == 0 ? one : two).RegisterAsync(
                new ScheduleDefinition
                {
                    Name = shortcode,
                    Load = harness.DspLoad(shortcode, files: 1),
                    Every = TimeSpan.FromSeconds(2),
                    Overlap = Overlap.Queue,
                }
            );
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
    public async Task Either_node_killed_at_random_points_no_load_of_any_kind_is_submitted_twice_and_the_other_takes_it_over()
    {
        const int rounds = 12;
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options =>
        {
            options.DspIngest.IngestTimePerFile = TimeSpan.FromMilliseconds(200);
            options.Ica.QueueTime = options.Voss.QueueTime = options.LakeFs.WriteTime = TimeSpan.FromMilliseconds(300);
        });
        Random random = new(20261123);
        SchedulerProcess[] nodes = [await NodeAsync(harness, postgres, "one"), await NodeAsync(harness, postgres, "two")];
        Dictionary<string, string> ids = [];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < nodes.Length; i++)
            {
                // Each node begins with another kind, and has had all four after four rounds.
                string name = $"40{ids.Count:X2}";
                await nodes[i].RegisterAsync(SchedulerHarness.Yearly(name, MixedLoad(harness, name, (round + 2 * i) % 4)));
                ids.Add(name, (await nodes[i].StartRunAsync(name)).Id);
            }

            await Task.Delay(random.Next(0, 500));
            int victim = random.Next(2);
            await nodes[victim].KillAsync();
            nodes[victim] = await NodeAsync(harness, postgres, victim == 0 ? "one" : "two");
        }

        // The last one dies for good: the other ends its work.
        await nodes[0].KillAsync();
        foreach ((string name, string id) in ids)
            AssertTruth(harness, name, await nodes[1].EndOfAsync(id));
    }

    private static LoadDefinition MixedLoad(SchedulerHarness harness, string name, int kind) =>
        kind switch
        {
            0 => harness.DspLoad(name),
            1 => harness.VossLoad(name + ".xlsx"),
            2 => harness.LakeLoad(name),
            _ => harness.IcaLoad(10, ProjectOf(name)),
        };

    private static string ProjectOf(string name) => $"8e7d9d4c-0b9a-4b8e-9d57-5b7f0b1f{name}";

    /// <summary>The sandbox counted one load, or none where it cannot be known.</summary>
    private static void AssertTruth(SchedulerHarness harness, string name, BulkLoadRun run)
    {
        SandboxServer sandbox = harness.Sandbox;
        int count = run.Kind switch
        {
            LoadKind.BulkIngest => sandbox.DspIngest.Project(name).Runs,
            LoadKind.BulkLoad => sandbox.Voss.Transactions.Count(load => load.FileName!.StartsWith(name + "-", StringComparison.Ordinal)),
            LoadKind.Import => sandbox.LakeFs.Repository(name).Imports.Count,
            _ => sandbox.Ica.Project(ProjectOf(name)).Batches.Count,
        };
        bool mayBeUnknown = run.Kind is LoadKind.BulkLoad or LoadKind.Import;
        Assert.True(
            (run.Status, count) == (RunStatus.Succeeded, 1) || (mayBeUnknown && (run.Status, count) == (RunStatus.Unknown, 0)),
            $"{run.Kind} {run.Id} ended {run.Status} with {count} loads: {run.Message} "
                + $"{string.Join('\n', run.Log!.Select(line => line.Message))}"
        );
        if (run.Kind == LoadKind.BulkIngest)
            Assert.Equal([1, 1], sandbox.DspIngest.Project(name).Histories.Select(history => history.Value.Ingests));
    }

    [PostgresFact]
    public async Task A_node_that_dies_for_good_leaves_its_running_load_to_the_other_which_follows_it()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options =>
            options.DspIngest.BeforeIngest = _ => gate.Task
        );
        SchedulerProcess one = await NodeAsync(harness, postgres, "one");
        await one.RegisterAsync(SchedulerHarness.Yearly("left", harness.DspLoad("0041")));
        BulkLoadRun run = await one.UntilAsync((await one.StartRunAsync("left")).Id, run => run.Status == RunStatus.Running);
        SchedulerProcess two = await NodeAsync(harness, postgres, "two");
        SchedulerProcess namesake = Begin(harness, postgres.Connection, "one", Path.Join(harness.Folder.Path, "another"));
        Assert.Equal(1, await namesake.EndsAsync());
        Assert.Contains($"node name one lives: process {one.Id}", namesake.Log, StringComparison.Ordinal);
        await one.KillAsync();

        await two.UntilAsync(run.Id, run => run.Node == "two");
        gate.SetResult();

        Assert.Equal(RunStatus.Succeeded, (await two.EndOfAsync(run.Id)).Status);
        Assert.Equal(1, harness.Sandbox.DspIngest.Project("0041").Runs);
    }

    [PostgresFact]
    public async Task A_node_that_is_cut_off_from_the_database_leaves_its_work_to_the_other_and_comes_back()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options =>
            options.DspIngest.BeforeIngest = project => project == "0044" ? gate.Task : Task.CompletedTask
        );
        await postgres.ExecuteAsync("CREATE ROLE cut LOGIN SUPERUSER");
        SchedulerProcess one = await NodeAsync(harness, postgres, "one", "cut");
        SchedulerProcess two = await NodeAsync(harness, postgres, "two");
        await one.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "often",
                Load = harness.DspLoad("0045", files: 1),
                Every = TimeSpan.FromSeconds(1),
                Overlap = Overlap.Queue,
            }
        );
        await one.RegisterAsync(SchedulerHarness.Yearly("left", harness.DspLoad("0044")));
        // Either node takes it; the one that is cut off does.
        BulkLoadRun run;
        int tries = 0;
        do
        {
            run = await one.UntilAsync((await one.StartRunAsync("left")).Id, run => run.Status == RunStatus.Running);
            if (run.Node == "one")
                break;
            Assert.True(++tries < 50, "node one never takes a run.");
            gate.SetResult();
            await two.EndOfAsync(run.Id);
            gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        } while (true);

        await postgres.ExecuteAsync("ALTER ROLE cut NOLOGIN");
        await postgres.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'cut'");
        await two.UntilAsync(run.Id, run => run.Node == "two");
        int before = harness.Sandbox.DspIngest.Project("0044").Runs;
        gate.SetResult();
        Assert.Equal(RunStatus.Succeeded, (await two.EndOfAsync(run.Id)).Status);
        int during = (await two.RunsAsync("?name=often&status=Succeeded")).Count;
        await two.UntilAsync(() => two.RunsAsync("?name=often&status=Succeeded"), runs => runs.Count >= during + 2);

        await postgres.ExecuteAsync("ALTER ROLE cut LOGIN");
        await one.UntilAsync(one.StateAsync, state => state.Trouble is null && state.Node == "one");
        Assert.False(one.HasExited, one.Log);
        Assert.Contains("cannot be read or written", one.Log, StringComparison.Ordinal);
        Assert.Equal(before, harness.Sandbox.DspIngest.Project("0044").Runs);
        List<BulkLoadRun> runs = await one.RunsAsync("?name=often");
        Assert.Equal(runs.Count, runs.Select(run => run.DueAt).Distinct().Count());
    }

    internal static Task<SchedulerProcess> NodeAsync(
        SchedulerHarness harness,
        PostgresServer postgres,
        string name,
        string role = PostgresServer.Role
    )
    {
        string connection = postgres.Connection.Replace($"Username={PostgresServer.Role}", $"Username={role}", StringComparison.Ordinal);
        return Begin(harness, connection, name, Path.Join(harness.Folder.Path, "node-" + name)).ReadyAsync();
    }

    internal static SchedulerProcess Begin(SchedulerHarness harness, PostgresServer postgres, string name) =>
        Begin(harness, postgres.Connection, name, Path.Join(harness.Folder.Path, "node-" + name));

    private static SchedulerProcess Begin(SchedulerHarness harness, string connection, string name, string folder)
    {
        harness.Environment["SCHEDULER_TEST_DB"] = connection;
        string[] command = SchedulerProcess.Command(
            "run",
            "--store",
            "postgres",
            "--connection-from",
            "env:SCHEDULER_TEST_DB",
            "--folder",
            folder,
            "--node",
            name,
            "--takeover-after",
            "3",
            "--poll-interval",
            "0.1"
        );
        return harness.Begin(harness.Home, Path.Join(folder, "control.sock"), command);
    }
}
