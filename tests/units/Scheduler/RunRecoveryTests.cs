using IngestTools.Connections;
using IngestTools.Sandbox.Faults;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Npgsql;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>
/// Runs that meet what is seldom: a store that cannot be written, a connection that is gone, a service that does not answer a stop.
/// </summary>
[Collection(KillsProcesses.Name)]
[Trait("kind", "process")]
public sealed class RunRecoveryTests
{
    [Fact]
    public async Task What_may_have_been_submitted_is_unknown_and_not_failed_where_nobody_can_look_any_longer()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        List<string> ids = await KillPointTests.KillAtAsync(
            harness,
            first,
            KillPointTests.Point.AfterTheAnswerIsNoted,
            [harness.VossLoad("a.xlsx"), harness.DspLoad("0070")],
            "[]"
        );
        harness.Save(
            new ConnectionProfile
            {
                Name = "voss",
                Service = IngestService.Voss,
                Uri = harness.Sandbox.Uri,
                SignIn = SignInKind.Password,
                UserName = SchedulerHarness.VossUser,
            },
            new ConnectionProfile
            {
                Name = "dsp",
                Service = IngestService.DspIngest,
                Uri = harness.Sandbox.Uri,
                SignIn = SignInKind.Token,
            }
        );
        await new HeldStore(harness.Store).ExecuteAsync(
            $"UPDATE ingest_run SET status = 'Submitting', transaction_ids = '[]' WHERE id = {ids[0][4..]}"
        );

        SchedulerProcess second = await harness.RunAsync();

        BulkLoadRun workbook = await second.EndOfAsync(ids[0]);
        BulkLoadRun files = await second.EndOfAsync(ids[1]);
        Assert.True(
            (workbook.Status, files.Status) == (RunStatus.Unknown, RunStatus.Unknown),
            KillPointTests.Told(workbook) + KillPointTests.Told(files)
        );
        Assert.Contains(workbook.RemoteName!, workbook.Message, StringComparison.Ordinal);
        Assert.Contains("Get-Transaction dsp:0070", files.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_was_submitted_and_fails_in_an_unthought_of_way_is_unknown_and_names_its_transaction()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        List<string> ids = await KillPointTests.KillAtAsync(
            harness,
            first,
            KillPointTests.Point.AfterTheAnswerIsNoted,
            [harness.DspLoad("0071")],
            "[]"
        );
        await new HeldStore(harness.Store).ExecuteAsync("UPDATE ingest_run SET marker = '{ half of it'");

        BulkLoadRun run = await (await harness.RunAsync()).EndOfAsync(ids[0]);

        Assert.True(run.Status == RunStatus.Unknown, KillPointTests.Told(run));
        Assert.Contains("failed unexpectedly", run.Message, StringComparison.Ordinal);
        Assert.Contains("Get-Transaction dsp:0071", run.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_run_has_to_remember_waits_for_a_store_that_cannot_be_written()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        HeldStore store = new(harness.Store);
        await daemon.RegisterAsync(SchedulerHarness.Yearly("remember", harness.DspLoad("0072")));
        await store.HoldAsync("OLD.marker IS NULL AND NEW.marker IS NOT NULL");
        BulkLoadRun run = await daemon.StartRunAsync("remember");

        await daemon.UntilAsync(
            () => Task.FromResult(daemon.Log),
            log => log.Contains("cannot be noted as Uploading", StringComparison.Ordinal)
        );
        Assert.Equal(0, harness.Sandbox.DspIngest.Project("0072").Runs);
        await store.LetGoAsync();

        run = await daemon.EndOfAsync(run.Id);
        Assert.True(run.Status == RunStatus.Succeeded, KillPointTests.Told(run));
    }

    [Fact]
    public async Task A_run_that_pauses_after_a_refusal_stands_as_not_submitted_and_can_be_stopped()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        harness.Save(
            new ConnectionProfile
            {
                Name = "once",
                Service = IngestService.DspIngest,
                Uri = harness.Sandbox.Uri,
                SignIn = SignInKind.Token,
                SecretFrom = "env:SCHEDULER_TEST_TOKEN",
                MaxAttempts = 1,
            }
        );
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("refused", harness.DspLoad("0073", connection: "once")));
        harness.Sandbox.Faults.Replace(Fault.Parse("429=POST /projects/0073/bulk-ingest"));
        BulkLoadRun run = await daemon.StartRunAsync("refused");

