using IngestTools.Http;
using IngestTools.Journal;
using IngestTools.Sandbox.Services.Voss;
using IngestTools.Scheduling;
using IngestTools.Services.Ica;
using IngestTools.Services.LakeFs;
using IngestTools.Services.Voss;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Microsoft.Extensions.Logging;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Starts are recorded before they are sent, and what is recorded keeps a load from being done twice.</summary>
public sealed class StartRecordTests : IDisposable
{
    private static readonly TransactionQuery Everything = new() { IncludesEnded = true };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_load_is_recorded_before_its_request_and_completed_by_its_answer()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        using IIngestJournal journal = voss.UseJournal();
        string book = voss.Write("users.xlsx", "a@example.org");
        JournaledTransaction? before = null;
        voss.Connection.AskBeforeChange(
            (kind, _) =>
            {
                before = kind == OperationKind.Once ? Assert.Single(journal.ReadTransactions(new TransactionQuery())) : before;
                return default;
            }
        );

        Transaction load = await voss.LoadAsync(book);

        Assert.Equal(StartState.Starting, before!.State);
        Assert.True(PendingStarts.IsPending(before.Transaction.Id));
        Assert.Contains("users.xlsx", before.ManualCheck, StringComparison.Ordinal);
        JournaledTransaction after = Assert.Single(journal.ReadTransactions(new TransactionQuery()));
        Assert.Equal((StartState.Started, load.Id, before.Key), (after.State, after.Transaction.Id, after.Key));
        Assert.Equal(voss.Connection.Uri.AbsoluteUri, load.Server);
        Assert.Equal(load, after.Transaction);
    }

    [Fact]
    public async Task A_schedule_is_recorded_as_one()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        using IIngestJournal journal = voss.UseJournal();
        UploadResult sent = await voss.SendAsync(voss.Write("users.xlsx", "a@example.org"));

        Transaction making = await voss.Client.ScheduleAsync(
            BulkLoadRequest.Of(sent, VossHarness.Hierarchy),
            ScheduleTime.Resolve("2030-01-01T02:00Z", null, DateTimeOffset.UtcNow, force: false),
            voss.Soon
        );

        Assert.Equal(making, Assert.Single(journal.ReadTransactions(Everything)).Transaction);
        Assert.Equal(TransactionKind.Schedule, making.Kind);
    }

    [Fact]
    public async Task A_start_that_is_refused_leaves_no_record()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        using IIngestJournal journal = voss.UseJournal();

        await VossHarness.ErrorOfAsync(() => voss.Client.StartAsync("no.xlsx", VossHarness.Hierarchy, voss.Soon));

        Assert.Empty(journal.ReadTransactions(Everything));
    }

    [Fact]
    public async Task A_start_that_is_canceled_before_it_is_sent_leaves_no_record()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        using IIngestJournal journal = voss.UseJournal();
        UploadResult sent = await voss.SendAsync(voss.Write("users.xlsx", "a@example.org"));
        using CancellationTokenSource stop = new();
        voss.Connection.AskBeforeChange(
            async (_, token) =>
            {
                await stop.CancelAsync();
                token.ThrowIfCancellationRequested();
            }
        );

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            voss.Client.StartAsync(sent.FileName!, VossHarness.Hierarchy, stop.Token)
        );

        Assert.Empty(journal.ReadTransactions(Everything));
        Assert.Empty(voss.RequestsTo("BulkLoad"));
    }

    [Fact]
    public async Task A_start_that_is_canceled_in_the_middle_of_its_request_stays_unknown()
    {
        await using VossHarness voss = await VossHarness.StartAsync(faults: "latency=60s,POST /api/tool/BulkLoad/");
        using IIngestJournal journal = voss.UseJournal();
        UploadResult sent = await voss.SendAsync(voss.Write("users.xlsx", "a@example.org"));
        using CancellationTokenSource stop = new();
        Task starting = voss.Client.StartAsync(sent.FileName!, VossHarness.Hierarchy, stop.Token);
        await voss.WaitUntilAsync(() => voss.Server.Requests.InFlight > 0);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
        Assert.Equal(StartState.Lost, Assert.Single(journal.ReadTransactions(new TransactionQuery())).State);
    }

    [Fact]
    public async Task A_lost_answer_is_recorded_with_what_to_check()
    {
        string path = Path.Join(_folder.Path, "journal.db");
        using SqliteJournal journal = new(path, TimeProvider.System);
        await using VossHarness voss = await VossHarness.StartAsync(faults: "lost=POST /api/tool/BulkLoad/");
        UploadResult sent = await voss.SendAsync(voss.Write("users.xlsx", "a@example.org"));
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        LakeFsClient imports = new(lake.Connection, lake.Log, journal);
        ImportPlan plan = await imports.PrepareAsync(lake.Request(), countsAll: false, voss.Soon);
        lake.SetFaults("lost=1,POST /api/v1/repositories/*/branches/*/import");

        await VossHarness.ErrorOfAsync(() =>
            new VossClient(voss.Connection, voss.Log, journal).StartAsync(sent.FileName!, VossHarness.Hierarchy, voss.Soon)
        );
        await VossHarness.ErrorOfAsync(() => imports.StartAsync(plan, voss.Soon));

        Transaction[] lost = [.. journal.ReadTransactions(new TransactionQuery()).Select(record => record.Describe())];
        Assert.Equal([TransactionKind.Import, TransactionKind.BulkLoad], lost.Select(t => t.Kind));
        Assert.All(lost, t => Assert.Equal(TransactionStatus.Unknown, t.Status));
        Assert.Contains("lake/main", lost[0].Message, StringComparison.Ordinal);
        Assert.Contains("Import objects", lost[0].Message, StringComparison.Ordinal);
        Assert.Contains("users.xlsx", lost[1].Message, StringComparison.Ordinal);
        Assert.All(lost, t => Assert.Matches("^start:[0-9]+$", t.Id));
    }

    [Fact]
    public async Task Each_batch_is_recorded()
    {
        using SqliteJournal journal = new(Path.Join(_folder.Path, "journal.db"), TimeProvider.System);
        await using IcaHarness ica = await IcaHarness.StartAsync();

        List<LinkingResult> results = await IcaHarness.LinkAsync(
            new IcaClient(ica.Connection, ica.Log, journal),
            IcaHarness.Ids(5),
            new LinkingOptions { BatchSize = 2 }
        );

        Assert.Equal(
            results.Select(r => r.Transaction!.Id).Reverse(),
            journal.ReadTransactions(new TransactionQuery()).Select(record => record.Transaction.Id)
        );
        Assert.All(results, r => Assert.Equal(ica.Connection.Uri.AbsoluteUri, r.Transaction!.Server));
    }

    [Fact]
    public async Task A_batch_whose_answer_was_lost_and_that_is_not_found_stays_unknown()
    {
        using SqliteJournal journal = new(Path.Join(_folder.Path, "journal.db"), TimeProvider.System);
        await using IcaHarness ica = await IcaHarness.StartAsync();
        ica.SetFaults("500=POST /ica/rest/api/projects/*/dataLinkingBatch", "404=GET /ica/rest/api/jobs");

        IngestException? error = Assert
            .Single(await IcaHarness.LinkAsync(new IcaClient(ica.Connection, ica.Log, journal), IcaHarness.Ids(3)))
            .Error;

        Assert.Equal(ErrorId.OutcomeUnknown, error!.ErrorId);
        JournaledTransaction record = Assert.Single(journal.ReadTransactions(new TransactionQuery()));
        Assert.Equal((StartState.Lost, 3L), (record.State, record.Transaction.Total));
        Assert.Contains("3 ids", record.ManualCheck, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_import_is_recorded()
    {
        using SqliteJournal journal = new(Path.Join(_folder.Path, "journal.db"), TimeProvider.System);
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        LakeFsClient client = new(lake.Connection, lake.Log, journal);

        Transaction import = await client.StartAsync(
            await client.PrepareAsync(lake.Request(), countsAll: false, CancellationToken.None),
            CancellationToken.None
        );

        JournaledTransaction record = Assert.Single(journal.ReadTransactions(new TransactionQuery()));
        Assert.Equal(
            (import.Id, "lake/main", lake.Connection.Uri.AbsoluteUri),
            (record.Transaction.Id, record.Place.Name, record.Transaction.Server)
        );
    }

    /// <summary>Fault A5: the later workbook was loaded twice, and the earlier one never.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_workbook_that_a_later_upload_replaced_is_not_loaded(bool isJournalOn)
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        if (isJournalOn)
            voss.UseJournal();
        UploadResult first = await voss.SendAsync(voss.Write("a/x.xlsx", "a@example.org"));
        UploadResult second = (
            await voss.SendAsync(voss.Client.CreateUploadTarget("sys.hcs"), voss.Write("b/x.xlsx", "b@example.org"))
        ).Single();
        Assert.Equal(UploadStatus.Uploaded, second.Status);

        IngestException error = await VossHarness.ErrorOfAsync(() =>
            voss.Client.StartAsync(BulkLoadRequest.Of(first, VossHarness.Hierarchy), voss.Soon)
        );
        Transaction load = await voss.Client.StartAsync(BulkLoadRequest.Of(second, "sys.hcs"), voss.Soon);

        Assert.Equal(ErrorId.NameCollision, error.ErrorId);
        Assert.Contains(first.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains(second.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains("-UniqueName", error.Advice, StringComparison.Ordinal);
        Assert.Equal(load.TransactionId, Assert.Single(voss.Voss.Transactions).Pkid);
    }

    [Fact]
    public async Task A_workbook_that_is_replaced_while_earlier_loads_are_looked_at_is_not_loaded()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        IIngestJournal journal = voss.UseJournal();
        UploadResult sent = await voss.SendAsync(voss.Write("a/x.xlsx", "a@example.org"));
        string other = voss.Write("b/x.xlsx", "b@example.org");
        IIngestJournal probe = JournalProbe.Of(
            journal,
            nameof(IIngestJournal.ReadTransactions),
            () => voss.SendAsync(voss.Client.CreateUploadTarget("sys.hcs"), other).GetAwaiter().GetResult()
        );

        IngestException error = await VossHarness.ErrorOfAsync(() =>
            new VossClient(voss.Connection, voss.Log, probe).StartAsync(BulkLoadRequest.Of(sent, VossHarness.Hierarchy), voss.Soon)
        );

        Assert.Equal(ErrorId.NameCollision, error.ErrorId);
        Assert.Empty(voss.Voss.Transactions);
        Assert.Empty(journal.ReadTransactions(Everything));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_workbook_that_was_replaced_without_a_record_is_not_loaded(bool isDeleted)
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        using IIngestJournal journal = voss.UseJournal();
        UploadResult sent = await voss.SendAsync(voss.Write("a/x.xlsx", "a@example.org"));
        if (!isDeleted)
            voss.Journal = IngestJournal.Off;
        await voss.SendAsync(voss.Client.CreateUploadTarget("sys.hcs"), voss.Write("b/x.xlsx", "b@example.org"));
        if (isDeleted)
            journal.Clear(new ClearQuery { Hierarchy = "sys.hcs" });
        voss.Journal = journal;

        IngestException error = await VossHarness.ErrorOfAsync(() =>
            voss.Client.StartAsync(BulkLoadRequest.Of(sent, VossHarness.Hierarchy), voss.Soon)
        );

        Assert.Equal(ErrorId.NameCollision, error.ErrorId);
        Assert.Empty(voss.Voss.Transactions);
    }

    [Fact]
    public async Task A_workbook_that_was_uploaded_twice_with_the_same_content_is_loaded()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        voss.UseJournal();
        string book = voss.Write("a/x.xlsx", "a@example.org");
        UploadResult first = await voss.SendAsync(book);
        Directory.CreateDirectory(Path.Join(voss.Folder.Path, "b"));
        File.Copy(book, Path.Join(voss.Folder.Path, "b/x.xlsx"));
        await voss.SendAsync(voss.Client.CreateUploadTarget("sys.hcs"), Path.Join(voss.Folder.Path, "b/x.xlsx"));

        Assert.NotNull(await voss.Client.StartAsync(BulkLoadRequest.Of(first, VossHarness.Hierarchy), voss.Soon));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_same_content_is_loaded_once_unless_it_is_asked_for_again(bool hasEnded)
    {
        TaskCompletionSource queue = new();
        await using VossHarness voss = await VossHarness.StartAsync(o => o.BeforeLoad = _ => queue.Task);
        voss.UseJournal();
        string book = voss.Write("users.xlsx", "a@example.org");
        Transaction first = await voss.LoadAsync(book);
        if (hasEnded)
        {
            queue.SetResult();
            await voss.FollowAsync(first);
        }

        UploadResult sent = await voss.SendAsync(book);
        IngestException error = await VossHarness.ErrorOfAsync(() =>
            voss.Client.StartAsync(BulkLoadRequest.Of(sent, VossHarness.Hierarchy), voss.Soon)
        );
        IngestException byName = await VossHarness.ErrorOfAsync(() =>
            voss.Client.StartAsync("users.xlsx", VossHarness.Hierarchy, voss.Soon)
        );
        Transaction elsewhere = await voss.Client.StartAsync(BulkLoadRequest.Of(sent, "sys.hcs"), voss.Soon);
        Transaction again = await voss.LoadAsync(book, again: true);
        queue.TrySetResult();

        Assert.Equal((hasEnded ? UploadStatus.Skipped : UploadStatus.Uploaded, true), (sent.Status, sent.IsOnServer));
        Assert.Equal((ErrorId.AlreadyDone, ErrorId.AlreadyDone), (error.ErrorId, byName.ErrorId));
        Assert.Contains(hasEnded ? "was loaded before" : "is being loaded", error.Message, StringComparison.Ordinal);
        Assert.Contains(first.Id, error.Message, StringComparison.Ordinal);
        Assert.Contains("-Again", error.Advice, StringComparison.Ordinal);
        Assert.Equal(3, new[] { first.Id, elsewhere.Id, again.Id }.Distinct().Count());
        Assert.Equal(3, voss.Voss.Transactions.Count);
    }

    [Fact]
    public async Task A_load_that_failed_can_be_repeated_although_nobody_saw_it_fail()
    {
        await using VossHarness voss = await VossHarness.StartAsync(o =>
            o.Users = [new VossUser(VossHarness.UserName, VossHarness.Password) { MayBulkLoad = false }]
        );
        voss.UseJournal();
        string book = voss.Write("users.xlsx", "a@example.org");
        Transaction first = await voss.LoadAsync(book);
        await voss.WaitUntilAsync(() => voss.Voss.Transactions[0].Status == "Fail");

        Transaction second = await voss.LoadAsync(book);

        Assert.NotEqual(first.Id, second.Id);
    }

    [Fact]
    public async Task A_load_whose_start_was_lost_is_not_started_again_without_being_asked_for()
    {
        await using VossHarness voss = await VossHarness.StartAsync(faults: "lost=POST /api/tool/BulkLoad/");
        using IIngestJournal journal = voss.UseJournal();
        string book = voss.Write("users.xlsx", "a@example.org");
        await VossHarness.ErrorOfAsync(() => voss.LoadAsync(book));
        voss.Server.Faults.Replace([]);

        IngestException error = await VossHarness.ErrorOfAsync(() => voss.LoadAsync(book));
        Assert.Equal(ErrorId.AlreadyDone, error.ErrorId);
        Assert.Contains("'users.xlsx'", error.Advice, StringComparison.Ordinal);
        Assert.Single(voss.Voss.Transactions);

        Transaction again = await voss.LoadAsync(book, again: true);
        Assert.Equal(again.Id, Assert.Single(journal.ReadTransactions(new TransactionQuery())).Transaction.Id);
    }

    [Fact]
    public async Task A_load_that_another_process_is_starting_is_not_started_beside_it()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        using IIngestJournal journal = voss.UseJournal();
        UploadResult sent = await voss.SendAsync(voss.Write("users.xlsx", "a@example.org"));
        BulkLoadRequest request = BulkLoadRequest.Of(sent, VossHarness.Hierarchy);
        TaskCompletionSource asked = new();
        TaskCompletionSource answered = new();
        voss.Connection.AskBeforeChange(
            async (_, _) =>
            {
                asked.TrySetResult();
                await answered.Task;
            }
        );
        Task<Transaction> first = voss.Client.StartAsync(request, voss.Soon);
        await asked.Task.WaitAsync(voss.Soon);

        IngestException error = await VossHarness.ErrorOfAsync(() => voss.Client.StartAsync(request, voss.Soon));
        answered.SetResult();

        Assert.Equal(ErrorId.AlreadyDone, error.ErrorId);
        Assert.Equal((await first).Id, Assert.Single(journal.ReadTransactions(new TransactionQuery())).Transaction.Id);
    }

    [Theory]
    [InlineData("a@example.org", FileState.Ingested)]
    [InlineData("bad", FileState.LeftOver)]
    public async Task A_look_records_how_a_load_ended_and_what_became_of_its_file(string email, FileState state)
    {
        await using VossHarness voss = await VossHarness.StartAsync(o => o.RowFails = VossOptions.RowsLike("bad* => no"));
        using IIngestJournal journal = voss.UseJournal();
        Transaction load = await voss.LoadAsync(voss.Write("users.xlsx", email));

        (Transaction ended, _) = await voss.FollowAsync(load);

        Assert.Empty(journal.ReadTransactions(new TransactionQuery()));
        JournaledTransaction record = Assert.Single(journal.ReadTransactions(Everything));
        Assert.Equal((StartState.Ended, ended.Status), (record.State, record.Transaction.Status));
        Assert.Equal(state, journal.FindUpload(IngestService.Voss, load.Server!, "users.xlsx")!.File!.State);
    }

    [Fact]
    public async Task A_journal_that_cannot_be_used_costs_a_look_one_warning()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        Transaction load = await voss.StartLoadAsync(voss.Write("users.xlsx", "a@example.org"));
        string path = Path.Join(_folder.Path, "journal.db");
        await File.WriteAllTextAsync(path, new string('x', 4096));
        using SqliteJournal broken = new(path, TimeProvider.System);
        voss.Journal = broken;

        List<WaitEvent> events = await voss.WaitAsync([load, load]);

        Assert.Equal(2, events.OfType<WaitEvent.Ended>().Count(ended => ended.Transaction.Status == TransactionStatus.Succeeded));
        Assert.Single(voss.Log.At(LogLevel.Warning), warning => warning.Contains(path, StringComparison.Ordinal));
    }

    [Fact]
    public void The_newest_upload_of_a_name_is_found_in_whichever_place_it_is()
    {
        using SqliteJournal journal = new(Path.Join(_folder.Path, "journal.db"), TimeProvider.System);
        // A long call can upload a file after a shorter one that began later.
        Add("sys", "one", job: 2);
        Add("sys.hcs.Provider", "three", job: 3);
        Add("sys.hcs", "two", job: 1);

        JournaledUpload? newest = journal.FindUpload(IngestService.Voss, "http://voss/", "users.xlsx");

        Assert.Equal(("sys.hcs", "two"), (newest?.Place.Name, newest?.File?.Path));
        Assert.Null(journal.FindUpload(IngestService.Voss, "http://other/", "users.xlsx"));

        void Add(string hierarchy, string path, long job)
        {
            using IPlaceJournal place = journal.OpenPlace(new JournalPlace(IngestService.Voss, "http://voss/", hierarchy));
            place.Write([
                new JournaledFile
                {
                    Name = "users.xlsx",
                    ServerName = "users.xlsx",
                    State = FileState.Sent,
                    Path = path,
                    Job = job,
                },
            ]);
        }
    }

    [Fact]
    public void A_project_that_is_idle_ends_all_of_its_runs()
    {
        using SqliteJournal journal = new(Path.Join(_folder.Path, "journal.db"), TimeProvider.System);
        Transaction run = new()
        {
            Id = "dsp:0001",
            Kind = TransactionKind.BulkIngest,
            Server = "http://dsp/",
            Status = TransactionStatus.Running,
        };
        JournaledStart start = new()
        {
            Kind = run.Kind,
            Place = new JournalPlace(IngestService.DspIngest, "http://dsp/", "0001"),
            Connection = "dsp",
            Transaction = run,
            ManualCheck = "check",
        };
        journal.LoseStart(journal.BeginStart(start), "check");
        journal.EndStart(journal.BeginStart(start), run);

        journal.Update(run with { Status = TransactionStatus.Succeeded });

        Assert.Empty(journal.ReadTransactions(new TransactionQuery()));
        Assert.Equal(
            [TransactionStatus.Succeeded, TransactionStatus.Unknown],
            journal.ReadTransactions(Everything).Select(record => record.Describe().Status).ToArray()
        );
    }
}
