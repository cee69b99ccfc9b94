using IngestTools.Connections;
using IngestTools.Sandbox.Faults;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>Runs that are stopped, or cannot go on, at a step in which something of them is at the service, or may be.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class StopRunTests
{
    private const string OneBatch = "[\"%\"]";

    [Fact]
    public async Task A_run_that_is_stopped_between_its_batches_sends_no_more_and_tells_what_was_taken()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        List<string> ids = await KillPointTests.KillAtAsync(
            harness,
            first,
            KillPointTests.Point.BeforeItIsNoted,
            [harness.IcaLoad(50_010)],
            OneBatch
        );
        // The second daemon may not send the rest, and pauses.
        harness.Save(
            new ConnectionProfile
            {
                Name = "ica",
                Service = IngestService.Ica,
                Uri = new Uri(harness.Sandbox.Uri, "ica/rest"),
                SignIn = SignInKind.ApiKey,
                SecretFrom = "env:SCHEDULER_TEST_TOKEN",
                MaxAttempts = 1,
            }
        );
        harness.Sandbox.Faults.Replace(Fault.Parse("429=POST /ica/rest/api/projects/*/dataLinkingBatch"));
        SchedulerProcess second = await harness.RunAsync();
        await second.UntilAsync(
            ids[0],
            run =>
                run.Log!.Any(line =>
                    line.Message!.StartsWith("Nothing more was submitted; it is tried again in 00:00:15", StringComparison.Ordinal)
                )
        );

        await StopAsync(second, ids[0]);
        harness.Sandbox.Faults.Clear();

        BulkLoadRun run = await second.EndOfAsync(ids[0]);
        Assert.True(run.Status == RunStatus.PartlySucceeded, KillPointTests.Told(run));
        Assert.Contains(Assert.Single(run.TransactionIds), run.Message, StringComparison.Ordinal);
        Assert.Contains("It was stopped after", run.Message, StringComparison.Ordinal);
        Assert.Single(harness.Sandbox.Ica.Batches);
    }

    [Fact]
    public async Task A_run_of_which_a_batch_was_taken_is_unknown_and_not_failed_where_its_connection_is_gone()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        List<string> ids = await KillPointTests.KillAtAsync(
            harness,
            first,
            KillPointTests.Point.BeforeItIsNoted,
            [harness.IcaLoad(25_010)],
            OneBatch
        );
        // As a daemon left it that began to prepare the rest.
        await new HeldStore(harness.Store).ExecuteAsync("UPDATE ingest_run SET status = 'Uploading'");
        harness.Save(
            new ConnectionProfile
            {
                Name = "ica",
                Service = IngestService.Ica,
                Uri = new Uri(harness.Sandbox.Uri, "ica/rest"),
                SignIn = SignInKind.ApiKey,
            }
        );

        BulkLoadRun run = await (await harness.RunAsync()).EndOfAsync(ids[0]);

        Assert.True(run.Status == RunStatus.Unknown, KillPointTests.Told(run));
        Assert.Contains($"Get-Transaction {Assert.Single(run.TransactionIds)}", run.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_that_comes_while_it_is_noted_that_it_is_submitted_is_in_time()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        HeldStore store = new(harness.Store);
        await daemon.RegisterAsync(SchedulerHarness.Yearly("noted", harness.DspLoad("0078")));
        await store.HoldAsync("NEW.status = 'Submitting'");
        BulkLoadRun run = await daemon.StartRunAsync("noted");
        await daemon.UntilAsync(
            () => Task.FromResult(daemon.Log),
            log => log.Contains("cannot be noted as Submitting", StringComparison.Ordinal)
        );

        await StopAsync(daemon, run.Id);
        await store.LetGoAsync();

        run = await daemon.EndOfAsync(run.Id);
        Assert.True(run.Status == RunStatus.Canceled, KillPointTests.Told(run));
        Assert.Equal(0, harness.Sandbox.DspIngest.Project("0078").Runs);
    }

    [Fact]
    public async Task A_run_that_is_stopped_while_it_is_looked_into_is_unknown_and_tells_what_to_look_at()
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
        HeldStore store = new(harness.Store);
        await daemon.RegisterAsync(SchedulerHarness.Yearly("looked into", harness.DspLoad("0079", connection: "once")));
        await store.HoldAsync("NEW.status = 'Submitting'");
        BulkLoadRun run = await daemon.StartRunAsync("looked into");
        await daemon.UntilAsync(
            () => Task.FromResult(daemon.Log),
            log => log.Contains("cannot be noted as Submitting", StringComparison.Ordinal)
        );
        harness.Sandbox.Faults.Replace([Fault.Parse("lost=1,POST /projects/0079/bulk-ingest"), Fault.Parse("503=GET /**")]);
        await store.LetGoAsync();
        await daemon.UntilAsync(
            () => Task.FromResult(daemon.Log),
            log => log.Contains("Whether it was submitted cannot be found out right now", StringComparison.Ordinal)
        );

        await StopAsync(daemon, run.Id);

        run = await daemon.EndOfAsync(run.Id);
        Assert.True(run.Status == RunStatus.Unknown, KillPointTests.Told(run));
        Assert.Contains("stopped while it was looked into, since ", run.Message, StringComparison.Ordinal);
        Assert.Contains("Get-IngestMapping -Shortcode 0079", run.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_in_which_no_line_is_an_id_has_failed_and_its_lines_are_told()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("bad ids", harness.IcaLoad(1)));
        // Such a file is refused at registration; an earlier version took it.
        string copy = Assert.Single(Directory.GetFiles(Path.Join(harness.Store, "spool"), "*", SearchOption.AllDirectories));
        File.WriteAllLines(copy, ["Name,DataId", "x,no id", "x,none either"]);

        BulkLoadRun run = await daemon.EndOfAsync((await daemon.StartRunAsync("bad ids")).Id);

        Assert.True(run.Status == RunStatus.Failed, KillPointTests.Told(run));
        Assert.Contains("None of the 2 lines", run.Message, StringComparison.Ordinal);
        Assert.Contains("log lists them", run.Message, StringComparison.Ordinal);
        Assert.Contains(run.Log!, line => line.Message!.Contains("none either", StringComparison.Ordinal));
        Assert.Empty(harness.Sandbox.Ica.Batches);
    }

    private static async Task StopAsync(SchedulerProcess daemon, string id)
    {
        using HttpResponseMessage stopped = await daemon.Http.PostAsync($"runs/{id[4..]}/stop", null);
        Assert.True(stopped.IsSuccessStatusCode, await stopped.Content.ReadAsStringAsync());
    }
}