        const string pauses = "Nothing was submitted; it is tried again in 00:00:15";
        run = await daemon.UntilAsync(run.Id, now => now.Log!.Any(line => line.Message!.StartsWith(pauses, StringComparison.Ordinal)));
        // It is so from the beginning of the pause, and not only when it is tried again.
        Assert.Equal(RunStatus.Uploading, run.Status);
        using HttpResponseMessage stopped = await daemon.Http.PostAsync($"runs/{run.Id[4..]}/stop", null);

        Assert.True(stopped.IsSuccessStatusCode, await stopped.Content.ReadAsStringAsync());
        Assert.Equal(RunStatus.Canceled, (await daemon.EndOfAsync(run.Id)).Status);
        Assert.Equal(0, harness.Sandbox.DspIngest.Project("0073").Runs);
    }

    [Fact]
    public async Task A_service_that_does_not_answer_a_stop_holds_up_no_other_run()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options => options.LakeFs.BeforeCommit = () => gate.Task);
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("lake", harness.LakeLoad()));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("other", harness.DspLoad("0074")));
        BulkLoadRun run = await daemon.UntilAsync((await daemon.StartRunAsync("lake")).Id, run => run.Status == RunStatus.Running);
        harness.Sandbox.Faults.Replace(Fault.Parse("stall=DELETE /**"));
        // As another node asks it.
        await new HeldStore(harness.Store).ExecuteAsync($"UPDATE ingest_run SET stop_requested = 1 WHERE id = {run.Id[4..]}");
        await harness.Sandbox.WaitUntilAsync(() => harness.Sandbox.Faults.Applied(FaultKind.Stall) == 1);

        Assert.Equal(RunStatus.Succeeded, (await daemon.EndOfAsync((await daemon.StartRunAsync("other")).Id)).Status);
        gate.SetResult();
        Assert.Equal(RunStatus.Succeeded, (await daemon.EndOfAsync(run.Id)).Status);
    }

    [Fact]
    public async Task Answers_that_make_no_sense_for_a_while_do_not_end_what_goes_on()
    {
        const int refusals = 12;
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options => options.LakeFs.BeforeCommit = () => gate.Task);
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("lake", harness.LakeLoad()));
        BulkLoadRun run = await daemon.UntilAsync((await daemon.StartRunAsync("lake")).Id, run => run.Status == RunStatus.Running);

        harness.Sandbox.Faults.Replace(Fault.Parse($"400={refusals},GET /**"));
        await harness.Sandbox.WaitUntilAsync(() => harness.Sandbox.Faults.Applied(FaultKind.Status) == refusals);
        gate.SetResult();

        run = await daemon.EndOfAsync(run.Id);
        Assert.True(run.Status == RunStatus.Succeeded, KillPointTests.Told(run));
    }

    [Fact]
    public async Task Ids_that_are_none_are_told_at_the_end_also_by_the_daemon_that_did_not_read_them()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        LoadDefinition load = harness.IcaLoad(10);
        File.AppendAllLines(load.DataIdPath!, ["x,no id", "x,none either"]);
        SchedulerProcess first = await harness.RunAsync();
        List<string> ids = await KillPointTests.KillAtAsync(harness, first, KillPointTests.Point.AfterTheAnswerIsNoted, [load], "[]");

        BulkLoadRun run = await (await harness.RunAsync()).EndOfAsync(ids[0]);

        Assert.True(run.Status == RunStatus.PartlySucceeded, KillPointTests.Told(run));
        Assert.Equal(10, run.Completed);
        Assert.Contains("2 lines", run.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schedule_whose_zone_this_machine_lacks_keeps_no_daemon_from_starting_and_no_other_schedule_from_its_time()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        await first.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "bad",
                Load = harness.DspLoad("0075"),
                Cron = "* * * * * ?",
                TimeZone = "Europe/Zurich",
            }
        );
        await first.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "good",
                Load = harness.DspLoad("0076", files: 1),
                Cron = "* * * * * ?",
                TimeZone = "UTC",
            }
        );
        await first.KillAsync();
        // Its time differs from what its schedule says, too.
        await new HeldStore(harness.Store).ExecuteAsync(
            "UPDATE ingest_schedule SET definition = replace(definition, 'Europe/Zurich', 'Europe/Atlantis'), next_due = next_due - 1 "
                + "WHERE name_key = 'bad'"
        );
        int before = harness.Sandbox.DspIngest.Project("0076").Runs;

        SchedulerProcess second = await harness.RunAsync();

        await second.UntilAsync(() => second.RunsAsync("?name=good&status=Succeeded"), runs => runs.Count > before + 1);
        SchedulerState state = await second.UntilAsync(() => second.StateAsync(), state => state.Trouble is not null);
        Assert.Contains("'bad'", state.Trouble, StringComparison.Ordinal);
        Assert.Contains("Europe/Atlantis", state.Trouble, StringComparison.Ordinal);
    }

    [PostgresFact]
    public async Task A_node_says_that_it_lives_whatever_else_is_held_up()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options =>
            options.DspIngest.BeforeIngest = _ => gate.Task
        );
        SchedulerProcess one = await ClusterTests.NodeAsync(harness, postgres, "one");
        await one.RegisterAsync(SchedulerHarness.Yearly("left", harness.DspLoad("0077")));
        BulkLoadRun run = await one.UntilAsync((await one.StartRunAsync("left")).Id, run => run.Status == RunStatus.Running);
        await one.KillAsync();
        await one.UntilAsync(
            () =>
                postgres.CountAsync(
                    "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) - seen FROM ingest_node WHERE node = 'one'"
                ),
            silent => silent > 3000
        );

        // The run that it takes over at its start, and later all schedules, are held by somebody else.
        SchedulerProcess two;
        await using (await HoldAsync(postgres, "SELECT 1 FROM ingest_run FOR UPDATE"))
        {
            two = ClusterTests.Begin(harness, postgres, "two");
            await LivesAsync(one, postgres, TimeSpan.FromSeconds(4));
            Assert.Equal(0, await postgres.CountAsync("SELECT count(*) FROM ingest_run WHERE node = 'two'"));
        }

        await two.ReadyAsync();
        await using (await HoldAsync(postgres, "LOCK TABLE ingest_schedule IN ACCESS EXCLUSIVE MODE"))
            await LivesAsync(one, postgres, TimeSpan.FromSeconds(9));
        gate.SetResult();
        Assert.Equal(RunStatus.Succeeded, (await two.EndOfAsync(run.Id)).Status);
    }

    /// <summary>Does something in a transaction that ends when it is disposed of.</summary>
    private static async Task<NpgsqlConnection> HoldAsync(PostgresServer postgres, string sql)
    {
        NpgsqlConnection connection = new(postgres.Connection + ";Pooling=false");
        await connection.OpenAsync();
        await connection.BeginTransactionAsync();
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    /// <summary>Waits until the second node has told for so long that it lives.</summary>
    private static async Task LivesAsync(SchedulerProcess patient, PostgresServer postgres, TimeSpan time)
    {
        const string seen = "SELECT coalesce(max(seen), 0) FROM ingest_node WHERE node = 'two'";
        long first = await patient.UntilAsync(() => postgres.CountAsync(seen), at => at > 0);
        await patient.UntilAsync(() => postgres.CountAsync(seen), at => at > first + time.TotalMilliseconds);
    }
}
