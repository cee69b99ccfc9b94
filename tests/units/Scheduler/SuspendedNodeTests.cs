using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Npgsql;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>Nodes that stand still for longer than the others wait for them, and then go on as if nothing had been.</summary>
[Collection(KillsProcesses.Name)]
[Trait("kind", "process")]
public sealed class SuspendedNodeTests
{
    [PostgresFact]
    public async Task A_node_that_lost_its_runs_while_it_was_suspended_sends_none_of_the_requests_that_it_was_about_to_send()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess one = await ClusterTests.NodeAsync(harness, postgres, "one");
        // Each is to be sent again after a pause: the files of one load, and the starts of the others.
        FaultList faults = harness.Sandbox.Faults;
        string[] requests =
        [
            "POST /projects/0061/bulk-ingest/ingest/*",
            "POST /projects/0060/bulk-ingest",
            "POST /api/tool/BulkLoad/",
            "POST /ica/rest/api/projects/*/dataLinkingBatch",
        ];
        faults.Replace(requests.Select(request => Fault.Parse("503=1,25s," + request)));
        string[] names = ["files", "start", "workbook", "batch"];
        LoadDefinition[] loads =
        [
            harness.DspLoad("0061", files: 1),
            harness.DspLoad("0060"),
            harness.VossLoad("users.xlsx"),
            harness.IcaLoad(10),
        ];
        foreach ((string name, LoadDefinition load) in names.Zip(loads))
            await one.RegisterAsync(SchedulerHarness.Yearly(name, load));
        List<string> ids = [];
        foreach (string name in names)
            ids.Add((await one.StartRunAsync(name)).Id);

        await one.UntilAsync(() => Task.FromResult(one.Log), log => log.Split("is sent again in").Length == requests.Length + 1);
        one.Suspend();
        SchedulerProcess two = await ClusterTests.NodeAsync(harness, postgres, "two");
        foreach (string id in ids)
            await two.UntilAsync(id, run => run.Node == "two");
        List<BulkLoadRun> runs = [];
        foreach (string id in ids)
            runs.Add(await two.EndOfAsync(id));
        one.Resume();
        await one.UntilAsync(
            () => Task.FromResult(one.Log),
            log => ids.TrueForAll(id => log.Contains($"{id} was taken by another node", StringComparison.Ordinal))
        );

        foreach (DspProject project in (DspProject[])[harness.Sandbox.DspIngest.Project("0060"), harness.Sandbox.DspIngest.Project("0061")])
        {
            Assert.Equal(1, project.Runs);
            Assert.All(project.Histories, history => Assert.Equal(1, history.Value.Ingests));
        }

        // One file was refused, and sent once.
        Assert.Equal([1], harness.Sandbox.DspIngest.Project("0061").Histories.Select(history => history.Value.Uploads));
        Assert.Empty(harness.Sandbox.Voss.Transactions);
        Assert.Single(harness.Sandbox.Ica.Batches);
        Assert.Equal([RunStatus.Succeeded, RunStatus.Succeeded, RunStatus.Unknown, RunStatus.Succeeded], runs.Select(run => run.Status));
        Assert.All(runs, run => Assert.Equal("two", run.Node));
    }

    [PostgresFact]
    public async Task A_node_that_nobody_missed_while_it_was_suspended_goes_on_with_its_runs()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess one = await ClusterTests.NodeAsync(harness, postgres, "one");
        harness.Sandbox.Faults.Replace(Fault.Parse("503=1,3s,POST /projects/*/bulk-ingest"));
        await one.RegisterAsync(SchedulerHarness.Yearly("alone", harness.DspLoad("0062")));
        BulkLoadRun run = await one.StartRunAsync("alone");
        await one.UntilAsync(() => Task.FromResult(one.Log), log => log.Contains("is sent again in", StringComparison.Ordinal));
        one.Suspend();
        await one.UntilAsync(
            () => postgres.CountAsync("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) - max(seen) FROM ingest_node"),
            silent => silent > 3500
        );
        one.Resume();

        Assert.Equal(RunStatus.Succeeded, (await one.EndOfAsync(run.Id)).Status);
        Assert.Equal(1, harness.Sandbox.DspIngest.Project("0062").Runs);
    }

    [PostgresFact]
    public async Task What_holds_a_run_and_what_takes_runs_over_see_each_other()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using PostgresDialect dialect = await postgres.OpenStoreAsync();
        SchedulerStore one = new(dialect, "claim of one", "one");
        SchedulerStore two = new(dialect, "claim of two", "two");
        TimeSpan dead = TimeSpan.FromMinutes(1);
        Assert.True(await one.BeatAsync("here", dead, CancellationToken.None));
        StoredRun planned = new()
        {
            Name = "s",
            DueKey = "k",
            Load = new LoadDefinition { Kind = LoadKind.Import, Connection = "lake" },
            Host = "h",
        };
        long number = (
            await one.WriteAsync(session => SchedulerStore.AddRunAsync(session, planned, CancellationToken.None), CancellationToken.None)
        )!.Value;
        Assert.NotNull(await one.TakeAsync(number, 4, DateTimeOffset.UtcNow, CancellationToken.None));

        // One who is late, and asks before another comes, has it for the whole time.
        await Age(one);
        Assert.True(await one.HoldRunAsync(number, CancellationToken.None));
        Assert.Empty(await two.TakeOverAsync(dead, [], CancellationToken.None));
        // Who asks after another came has lost it.
        await Age(one);
        Assert.Empty(await two.TakeOverAsync(dead, [number], CancellationToken.None));
        Assert.Single(await two.TakeOverAsync(dead, [], CancellationToken.None));
        Assert.False(await one.HoldRunAsync(number, CancellationToken.None));
        // A name that another has is no proof of life: what this one has can be taken at any time.
        Assert.False(await two.HoldRunAsync(number, CancellationToken.None));

        static Task<int> Age(SchedulerStore store) =>
            store.WriteAsync(
                session => session.ExecuteAsync("UPDATE ingest_node SET seen = seen - 100000", CancellationToken.None),
                CancellationToken.None
            );
    }

    [PostgresFact]
    public async Task A_node_suspended_within_a_transaction_holds_up_the_others_for_some_seconds_only()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using PostgresDialect dialect = await postgres.OpenStoreAsync();
        SchedulerStore one = new(dialect, "claim of one", "one");
        SchedulerStore two = new(dialect, "claim of two", "two");
        TaskCompletionSource isIn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource goesOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<int> standing = one.WriteAsync(
            async session =>
            {
                await dialect.LockAsync(session, StoreLockName.Claim, CancellationToken.None);
                isIn.SetResult();
                await goesOn.Task;
                return await session.ExecuteAsync("UPDATE ingest_run SET ended = ended", CancellationToken.None);
            },
            CancellationToken.None
        );
        await isIn.Task;

        Assert.Empty(await two.TakeOverAsync(TimeSpan.FromMinutes(1), [], CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30)));

        goesOn.SetResult();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => standing);
    }
}
