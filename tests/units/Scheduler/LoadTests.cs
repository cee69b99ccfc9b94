using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Sandbox.Faults;
using IngestTools.Scheduling;
using IngestTools.Services.Voss;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>The loads of VOSS, lakeFS and ICA; that of DSP-INGEST is in the other tests.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class LoadTests
{
    private const string StartVoss = "POST /api/tool/BulkLoad/";

    [Fact]
    public async Task A_workbook_is_loaded_from_its_copy_under_a_name_of_its_own()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options =>
            options.Voss.RowFails = row => row.Number == 2 ? "the email is taken" : null
        );
        SchedulerProcess daemon = await harness.RunAsync();
        LoadDefinition load = harness.VossLoad("users.xlsx");
        await daemon.RegisterAsync(SchedulerHarness.Yearly("users", load) with { Overlap = Overlap.Queue });
        File.Delete(load.Path!);

        BulkLoadRun first = await daemon.EndOfAsync((await daemon.StartRunAsync("users")).Id);
        BulkLoadRun second = await daemon.EndOfAsync((await daemon.StartRunAsync("users")).Id);

        Assert.Equal((RunStatus.PartlySucceeded, 2L, 3L), (first.Status, first.Completed!.Value, first.Total!.Value));
        Assert.Contains(first.Log!, line => line.Message!.Contains("the email is taken", StringComparison.Ordinal));
        Assert.NotEqual(first.RemoteName, second.RemoteName);
        Assert.Equal([first.RemoteName, second.RemoteName], harness.Sandbox.Voss.Transactions.Select(transaction => transaction.FileName));
        string copy = Assert.Single(Directory.GetFiles(Path.Join(harness.Store, "spool"), "users.xlsx", SearchOption.AllDirectories));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(copy));
    }

    [Fact]
    public async Task A_workbook_whose_start_lost_its_answer_is_found_by_its_name()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("users", harness.VossLoad("users.xlsx")));
        harness.Sandbox.Faults.Replace(Fault.Parse($"lost=1,{StartVoss}"));

        BulkLoadRun run = await daemon.EndOfAsync((await daemon.StartRunAsync("users")).Id);

        Assert.True(run.Status == RunStatus.Succeeded, $"{run.Message}");
        Assert.Equal($"voss:{Assert.Single(harness.Sandbox.Voss.Transactions).Pkid}", Assert.Single(run.TransactionIds));
    }

    [Fact]
    public async Task A_workbook_killed_while_it_is_submitted_is_found_or_else_unknown_and_never_sent_again()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        await first.RegisterAsync(SchedulerHarness.Yearly("taken", harness.VossLoad("taken.xlsx")));
        await first.RegisterAsync(SchedulerHarness.Yearly("not taken", harness.VossLoad("not taken.xlsx")));
        // One request is carried out and not answered in time, the other does not reach the server.
        harness.Sandbox.Faults.Replace(
            Fault.Parse($"lost=1,{StartVoss}"),
            Fault.Parse("stall=GET /api/tool/Transaction/"),
            Fault.Parse($"stall={StartVoss}")
        );
        BulkLoadRun taken = await first.UntilAsync((await first.StartRunAsync("taken")).Id, run => run.Status == RunStatus.Submitting);
        await harness.Sandbox.WaitUntilAsync(() => harness.Sandbox.Voss.Transactions.Count == 1);
        BulkLoadRun notTaken = await first.UntilAsync(
            (await first.StartRunAsync("not taken")).Id,
            run => run.Status == RunStatus.Submitting
        );
        await first.KillAsync();
        harness.Sandbox.Faults.Clear();

        SchedulerProcess second = await harness.RunAsync();

        Assert.Equal(RunStatus.Succeeded, (await second.EndOfAsync(taken.Id)).Status);
        BulkLoadRun unknown = await second.EndOfAsync(notTaken.Id);
        Assert.Equal(RunStatus.Unknown, unknown.Status);
        Assert.Contains(unknown.RemoteName!, unknown.Message!, StringComparison.Ordinal);
        Assert.Single(harness.Sandbox.Voss.Transactions);
        using SqliteJournal journal = JournalOf(harness);
        Assert.Equal(
            [(StartState.Lost, unknown.RemoteName), (StartState.Ended, taken.RemoteName)],
            journal
                .ReadTransactions(new TransactionQuery { IncludesEnded = true })
                .Select(start => (start.State, start.Transaction.FileName))
        );
    }

    [Fact]
    public async Task What_the_daemon_starts_is_in_the_journal_of_its_account()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("users", harness.VossLoad("users.xlsx")));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("lake", harness.LakeLoad()));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("link", harness.IcaLoad(10)));
        using SqliteJournal journal = JournalOf(harness);

        foreach (string name in (string[])["users", "lake", "link"])
        {
            BulkLoadRun run = await daemon.EndOfAsync((await daemon.StartRunAsync(name)).Id);

            Assert.True(run.Status == RunStatus.Succeeded, run.Message);
            JournaledTransaction start = journal.ReadTransactions(new TransactionQuery { IncludesEnded = true, Last = 1 })[0];
            Assert.Equal(
                (Assert.Single(run.TransactionIds), StartState.Ended, name),
                (start.Transaction.Id, start.State, start.Origin!.Schedule)
            );
        }
    }

    [Fact]
    public async Task A_workbook_that_was_loaded_by_hand_is_loaded_by_a_schedule_with_Again_alone()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        LoadDefinition load = harness.VossLoad("users.xlsx");
        await daemon.RegisterAsync(SchedulerHarness.Yearly("users", load));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("again", load with { Again = true }));
        await LoadByHandAsync(harness, load.Path!);

        BulkLoadRun refused = await daemon.EndOfAsync((await daemon.StartRunAsync("users")).Id);
        BulkLoadRun again = await daemon.EndOfAsync((await daemon.StartRunAsync("again")).Id);

        Assert.Equal(RunStatus.Failed, refused.Status);
        Assert.Contains("a workbook of the same content was loaded before", refused.Message!, StringComparison.Ordinal);
        Assert.Contains("use -Again of Register-BulkLoadSchedule", refused.Message!, StringComparison.Ordinal);
        Assert.True(again.Status == RunStatus.Succeeded, again.Message);
        Assert.Equal(2, harness.Sandbox.Voss.Transactions.Count);
    }

    [Fact]
    public async Task A_schedule_loads_its_workbook_each_time_and_a_load_by_hand_is_already_done()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        LoadDefinition load = harness.VossLoad("users.xlsx");
        await daemon.RegisterAsync(SchedulerHarness.Yearly("users", load));
        List<BulkLoadRun> runs = [await daemon.EndOfAsync((await daemon.StartRunAsync("users")).Id)];

        IngestException refused = await Assert.ThrowsAsync<IngestException>(() => LoadByHandAsync(harness, load.Path!));
        await LoadByHandAsync(harness, load.Path!, again: true);
        runs.Add(await daemon.EndOfAsync((await daemon.StartRunAsync("users")).Id));

        Assert.Equal(ErrorId.AlreadyDone, refused.ErrorId);
        Assert.All(runs, run => Assert.True(run.Status == RunStatus.Succeeded, run.Message));
        Assert.Equal(3, harness.Sandbox.Voss.Transactions.Count);
    }

    [Fact]
    public async Task An_import_ends_with_its_commit_also_when_the_answer_to_its_start_was_lost()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("lake", harness.LakeLoad()));

        BulkLoadRun first = await daemon.EndOfAsync((await daemon.StartRunAsync("lake")).Id);
        harness.Sandbox.Faults.Replace(Fault.Parse("lost=1,POST /api/v1/repositories/lake/branches/main/import"));
        BulkLoadRun second = await daemon.EndOfAsync((await daemon.StartRunAsync("lake")).Id);

        Assert.True(first.Status == RunStatus.Succeeded, first.Message);
        Assert.Equal(3, first.Completed);
        Assert.StartsWith("lakefs:lake/main/", Assert.Single(first.TransactionIds), StringComparison.Ordinal);
        Assert.True(second.Status == RunStatus.Succeeded, second.Message);
        Assert.Contains(harness.Sandbox.LakeFs.Repository("lake").Branch("main").Head.Id, second.Message!, StringComparison.Ordinal);
        Assert.Equal(2, harness.Sandbox.LakeFs.Repository("lake").Imports.Count);
        using SqliteJournal journal = JournalOf(harness);
        IReadOnlyList<JournaledTransaction> starts = journal.ReadTransactions(new TransactionQuery { IncludesEnded = true });
        Assert.All(starts, start => Assert.Equal((StartState.Ended, TransactionStatus.Succeeded), (start.State, start.Transaction.Status)));
        Assert.Equal(harness.Sandbox.LakeFs.Repository("lake").Branch("main").Head.Id, starts[0].Transaction.CommitId);
        Assert.Equal(2, starts.Count);
    }

    [Theory]
    [InlineData("s3://bucket/nowhere-near/", null, "It deleted 2 objects on lake/main.")]
    [InlineData("s3://bucket/nightly/", 4L, "It brought 3 objects, and 4 are the minimum.")]
    public async Task An_import_that_brings_too_little_fails_its_run(string source, long? minimum, string said)
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("lake", harness.LakeLoad() with { Source = source, MinimumObjects = minimum }));

        BulkLoadRun run = await daemon.EndOfAsync((await daemon.StartRunAsync("lake")).Id);

        Assert.Equal(RunStatus.Failed, run.Status);
        Assert.Contains(said, run.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ids_are_linked_in_batches_and_one_whose_answer_was_lost_is_found_among_the_jobs()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("link", harness.IcaLoad(25_010)));
        harness.Sandbox.Faults.Replace(Fault.Parse("lost=1,POST /ica/rest/api/projects/*/dataLinkingBatch"));

        BulkLoadRun run = await daemon.EndOfAsync((await daemon.StartRunAsync("link")).Id);

        Assert.True(run.Status == RunStatus.Succeeded, run.Message);
        Assert.Equal((2, 25_010L, 25_010L), (run.TransactionIds.Count, run.Completed!.Value, run.Total!.Value));
        Assert.Equal(2, harness.Sandbox.Ica.Batches.Count);
    }

    [Fact]
    public async Task Batches_that_a_killed_daemon_had_sent_are_not_sent_again()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        await first.RegisterAsync(SchedulerHarness.Yearly("link", harness.IcaLoad(50_010)));
        // The second batch is taken, and its answer comes too late.
        harness.Sandbox.Faults.Replace(Fault.Parse("latency=2s,POST /ica/rest/api/projects/*/dataLinkingBatch"));
        BulkLoadRun run = await first.UntilAsync((await first.StartRunAsync("link")).Id, run => run.TransactionIds.Count == 1);
        await first.KillAsync();
        harness.Sandbox.Faults.Clear();

        SchedulerProcess second = await harness.RunAsync();

        BulkLoadRun ended = await second.EndOfAsync(run.Id);
        Assert.True(ended.Status == RunStatus.Succeeded, ended.Message);
        Assert.Equal(3, ended.TransactionIds.Count);
        Assert.Equal(50_010, ended.Completed);
        Assert.Equal(3, harness.Sandbox.Ica.Batches.Count);
    }

    [PostgresFact]
    public async Task A_workbook_that_one_node_was_given_is_loaded_by_another()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess one = await ClusterTests.NodeAsync(harness, postgres, "one");
        DateTimeOffset at = DateTimeOffset.UtcNow.AddSeconds(2);
        await one.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "shared",
                Load = harness.VossLoad("users.xlsx"),
                At = at,
            }
        );
        await one.KillAsync();
        SchedulerProcess two = await ClusterTests.NodeAsync(harness, postgres, "two");

        BulkLoadRun? run = await two.UntilAsync(async () => (await two.RunsAsync()).FirstOrDefault(), run => run?.IsTerminal == true);

        Assert.True(run!.Status == RunStatus.Succeeded, run.Message);
        Assert.Equal("two", run.Node);
    }

    private static SqliteJournal JournalOf(SchedulerHarness harness) => new(Path.Join(harness.Home, "journal.db"), TimeProvider.System);

    /// <summary>Sends a workbook and starts its load, as the cmdlets of the daemon's account do, and waits for its end.</summary>
    private static async Task LoadByHandAsync(SchedulerHarness harness, string path, bool again = false)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        ConnectionSettings settings = new()
        {
            Service = IngestService.Voss,
            Uri = harness.Sandbox.Uri,
            SignIn = SignInKind.Password,
            UserName = SchedulerHarness.VossUser,
            Secret = _ => ValueTask.FromResult(SchedulerHarness.Token),
            NoProxy = true,
        };
        using IngestConnection connection = IngestConnection.Open(settings, NullLogger.Instance, TimeProvider.System);
        using SqliteJournal journal = JournalOf(harness);
        VossClient client = new(connection, NullLogger.Instance, journal);
        Channel<UploadRequest> requests = Channel.CreateBounded<UploadRequest>(1);
        requests.Writer.TryWrite(new UploadRequest(path, client.CreateUploadTarget(SchedulerHarness.Hierarchy)));
        requests.Writer.Complete();
        UploadResult sent = Assert.Single(
            await new UploadEngine(new UploadOptions { Journal = journal, Again = true }, NullLogger.Instance)
                .SendAsync(requests.Reader, limit.Token)
                .ToListAsync(limit.Token)
        );
        Transaction load = await client.StartAsync(
            BulkLoadRequest.Of(sent, SchedulerHarness.Hierarchy) with
            {
                Again = again,
            },
            limit.Token
        );
        ITransactionSource source = TransactionSources.For(connection, NullLogger.Instance, journal);
        while (!(load = await source.LookAsync(load, limit.Token)).IsTerminal)
            await Task.Delay(20, limit.Token);
    }
}
