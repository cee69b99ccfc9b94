using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Journal;

/// <summary>What the journal promises for DSP-INGEST: nothing twice, nothing forgotten.</summary>
public sealed class DspJournalTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Same_line_in_a_new_session_sends_and_starts_nothing()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 5);
        using JournalMachine first = new(dsp, "ada");
        await first.RunAsync(folder);

        using JournalMachine second = first.NewSession();
        (List<UploadResult> results, Transaction ended) = await second.RunAsync(folder);

        Assert.All(results, result => Assert.Equal((UploadStatus.Skipped, SkipReason.AlreadyIngested), (result.Status, result.Reason)));
        Assert.All(results, result => Assert.NotNull(result.Derivative));
        Assert.Equal((TransactionStatus.Succeeded, 5L, 5L), (ended.Status, ended.Completed, ended.Total));
        Assert.Equal(1, dsp.Project.Runs);
        Assert.All(dsp.Project.Histories.Values, history => Assert.Equal((1, 1), (history.Uploads, history.Ingests)));
    }

    [Fact]
    public async Task Only_new_and_changed_files_are_sent_and_ingested()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 5);
        using JournalMachine ada = new(dsp, "ada");
        await ada.RunAsync(folder);
        dsp.Folder.Write("scans/page 1.tif", 200);
        dsp.Folder.Write("scans/page 9.tif");

        (List<UploadResult> results, Transaction ended) = await ada.RunAsync(folder);

        Assert.Equal(
            ["page 1.tif", "page 9.tif"],
            results.Where(result => result.Status == UploadStatus.Uploaded).Select(result => result.RemoteName).Order()
        );
        Assert.Equal((TransactionStatus.Succeeded, 6L, 6L), (ended.Status, ended.Completed, ended.Total));
        Assert.Equal(2, dsp.Project.History("page 1.tif").Ingests);
        Assert.Equal(1, dsp.Project.History("page 2.tif").Ingests);
    }

    [Fact]
    public async Task Again_sends_what_was_ingested()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 2);
        using JournalMachine ada = new(dsp, "ada");
        await ada.RunAsync(folder);

        (List<UploadResult> results, _) = await ada.RunAsync(folder, new UploadOptions { Again = true });

        Assert.All(results, result => Assert.Equal(UploadStatus.Uploaded, result.Status));
        Assert.Equal(2, dsp.Project.History("page 1.tif").Ingests);
    }

    [Fact]
    public async Task File_replaced_by_another_of_the_same_size_and_time_is_sent_with_checksum()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 1);
        string file = Path.Join(folder, "page 1.tif");
        DateTime written = File.GetLastWriteTimeUtc(file);
        using JournalMachine ada = new(dsp, "ada");
        await ada.RunAsync(folder);
        byte[] other = File.ReadAllBytes(file);
        other[0] ^= 1;
        File.WriteAllBytes(file, other);
        File.SetLastWriteTimeUtc(file, written);

        List<UploadResult> byTime = await ada.SendAsync(folder);
        List<UploadResult> byContent = await ada.SendAsync(folder, new UploadOptions { Checksum = true });

        Assert.Equal(UploadStatus.Skipped, Assert.Single(byTime).Status);
        Assert.Equal(UploadStatus.Uploaded, Assert.Single(byContent).Status);
    }

    [Fact]
    public async Task Touched_file_is_skipped_with_checksum()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 1);
        using JournalMachine ada = new(dsp, "ada");
        await ada.RunAsync(folder);
        File.SetLastWriteTimeUtc(Path.Join(folder, "page 1.tif"), DateTime.UtcNow.AddDays(-3));

        List<UploadResult> results = await ada.SendAsync(folder, new UploadOptions { Checksum = true });

        Assert.Equal(SkipReason.AlreadyIngested, Assert.Single(results).Reason);
    }

    [Fact]
    public async Task Moved_folder_is_skipped_by_content()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 3);
        using JournalMachine ada = new(dsp, "ada");
        await ada.RunAsync(folder);
        string moved = Path.Join(dsp.Folder.Path, "moved");
        Directory.Move(folder, moved);

        List<UploadResult> results = await ada.SendAsync(moved);

        Assert.All(results, result => Assert.Equal(SkipReason.AlreadyIngested, result.Reason));
    }

    [Fact]
    public async Task File_of_another_folder_with_the_same_name_size_and_time_is_not_taken_for_ingested()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string first = dsp.Folder.Write("box1/page.tif", 64);
        string second = Path.Join(dsp.Folder.Path, "box2", "page.tif");
        Directory.CreateDirectory(Path.GetDirectoryName(second)!);
        File.WriteAllBytes(second, new byte[64]);
        File.SetLastWriteTimeUtc(second, File.GetLastWriteTimeUtc(first));
        using JournalMachine ada = new(dsp, "ada");
        await ada.RunAsync(first);

        UploadResult refused = Assert.Single(await ada.SendAsync(second));
        UploadResult sent = Assert.Single(await ada.SendAsync(second, new UploadOptions { Again = true }));

        Assert.Equal((UploadStatus.Failed, ErrorId.NameCollision), (refused.Status, refused.Error!.ErrorId));
        Assert.Contains(first, refused.Error.Message, StringComparison.Ordinal);
        Assert.Equal(UploadStatus.Uploaded, sent.Status);
    }

    [Fact]
    public async Task Files_that_a_run_under_way_is_ingesting_for_another_machine_are_not_sent_again()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestTimePerFile = TimeSpan.FromSeconds(4));
        string folder = WriteScans(dsp, 32);
        using JournalMachine ada = new(dsp, "ada");
        using JournalMachine bob = new(dsp, "bob");
        await ada.StartAsync(await ada.SendAsync(folder));

        (List<UploadResult> results, Transaction ended) = await bob.RunAsync(folder).WaitAsync(Limit);

        Assert.All(results, result => Assert.Equal(SkipReason.AlreadyIngested, result.Reason));
        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        Assert.Equal(32, dsp.Project.MappingCount);
    }

    [Fact]
    public async Task File_that_was_uploaded_without_the_journal_is_ingested_although_it_was_before()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 1);
        using JournalMachine ada = new(dsp, "ada");
        await ada.RunAsync(folder);

        List<UploadResult> results = await dsp.SendAsync(null, folder);
        Transaction ended = await ada.WaitAsync(await ada.StartAsync(results));

        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        Assert.Empty(dsp.Project.WaitingFiles);
        Assert.Equal(2, dsp.Project.History("page 1.tif").Ingests);
    }

    [Fact]
    public async Task Name_of_a_file_that_waits_for_its_ingest_is_refused_for_another_file()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string first = dsp.Folder.Write("box1/page.tif");
        string second = dsp.Folder.Write("box2/page.tif", 300);
        using JournalMachine ada = new(dsp, "ada");
        await ada.SendAsync(first);

        UploadResult result = Assert.Single(await ada.SendAsync(second));

        Assert.Equal((UploadStatus.Failed, ErrorId.NameCollision), (result.Status, result.Error!.ErrorId));
        Assert.Contains(first, result.Error.Message, StringComparison.Ordinal);
        Assert.Contains(second, result.Error.Message, StringComparison.Ordinal);
        Assert.Equal(TemporaryFolder.HashOf(first), Assert.Single(dsp.Project.WaitingFiles).Sha256.ToString());
    }

    [Fact]
    public async Task File_that_another_machine_sent_is_recognized_by_its_checksum()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 3);
        using JournalMachine ada = new(dsp, "ada");
        await ada.RunAsync(folder);
        dsp.Folder.Write("scans/page 2.tif", 500);

        using JournalMachine bob = new(dsp, "bob");
        (List<UploadResult> results, Transaction ended) = await bob.RunAsync(folder);

        Assert.Equal(
            ["page 1.tif", "page 3.tif"],
            results.Where(result => result.Reason == SkipReason.AlreadyIngested).Select(result => result.RemoteName).Order()
        );
        Assert.Equal("page 2.tif", Assert.Single(results, result => result.Status == UploadStatus.Uploaded).RemoteName);
        Assert.Contains(dsp.Log.At(LogLevel.Warning), text => text.Contains("page 2.tif is sent, although", StringComparison.Ordinal));
        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        Assert.Equal(1, dsp.Project.History("page 1.tif").Ingests);
    }

    [Fact]
    public async Task Change_that_a_colleague_has_ingested_is_recognized_by_its_checksum()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string page = dsp.Folder.Write("scans/page 1.tif");
        string folder = Path.Join(dsp.Folder.Path, "scans");
        byte[] first = await File.ReadAllBytesAsync(page);
        string theirs = dsp.Folder.Write("bobs/page 1.tif", 500);
        using JournalMachine ada = new(dsp, "ada");
        using JournalMachine bob = new(dsp, "bob");
        await ada.RunAsync(folder);
        await bob.RunAsync(theirs);

        File.Copy(theirs, page, overwrite: true);
        (List<UploadResult> changed, Transaction ended) = await ada.RunAsync(folder);
        await File.WriteAllBytesAsync(page, first);
        using JournalMachine later = ada.NewSession();
        (List<UploadResult> changedBack, _) = await later.RunAsync(folder);
        (List<UploadResult> unchanged, _) = await later.RunAsync(folder);

        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        Assert.All([.. changed, .. changedBack, .. unchanged], result => Assert.Equal(SkipReason.AlreadyIngested, result.Reason));
        Assert.Equal(unchanged[0].Derivative, changedBack[0].Derivative);
        Assert.NotEqual(changed[0].Derivative, changedBack[0].Derivative);
        Assert.Equal((2, 2), (dsp.Project.History("page 1.tif").Uploads, dsp.Project.History("page 1.tif").Ingests));
    }

    [Fact]
    public async Task Two_contents_of_one_name_that_others_ingested_are_both_recognized()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string[] theirs = [dsp.Folder.Write("bobs/page 1.tif", 500), dsp.Folder.Write("eves/page 1.tif", 600)];
        using JournalMachine bob = new(dsp, "bob");
        using JournalMachine eve = new(dsp, "eve");
        await bob.RunAsync(theirs[0]);
        await eve.RunAsync(theirs[1]);

        using JournalMachine ada = new(dsp, "ada");
        List<UploadResult> results = [.. await ada.SendAsync(theirs[0], new UploadOptions()), .. await ada.SendAsync(theirs[1])];

        Assert.All(results, result => Assert.Equal(SkipReason.AlreadyIngested, result.Reason));
        Assert.Equal(2, dsp.Project.History("page 1.tif").Uploads);
    }

    [Fact]
    public async Task Run_of_somebody_else_is_not_claimed_where_the_answer_to_the_own_start_was_lost()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestTimePerFile = TimeSpan.FromSeconds(1));
        string folder = WriteScans(dsp, 2);
        using JournalMachine ada = new(dsp, "ada");
        using JournalMachine bob = new(dsp, "bob");
        List<UploadResult> results = await ada.SendAsync(folder);
        dsp.SetFaults("stall=POST /projects/*/bulk-ingest");
        using CancellationTokenSource stop = new();
        Task<Transaction> lost = ada.StartAsync(results, stop.Token);
        await dsp.WaitUntilAsync(() =>
            ada.Journal.ReadTransactions(new IngestTools.Journal.TransactionQuery()).Count == 1 && dsp.Server.Requests.InFlight > 0
        );
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lost);
        dsp.Server.Faults.Clear();
        await bob.StartAsync(null);

        using JournalMachine later = ada.NewSession();
        Transaction started = await later.StartAsync(results.Select(Skipped)).WaitAsync(Limit);

        // Their run took the files along; the mapping shows so when the project is free, and nothing is claimed before.
        Assert.Equal((TransactionStatus.Succeeded, 2L), (started.Status, started.Completed));
        Assert.Equal("All 2 files had been ingested before, so nothing was started.", started.Message);
        Assert.Equal(1, dsp.Project.Runs);
        Assert.Empty(later.Journal.ReadTransactions(new IngestTools.Journal.TransactionQuery()));
    }

    [Fact]
    public async Task Start_that_fails_after_a_lost_answer_stays_recorded_where_the_mapping_could_not_be_read_before()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        using JournalMachine ada = new(dsp, "ada");
        List<UploadResult> results = await ada.SendAsync(WriteScans(dsp, 2));
        using IngestTools.Connections.IngestConnection hurried = dsp.Connect(new QuickTime(20));
        IDisposable held = await dsp.Project.HoldLockAsync();
        Task<Transaction> starting = await BeginStartAsync(dsp, hurried, ada.Journal, results);
        dsp.SetFaults("lost=1,POST /projects/*/bulk-ingest", "403=POST /projects/*/bulk-ingest");
        held.Dispose();

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => starting.WaitAsync(Limit));

        Assert.Equal(ErrorId.OutcomeUnknown, error.ErrorId);
        Assert.Equal(
            IngestTools.Journal.StartState.Lost,
            Assert.Single(ada.Journal.ReadTransactions(new IngestTools.Journal.TransactionQuery())).State
        );
        Assert.Equal(1, dsp.Project.Runs);
    }

    [Fact]
    public async Task Wait_that_fails_after_a_lost_answer_leaves_the_start_recorded()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        using JournalMachine ada = new(dsp, "ada");
        List<UploadResult> results = await ada.SendAsync(WriteScans(dsp, 1));
        using IngestTools.Connections.IngestConnection hurried = dsp.Connect(new QuickTime(20));
        IDisposable held = await dsp.Project.HoldLockAsync();
        Task<Transaction> starting = await BeginStartAsync(dsp, hurried, ada.Journal, results);
        dsp.SetFaults("lost=1,POST /projects/*/bulk-ingest", "409=POST /projects/*/bulk-ingest");
        held.Dispose();
        await dsp.WaitUntilAsync(() =>
            dsp.Server.Requests.Snapshot()
                .Count(r => r is { Method: "POST", Status: 409 } && r.Target.EndsWith("/bulk-ingest", StringComparison.Ordinal)) > 1
        );

        dsp.SetFaults("409=POST /projects/*/bulk-ingest", "403=GET");
        IngestException error = await Assert.ThrowsAsync<IngestException>(() => starting.WaitAsync(Limit));

        Assert.Equal(ErrorId.OutcomeUnknown, error.ErrorId);
        Assert.Equal(
            IngestTools.Journal.StartState.Lost,
            Assert.Single(ada.Journal.ReadTransactions(new IngestTools.Journal.TransactionQuery())).State
        );
        Assert.Equal(1, dsp.Project.Runs);
    }

    [Fact]
    public async Task Project_that_is_finalized_after_a_lost_answer_is_no_reason_to_send_again()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        using JournalMachine ada = new(dsp, "ada");
        List<UploadResult> results = await ada.SendAsync(WriteScans(dsp, 1));
        using JournalMachine somebody = new(dsp, "somebody");
        UploadedNames names = new();
        results.ForEach(result => names.Add(result.RemoteName, result.Sha256));
        // The look after the lost answer takes so long that somebody finalizes the project meanwhile.
        dsp.SetFaults("lost=1,POST /projects/*/bulk-ingest", "latency=10s,1,GET");

        Task<Transaction> starting = ada.Client.StartAsync(
            DspHarness.Shortcode,
            names,
            default(IngestTools.Services.DspIngest.MappingMark),
            CancellationToken.None
        );
        await dsp.WaitUntilAsync(() =>
            dsp.Server.Faults.Applied(FaultKind.Latency) == 1 && dsp.Project is { MappingCount: 1, IsLocked: false }
        );
        await somebody.Client.CompleteAsync("0001", null, force: true, CancellationToken.None).WaitAsync(Limit);
        IngestException error = await Assert.ThrowsAsync<IngestException>(() => starting.WaitAsync(Limit));

        Assert.Equal(ErrorId.OutcomeUnknown, error.ErrorId);
        Assert.Equal(
            IngestTools.Journal.StartState.Lost,
            Assert.Single(ada.Journal.ReadTransactions(new IngestTools.Journal.TransactionQuery())).State
        );
        Assert.Equal(1, dsp.Project.History("page 1.tif").Ingests);
    }

    [Theory]
    [InlineData(true, SkipReason.AlreadyIngested)]
    [InlineData(false, SkipReason.AlreadySent)]
    public async Task Files_that_another_call_of_this_process_sent_meanwhile_are_not_sent_again(bool isIngested, SkipReason reason)
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 3);
        using JournalMachine ada = new(dsp, "ada");
        using JournalMachine other = ada.NewSession();
        bool hasRun = false;
        UploadOptions options = new()
        {
            // Each file was compared with the journal before this is asked.
            Confirm = async _ =>
            {
                if (!hasRun && isIngested)
                    await other.RunAsync(folder);
                else if (!hasRun)
                    await other.SendAsync(folder);
                hasRun = true;
                return true;
            },
        };

        List<UploadResult> results = await ada.SendAsync(folder, options).WaitAsync(Limit);

        Assert.All(results, result => Assert.Equal((UploadStatus.Skipped, reason), (result.Status, result.Reason)));
        Assert.Equal(3, results.Count);
        Assert.All(dsp.Project.Histories.Values, history => Assert.Equal(1, history.Uploads));
    }

    [Fact]
    public async Task Start_that_is_canceled_while_the_lock_is_waited_for_leaves_no_record()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestTimePerFile = TimeSpan.FromMinutes(10));
        using JournalMachine ada = new(dsp, "ada");
        using JournalMachine bob = new(dsp, "bob");
        List<UploadResult> results = await ada.SendAsync(WriteScans(dsp, 1));
        await bob.StartAsync(null);
        using CancellationTokenSource stop = new();
        Task<Transaction> waiting = ada.StartAsync(results, stop.Token);
        await dsp.WaitUntilAsync(() =>
            dsp.Log.At(LogLevel.Warning).Any(text => text.Contains("is started when it is free", StringComparison.Ordinal))
        );

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Empty(ada.Journal.ReadTransactions(new IngestTools.Journal.TransactionQuery { IncludesEnded = true }));
        Assert.Equal(1, dsp.Project.Runs);
    }

    [Theory]
    [InlineData(-3650)]
    [InlineData(-1)]
    [InlineData(3650)]
    public async Task Clock_that_is_set_back_or_ahead_sends_nothing_twice_and_forgets_nothing(int days)
    {
        FakeTimeProvider time = new(DateTimeOffset.UtcNow);
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 3);
        using JournalMachine first = new(dsp, "ada", time);
        await first.RunAsync(folder);
        dsp.Folder.Write("scans/page 4.tif");
        await first.SendAsync(folder);
        DateTimeOffset now = time.GetUtcNow();

        foreach (DateTimeOffset clock in (DateTimeOffset[])[now.AddDays(days), now.AddDays(days).AddHours(1), now.AddHours(1)])
        {
            time.AdjustTime(clock);
            dsp.Folder.Write($"scans/of {clock:yyyyMMddHHmm}.tif");
            using JournalMachine later = first.NewSession();
            (List<UploadResult> results, Transaction ended) = await later.RunAsync(folder);
            Assert.Equal(TransactionStatus.Succeeded, ended.Status);
            Assert.Equal(
                $"of {clock:yyyyMMddHHmm}.tif",
                Assert.Single(results, result => result.Status == UploadStatus.Uploaded).RemoteName
            );
        }

        Assert.Equal(7, dsp.Project.Histories.Count);
        Assert.All(dsp.Project.Histories.Values, history => Assert.Equal((1, 1), (history.Uploads, history.Ingests)));
        using JournalMachine last = first.NewSession();
        Assert.Equal(5, last.Journal.ReadJobs(new IngestTools.Journal.JobQuery()).Count);
        Assert.Equal(4, last.Journal.ReadTransactions(new IngestTools.Journal.TransactionQuery { IncludesEnded = true }).Count);
    }

    [SkippableFact]
    public async Task Disk_that_is_full_under_the_journal_ends_the_line_and_the_next_one_does_nothing_twice()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 1500);
        using SmallDisk disk = SmallDisk.Mount(Path.Join(dsp.Folder.Path, "ada"), kilobytes: 256);
        using JournalMachine first = new(dsp, "ada");

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => first.RunAsync(folder)).WaitAsync(Limit);
        int sent = dsp.Project.Histories.Count;
        disk.Resize(kilobytes: 64 * 1024);
        using JournalMachine later = first.NewSession();
        (List<UploadResult> results, Transaction ended) = await later.RunAsync(folder);

        Assert.Equal(ErrorId.JournalUnavailable, error.ErrorId);
        Assert.Contains(Path.Join(disk.Path, "journal.db"), error.Message, StringComparison.Ordinal);
        Assert.Contains("the disk is full", error.Message, StringComparison.Ordinal);
        Assert.InRange(sent, 1, 1499);
        Assert.Equal((TransactionStatus.Succeeded, 1500L), (ended.Status, ended.Completed));
        Assert.Equal(1500, results.Count(result => result.IsOnServer));
        Assert.Equal(1500, dsp.Project.Histories.Count);
        Assert.All(dsp.Project.Histories.Values, history => Assert.Equal(1, history.Ingests));
    }

    [Fact]
    public async Task Files_that_the_run_of_another_machine_ingested_are_not_called_failed()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        using JournalMachine ada = new(dsp, "ada");
        using JournalMachine bob = new(dsp, "bob");
        List<UploadResult> adas = await ada.SendAsync(dsp.Folder.Write("ada/a.tif"));
        List<UploadResult> bobs = await bob.SendAsync(dsp.Folder.Write("bob/b.tif"));
        await ada.WaitAsync(await ada.StartAsync(adas));

        Transaction started = await bob.StartAsync(bobs);
        Transaction ended = started.IsTerminal ? started : await bob.WaitAsync(started);

        Assert.Equal((TransactionStatus.Succeeded, 1L, 1L), (ended.Status, ended.Completed, ended.Total));
        Assert.All(dsp.Project.Histories.Values, history => Assert.Equal(1, history.Ingests));
    }

    [Fact]
    public async Task Files_that_the_run_of_somebody_else_ingested_are_not_called_failed_without_a_journal()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Write("a.tif"));
        UploadedNames names = new();
        names.Add("a.tif", results[0].Sha256);
        await dsp.WaitAsync(await dsp.StartIngestAsync(results));

        List<IngestTools.Transactions.WaitEvent> events = await dsp.WaitAsync(
            await dsp.Client.StartAsync("0001", names, CancellationToken.None)
        );

        Transaction ended = Assert.IsType<IngestTools.Transactions.WaitEvent.Ended>(events[^1]).Transaction;
        Assert.Equal((TransactionStatus.Succeeded, 1L), (ended.Status, ended.Completed));
    }

    [Fact]
    public async Task Lost_answer_in_a_session_that_uploaded_nothing_is_not_a_second_start()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestTimePerFile = TimeSpan.FromMilliseconds(300));
        using JournalMachine first = new(dsp, "ada");
        await first.SendAsync(WriteScans(dsp, 3));
        dsp.SetFaults("lost=1,POST /projects/*/bulk-ingest");

        using JournalMachine second = first.NewSession();
        Transaction ended = await second.WaitAsync(await second.StartAsync(null)).WaitAsync(Limit);

        Assert.Equal((TransactionStatus.Succeeded, 3L), (ended.Status, ended.Completed));
        Assert.Equal(1, dsp.Project.Runs);
    }

    [Fact]
    public async Task Lost_answer_to_a_start_that_runs_for_long_does_not_hold_up_the_caller()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestTimePerFile = TimeSpan.FromMinutes(10));
        using JournalMachine ada = new(dsp, "ada");
        List<UploadResult> results = await ada.SendAsync(WriteScans(dsp, 1));
        dsp.SetFaults("lost=1,POST /projects/*/bulk-ingest");

        Transaction started = await ada.StartAsync(results).WaitAsync(Limit);

        Assert.Equal(TransactionStatus.Running, started.Status);
        Assert.True(dsp.Project.IsLocked);
        Assert.Equal(1, dsp.Project.Runs);
    }

    [Fact]
    public async Task Same_line_while_the_run_is_under_way_follows_it()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestTimePerFile = TimeSpan.FromMilliseconds(500));
        string folder = WriteScans(dsp, 10);
        using JournalMachine first = new(dsp, "ada");
        await first.StartAsync(await first.SendAsync(folder));

        using JournalMachine second = first.NewSession();
        (List<UploadResult> results, Transaction ended) = await second.RunAsync(folder);

        Assert.All(results, result => Assert.Equal(UploadStatus.Skipped, result.Status));
        Assert.Equal((TransactionStatus.Succeeded, 10L, 10L), (ended.Status, ended.Completed, ended.Total));
        Assert.Equal(1, dsp.Project.Runs);
    }

    [Fact]
    public async Task Id_alone_in_a_new_session_reports_what_was_left_over()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = DspIngestOptions.FilesLike("*2.tif"));
        using JournalMachine first = new(dsp, "ada");
        await first.StartAsync(await first.SendAsync(WriteScans(dsp, 3)));

        using JournalMachine second = first.NewSession();
        Transaction ended = await second.WaitAsync(IngestTools.Transactions.TransactionSources.Parse("dsp:0001").Transaction);

        Assert.Equal((TransactionStatus.PartlySucceeded, 2L, 3L), (ended.Status, ended.Completed, ended.Total));
    }

    [Fact]
    public async Task Left_over_file_is_sent_again_by_the_same_line()
    {
        bool fails = true;
        await using DspHarness dsp = await DspHarness.StartAsync(options =>
            options.IngestFails = name => fails && name.Contains('2', StringComparison.Ordinal)
        );
        string folder = WriteScans(dsp, 3);
        using JournalMachine ada = new(dsp, "ada");
        (_, Transaction first) = await ada.RunAsync(folder);
        fails = false;

        using JournalMachine later = ada.NewSession();
        (List<UploadResult> results, Transaction second) = await later.RunAsync(folder);

        Assert.Equal(TransactionStatus.PartlySucceeded, first.Status);
        Assert.Equal("page 2.tif", Assert.Single(results, result => result.Status == UploadStatus.Uploaded).RemoteName);
        Assert.Equal((TransactionStatus.Succeeded, 3L, 3L), (second.Status, second.Completed, second.Total));
        Assert.All(dsp.Project.Histories.Values, history => Assert.Equal(1, history.Ingests));
    }

    [Fact]
    public async Task Rerun_after_finalizing_still_skips()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 3);
        using JournalMachine ada = new(dsp, "ada");
        await ada.RunAsync(folder);
        await ada.Client.CompleteAsync("0001", Path.Join(dsp.Folder.Path, "mapping.csv"), force: false, CancellationToken.None);

        using JournalMachine later = ada.NewSession();
        (List<UploadResult> results, Transaction ended) = await later.RunAsync(folder);
        await later.Client.CompleteAsync("0001", null, force: false, CancellationToken.None);

        Assert.All(results, result => Assert.Equal(SkipReason.AlreadyIngested, result.Reason));
        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        Assert.All(dsp.Project.Histories.Values, history => Assert.Equal((1, 1), (history.Uploads, history.Ingests)));
    }

    [Fact]
    public async Task Finalizing_what_another_process_finalizes_in_the_same_moment_ends_well()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        using JournalMachine ada = new(dsp, "ada");
        await ada.RunAsync(WriteScans(dsp, 2));
        using JournalMachine other = ada.NewSession();
        bool hasFinalized = false;
        other.Connection.AskBeforeChange(
            async (_, token) =>
            {
                if (!hasFinalized)
                    await ada.Client.CompleteAsync("0001", Path.Join(dsp.Folder.Path, "mapping.csv"), force: false, token);
                hasFinalized = true;
            }
        );

        await other.Client.CompleteAsync("0001", null, force: true, CancellationToken.None).WaitAsync(Limit);

        Assert.True(hasFinalized);
        Assert.Contains(dsp.Log.At(LogLevel.Warning), text => text.Contains("finalized before", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Files_that_somebody_elses_finalize_removed_are_sent_again()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        using JournalMachine ada = new(dsp, "ada");
        using JournalMachine bob = new(dsp, "bob");
        await ada.RunAsync(dsp.Folder.Write("scans/page 1.tif"));
        string folder = Path.Join(dsp.Folder.Path, "scans");
        dsp.Folder.Write("scans/page 2.tif");
        await ada.SendAsync(folder);
        await bob.Client.CompleteAsync("0001", Path.Join(dsp.Folder.Path, "bobs.csv"), force: true, CancellationToken.None);

        using JournalMachine later = ada.NewSession();
        (List<UploadResult> results, Transaction ended) = await later.RunAsync(folder);

        Assert.Equal("page 2.tif", Assert.Single(results, result => result.Status == UploadStatus.Uploaded).RemoteName);
        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        Assert.All(dsp.Project.Histories.Values, history => Assert.Equal(1, history.Ingests));
    }

    [Fact]
    public async Task Files_that_a_finalize_before_any_ingest_removed_are_sent_again_by_the_next_line()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 2);
        using JournalMachine ada = new(dsp, "ada");
        using JournalMachine bob = new(dsp, "bob");
        await ada.SendAsync(folder);
        await bob.Client.CompleteAsync("0001", null, force: true, CancellationToken.None);

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => ada.RunAsync(folder));
        (_, Transaction ended) = await ada.RunAsync(folder);

        Assert.Equal(ErrorId.NotFound, error.ErrorId);
        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
    }

    [Fact]
    public async Task Finalizing_refuses_what_an_earlier_session_sent_and_did_not_ingest()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        using JournalMachine ada = new(dsp, "ada");
        await ada.RunAsync(dsp.Folder.Write("scans/page 1.tif"));
        await ada.SendAsync(dsp.Folder.Write("scans/page 2.tif"));

        using JournalMachine later = ada.NewSession();
        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            later.Client.CompleteAsync("0001", Path.Join(dsp.Folder.Path, "mapping.csv"), force: false, CancellationToken.None)
        );

        Assert.Equal(ErrorId.LeftOvers, error.ErrorId);
        Assert.Contains("page 2.tif", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Results_of_an_earlier_session_come_back()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 3);
        dsp.Folder.Write("scans/draft#1.tif");
        using JournalMachine ada = new(dsp, "ada");
        await ada.SendAsync(folder);

        using JournalMachine later = ada.NewSession();
        IngestJob job = Assert.Single(later.Journal.ReadJobs(new IngestTools.Journal.JobQuery()));
        List<UploadResult> results = [.. later.Journal.ReadResults(IngestJob.ParseId(job.Id))];

        Assert.Equal((IngestJobStatus.Completed, 3L, 1L), (job.Status, job.Uploaded, job.Failed));
        Assert.Equal(3, results.Count(result => result.Status == UploadStatus.Uploaded && File.Exists(result.Path)));
        Assert.Equal(ErrorId.NameRejected, Assert.Single(results, result => result.Status == UploadStatus.Failed).Error!.ErrorId);
    }

    [Fact]
    public async Task Rehearsal_asks_only_about_what_would_be_sent_and_records_nothing()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = WriteScans(dsp, 3);
        using JournalMachine ada = new(dsp, "ada");
        await ada.RunAsync(folder);
        dsp.Folder.Write("scans/page 9.tif");
        long requests = dsp.Server.Requests.Started;
        List<string> asked = [];

        await ada.SendAsync(
            folder,
            new UploadOptions
            {
                IsRehearsal = true,
                Confirm = item =>
                {
                    asked.Add(item.RemoteName);
                    return ValueTask.FromResult(false);
                },
            }
        );

        Assert.Equal(["page 9.tif"], asked);
        Assert.Equal(requests, dsp.Server.Requests.Started);
        Assert.Single(ada.Journal.ReadJobs(new IngestTools.Journal.JobQuery()));
    }

    /// <summary>The result of the same file when the same line is typed again.</summary>
    private static UploadResult Skipped(UploadResult result) =>
        new()
        {
            Path = result.Path,
            RemoteName = result.RemoteName,
            Sha256 = result.Sha256,
            Status = UploadStatus.Skipped,
            Reason = SkipReason.AlreadySent,
        };

    private static string WriteScans(DspHarness dsp, int count)
    {
        for (int i = 1; i <= count; i++)
            dsp.Folder.Write($"scans/page {i}.tif");
        return Path.Join(dsp.Folder.Path, "scans");
    }

    /// <summary>Starts an ingest of a project whose lock is held, and returns once the start waits for it.</summary>
    private static async Task<Task<Transaction>> BeginStartAsync(
        DspHarness dsp,
        IngestTools.Connections.IngestConnection connection,
        IngestTools.Journal.IIngestJournal journal,
        List<UploadResult> results
    )
    {
        UploadedNames names = new();
        results.ForEach(result => names.Add(result.RemoteName, result.Sha256));
        Task<Transaction> starting = new IngestTools.Services.DspIngest.DspIngestClient(connection, dsp.Log, journal).StartAsync(
            DspHarness.Shortcode,
            names,
            CancellationToken.None
        );
        await dsp.WaitUntilAsync(() =>
            dsp.Log.At(LogLevel.Warning).Any(text => text.Contains("is started when it is free", StringComparison.Ordinal))
        );
        return starting;
    }
}
