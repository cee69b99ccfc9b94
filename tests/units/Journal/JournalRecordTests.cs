using IngestTools.Journal;
using Xunit;

namespace IngestTools.Units.Journal;

/// <summary>What is recorded, read, forgotten and deleted.</summary>
public sealed class JournalRecordTests : JournalTests
{
    private static readonly JournalPlace OtherProject = JournalProgram.PlaceOf("0002");

    private static readonly JournalPlace Hierarchy = new(IngestService.Voss, JournalProgram.Server, "0001");

    [Fact]
    public async Task What_was_sent_is_known_with_all_that_was_recorded_of_it()
    {
        JournaledFile sent = FileOf("box 1/a.tif");

        long job = await SendAsync(Project, sent.Name);

        Assert.Equal(sent with { Job = job }, Find(sent.Name));
        Assert.Null(Find("box 1/b.tif"));
        Assert.Null(Find(sent.Name, OtherProject));
        Assert.Null(Find(sent.Name, Project with { Server = "http://127.0.0.1:2/" }));
        Assert.Null(Find(sent.Name, Hierarchy));
    }

    [Fact]
    public void A_file_that_was_sent_from_elsewhere_needs_no_more_than_its_name()
    {
        using IPlaceJournal place = Journal.OpenPlace(Project);

        place.Write([
            new JournaledFile
            {
                Name = "a.tif",
                State = FileState.Elsewhere,
                ServerName = "x.jp2",
            },
        ]);

        Assert.Equal(
            new JournaledFile
            {
                Name = "a.tif",
                State = FileState.Elsewhere,
                ServerName = "x.jp2",
            },
            place.Find("a.tif")
        );
    }

    [Theory]
    [InlineData("e\u0301.tif", "\u00e9.tif")]
    [InlineData("A.tif", "a.tif")]
    [InlineData("a'b\".tif", "a'b'.tif")]
    public async Task Names_are_told_apart_as_the_server_tells_them_apart(string first, string second)
    {
        await SendAsync(Project, first);

        Assert.Equal(first, Find(first)!.Name);
        Assert.Null(Find(second));
    }

    [Fact]
    public async Task What_another_process_records_after_a_place_was_opened_is_seen()
    {
        using IPlaceJournal place = Journal.OpenPlace(Project);
        Assert.Null(place.Find("a.tif"));

        await SendAsync(Project, "a.tif");

        // A look-up shares its read transaction with those of the second before it.
        Assert.True(SpinWait.SpinUntil(() => place.Find("a.tif") is not null, TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task A_place_that_is_open_does_not_make_the_write_ahead_log_grow()
    {
        await SendAsync(Project, "first.tif");
        using IPlaceJournal place = Journal.OpenPlace(Project);
        Assert.NotNull(place.Find("first.tif"));
        string log = $"{Path}-wal";
        // The read transaction of the look-up ends by itself, and the log begins anew.
        await SendAsync(OtherProject, [.. Enumerable.Range(1, 5000).Select(i => $"{i:D8}.tif")]);
        Assert.True(SpinWait.SpinUntil(() => TryRestartLog(), TimeSpan.FromSeconds(30)));

        Assert.Equal(0, new FileInfo(log).Length);

        bool TryRestartLog()
        {
            using Microsoft.Data.Sqlite.SqliteConnection connection = new JournalFile(Path).Open(isDurable: false);
            return connection.ReadNumber("PRAGMA wal_checkpoint(TRUNCATE)") == 0;
        }
    }

    [Fact]
    public async Task Files_of_a_state_are_read_in_pages_without_a_gap()
    {
        string[] names = [.. Enumerable.Range(1, 2500).Select(i => $"{i:D5}.tif")];
        await SendAsync(Project, names);
        using IPlaceJournal place = Journal.OpenPlace(Project);
        place.Write([FileOf("00007.tif", FileState.Ingested), FileOf("01000.tif", FileState.LeftOver)]);

        string[] read = [.. place.Read(FileState.Sent).Select(f => f.Name)];

        Assert.Equal(names.Except(["00007.tif", "01000.tif"]), read);
        Assert.Equal(2498, place.Count(FileState.Sent));
        Assert.Equal("01000.tif", Assert.Single(place.Read(FileState.LeftOver)).Name);
    }

    [Fact]
    public async Task Results_of_a_job_outlive_a_later_job_that_sends_the_same_names()
    {
        string[] names = [.. Enumerable.Range(1, 2100).Select(i => $"{i:D5}.tif")];
        long first = await SendAsync(Project, names);
        long second = await SendAsync(Project, names);
        long third = await SendAsync(Project, names[..10]);

        Assert.Equal(names, ResultsOf(first));
        Assert.Equal(names, ResultsOf(second));
        Assert.Equal(names[..10], ResultsOf(third));
        Assert.Equal((2100, 0, 0, 210_000), CountsOf(first));
        Assert.Equal(third, Find(names[0])!.Job);
    }

    [Fact]
    public async Task Results_of_a_job_outlive_a_project_that_forgets_its_files()
    {
        long job = await SendAsync(Project, "a.tif", "b.tif");
        using IPlaceJournal place = Journal.OpenPlace(Project);
        place.Write([FileOf("b.tif", FileState.LeftOver) with { Job = job }]);

        place.Forget(FileState.Sent);
        place.Forget(FileState.LeftOver);

        Assert.Null(place.Find("a.tif"));
        Assert.Null(place.Find("b.tif"));
        Assert.Equal(["a.tif", "b.tif"], ResultsOf(job));
    }

    [Fact]
    public async Task A_result_that_is_given_back_can_be_sent_and_started_again()
    {
        long number;
        using (IUploadJob job = Journal.BeginJob(Project, "test", null))
        {
            number = job.Number;
            await job.RecordAsync(FileOf("box 1/a.tif"), 100);
            await job.RecordAsync(FailureOf("box 1/b.tif"));
            await job.CompleteAsync(IngestJobStatus.Completed);
        }

        UploadResult[] results = [.. Journal.ReadResults(number)];

        UploadResult sent = Assert.Single(results, r => r.Status == UploadStatus.Uploaded);
        Assert.Equal(("/scans/box 1/a.tif", "box 1/a.tif", "0001", 100), (sent.Path, sent.RemoteName, sent.Shortcode, sent.Length));
        Assert.Equal((FileOf("box 1/a.tif").Sha256, "test", JournalProgram.Server), (sent.Sha256, sent.Connection, sent.Server));
        UploadResult failed = Assert.Single(results, r => r.Status == UploadStatus.Failed);
        Assert.Equal(("/scans/box 1/b.tif", "box 1/b.tif", "0001", 7), (failed.Path, failed.RemoteName, failed.Shortcode, failed.Length));
        Assert.Equal((ErrorId.TooLarge, "It is too large."), (failed.Error!.ErrorId, failed.Error.Message));
        Assert.Contains($"Get-UploadResult -Job job:{number} -Status Failed", failed.Error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_was_found_on_the_server_is_skipped_and_no_result_of_the_job()
    {
        long number;
        using (IUploadJob job = Journal.BeginJob(Project, "test", null))
        {
            number = job.Number;
            await job.RecordAsync(FileOf("a.tif", FileState.Ingested), null);
            job.Skip();
            job.Skip();
            await job.CompleteAsync(IngestJobStatus.Completed);
        }

        Assert.Equal((0, 0, 2, 0), CountsOf(number));
        Assert.Empty(ResultsOf(number));
        Assert.Equal(0, Find("a.tif")!.Job);
    }

    [Fact]
    public async Task A_job_that_is_dropped_without_its_end_is_interrupted_and_holds_nobody_up()
    {
        IUploadJob job = Journal.BeginJob(Project, "test", null);
        await job.RecordAsync(FileOf("a.tif"), 100);
        Assert.Equal(IngestJobStatus.Running, JobOf(job.Number).Status);
        Assert.Null(JobOf(job.Number).CompletedAt);

        job.Dispose();

        Assert.Equal(IngestJobStatus.Interrupted, JobOf(job.Number).Status);
        Assert.Equal(Time.GetUtcNow(), JobOf(job.Number).CompletedAt);
        Assert.Equal((1, 0, 0, 100), CountsOf(job.Number));
        Assert.NotNull(Find("a.tif"));
    }

    [Fact]
    public async Task Jobs_come_newest_first_also_after_the_clock_was_set_back()
    {
        DateTimeOffset began = Time.GetUtcNow();
        long first = await SendAsync(Project, "a.tif");
        Time.AdjustTime(Time.GetUtcNow() + TimeSpan.FromDays(-30));
        long second = await SendAsync(Project, "b.tif");

        Assert.Equal([IngestJob.FormatId(second), IngestJob.FormatId(first)], Journal.ReadJobs(new JobQuery()).Select(j => j.Id));
        Assert.Equal(IngestJob.FormatId(second), Assert.Single(Journal.ReadJobs(new JobQuery { Last = 1 })).Id);
        Assert.Equal(IngestJob.FormatId(first), Assert.Single(Journal.ReadJobs(new JobQuery { Since = began })).Id);
        using IPlaceJournal place = Journal.OpenPlace(Project);
        Assert.Equal(second, place.LastEndedJob);
        Assert.All(["a.tif", "b.tif"], name => Assert.NotNull(place.Find(name)));
    }

    [Fact]
    public async Task A_clock_that_is_ahead_for_a_moment_costs_no_record_of_a_file()
    {
        await SendAsync(Project, "a.tif");
        Time.AdjustTime(Time.GetUtcNow() + TimeSpan.FromDays(4000));
        using (SqliteJournal ahead = new(Path, Time))
            ahead.BeginJob(OtherProject, "test", null).Dispose();
        Time.AdjustTime(Time.GetUtcNow() + TimeSpan.FromDays(-4000));

        Assert.Equal(FileState.Sent, Find("a.tif")!.State);
    }

    [Fact]
    public async Task Jobs_and_transactions_are_deleted_after_400_days_and_records_of_files_stay()
    {
        long old = await SendAsync(Project, "a.tif", "b.tif");
        await SendAsync(Project, "b.tif");
        long key = Journal.BeginStart(StartOf(Project));
        Journal.EndStart(key, StartOf(Project).Transaction with { Status = TransactionStatus.Succeeded });
        Journal.BeginStart(StartOf(OtherProject, "dsp:0002"));
        for (int month = 1; month <= 13; month++)
        {
            Time.AdjustTime(Time.GetUtcNow() + TimeSpan.FromDays(30));
            using SqliteJournal monthly = new(Path, Time);
            monthly.BeginJob(Project, "test", null).Dispose();
        }

        Time.AdjustTime(Time.GetUtcNow() + TimeSpan.FromDays(9));
        using (SqliteJournal before = new(Path, Time))
            before.BeginJob(Project, "test", null).Dispose();
        Assert.Equal(16, Journal.ReadJobs(new JobQuery()).Count);

        Time.AdjustTime(Time.GetUtcNow() + TimeSpan.FromDays(3));
        using SqliteJournal after = new(Path, Time);
        after.BeginJob(Project, "test", null).Dispose();

        Assert.Equal(Enumerable.Range(3, 15).Reverse().Select(number => $"job:{number}"), after.ReadJobs(new JobQuery()).Select(j => j.Id));
        Assert.Empty(after.ReadTransactions(new TransactionQuery { IncludesEnded = true }));
        Assert.Equal(ErrorId.NotFound, Assert.Throws<IngestException>(() => after.ReadResults(old).ToList()).ErrorId);
        Assert.Equal(FileState.Sent, Find("a.tif")!.State);
        Assert.Equal("/scans/b.tif", Find("b.tif")!.Path);
    }

    [Fact]
    public void A_look_at_a_run_changes_nothing_of_a_start_that_is_still_being_sent()
    {
        Transaction first = StartOf(Project, "dsp:0001").Transaction with { Status = TransactionStatus.Running };
        Journal.EndStart(Journal.BeginStart(StartOf(Project, "dsp:0001")), first);
        long second = Journal.BeginStart(StartOf(Project, "dsp:0001"));

        Journal.Update(first with { Status = TransactionStatus.Succeeded });

        IReadOnlyList<JournaledTransaction> starts = Journal.ReadTransactions(new TransactionQuery { IncludesEnded = true });
        Assert.Equal([StartState.Starting, StartState.Ended], starts.Select(start => start.State));
        Assert.Equal(second, starts[0].Key);
        Journal.LoseStart(second, "look");
        Assert.Equal(StartState.Lost, Journal.ReadTransactions(new TransactionQuery()).Single().State);
    }

    [Fact]
    public void The_last_job_that_ended_is_none_that_is_newer_than_one_that_runs()
    {
        Journal.BeginJob(Project, "test", null).Dispose();
        using IUploadJob running = Journal.BeginJob(Project, "test", null);
        Journal.BeginJob(Project, "test", null).Dispose();
        using IPlaceJournal place = Journal.OpenPlace(Project);

        Assert.Equal(running.Number - 1, place.LastEndedJob);
    }

    [Fact]
    public async Task A_clock_that_is_years_ahead_deletes_no_history()
    {
        DateTimeOffset now = Time.GetUtcNow();
        await SendAsync(Project, "a.tif");
        Journal.EndStart(Journal.BeginStart(StartOf(Project)), StartOf(Project).Transaction with { Status = TransactionStatus.Succeeded });

        // Ahead for two days, then right again.
        foreach (
            TimeSpan ahead in (TimeSpan[])[TimeSpan.FromDays(3650), TimeSpan.FromDays(3651), TimeSpan.FromDays(3652), TimeSpan.FromDays(3)]
        )
        {
            Time.AdjustTime(now + ahead);
            using SqliteJournal journal = new(Path, Time);
            journal.BeginJob(Project, "test", null).Dispose();
        }

        Assert.Equal(5, Journal.ReadJobs(new JobQuery()).Count);
        Assert.Single(Journal.ReadTransactions(new TransactionQuery { IncludesEnded = true }));
    }

    [Fact]
    public void A_transaction_that_is_named_is_cleared_although_it_has_not_ended_and_nothing_else_is()
    {
        Journal.EndStart(Journal.BeginStart(StartOf(Project, "dsp:0001")), StartOf(Project, "dsp:0001").Transaction);
        Journal.EndStart(Journal.BeginStart(StartOf(OtherProject, "dsp:0002")), StartOf(OtherProject, "dsp:0002").Transaction);
        Journal.BeginJob(Project, "test", null).Dispose();

        Assert.Equal(new JournalCleared(0, 0, 1), Journal.Clear(new ClearQuery { Id = "dsp:0002" }));

        Assert.Equal("dsp:0001", Assert.Single(Journal.ReadTransactions(new TransactionQuery())).Transaction.Id);
        Assert.Single(Journal.ReadJobs(new JobQuery()));
    }

    [Fact]
    public async Task Clear_deletes_all_that_has_ended_and_gives_the_space_back()
    {
        await SendAsync(Project, [.. Enumerable.Range(1, 5000).Select(i => $"{i:D5}.tif")]);
        Journal.EndStart(Journal.BeginStart(StartOf(Project)), StartOf(Project).Transaction with { Status = TransactionStatus.Succeeded });
        JournalCleared expected = Journal.Count(new ClearQuery());
        Assert.Equal(new JournalCleared(5000, 1, 1), expected);

        JournalCleared cleared = Journal.Clear(new ClearQuery());

        Assert.Equal(expected, cleared);
        Assert.Equal(new JournalCleared(0, 0, 0), Journal.Count(new ClearQuery()));
        Assert.Null(Find("00001.tif"));
        Journal.Dispose();
        byte[] left = await File.ReadAllBytesAsync(Path);
        Assert.InRange(left.Length, 1, 128 * 1024);
        Assert.Equal(-1, left.AsSpan().IndexOf("/scans/"u8));
        Assert.Equal(-1, left.AsSpan().IndexOf("00001.tif"u8));
    }

    [Fact]
    public async Task Clear_of_a_project_leaves_others_and_a_hierarchy_of_the_same_name()
    {
        await SendAsync(Project, "a.tif");
        await SendAsync(OtherProject, "a.tif");
        await SendAsync(Hierarchy, "a.tif");

        JournalCleared cleared = Journal.Clear(new ClearQuery { Shortcode = "0001" });

        Assert.Equal(new JournalCleared(1, 1, 0), cleared);
        Assert.Null(Find("a.tif"));
        Assert.NotNull(Find("a.tif", OtherProject));
        Assert.Equal("/scans/a.tif", Find("a.tif", Hierarchy)!.Path);
    }

    [Fact]
    public async Task Clear_keeps_a_job_that_runs_with_its_files_and_results()
    {
        using IUploadJob running = Journal.BeginJob(Project, "test", null);
        await running.RecordAsync(FileOf("a.tif"), 100);
        await running.RecordAsync(FailureOf("b.tif"));
        Assert.True(SpinWait.SpinUntil(() => JobOf(running.Number) is { Uploaded: 1, Failed: 1 }, TimeSpan.FromSeconds(30)));
        Time.AdjustTime(Time.GetUtcNow() + TimeSpan.FromDays(30));

        JournalCleared cleared = Journal.Clear(new ClearQuery { OlderThan = Time.GetUtcNow() });
        JournalCleared all = Journal.Clear(new ClearQuery());

        Assert.Equal(new JournalCleared(0, 0, 0), cleared);
        Assert.Equal(new JournalCleared(0, 0, 0), all);
        Assert.Equal(["a.tif", "b.tif"], ResultsOf(running.Number));
        await running.RecordAsync(FileOf("c.tif"), 100);
        await running.CompleteAsync(IngestJobStatus.Completed);
        Assert.Equal("/scans/c.tif", Find("c.tif")!.Path);
    }

    [Fact]
    public void Clear_keeps_what_has_not_ended_on_a_server()
    {
        Journal.BeginStart(StartOf(Project, "dsp:0001"));
        Journal.EndStart(Journal.BeginStart(StartOf(Project, "dsp:0002")), StartOf(Project, "dsp:0002").Transaction);
        Journal.LoseStart(Journal.BeginStart(StartOf(Project, "dsp:0003")), "Look at the mapping.");

        JournalCleared cleared = Journal.Clear(new ClearQuery());

        Assert.Equal(1, cleared.Transactions);
        Assert.Equal(
            [("dsp:0002", StartState.Started), ("dsp:0001", StartState.Starting)],
            Journal.ReadTransactions(new TransactionQuery { IncludesEnded = true }).Select(t => (t.Transaction.Id, t.State))
        );
    }

    [Fact]
    public async Task Clear_by_age_takes_files_with_their_jobs_and_has_the_mapping_read_again()
    {
        await SendAsync(Project, "a.tif", "b.tif");
        using IPlaceJournal place = Journal.OpenPlace(Project);
        place.Write([new JournaledFile { Name = "c.tif", State = FileState.Elsewhere }]);
        place.Mark = new PlaceMark(3, "c.tif");
        Time.AdjustTime(Time.GetUtcNow() + TimeSpan.FromDays(10));
        DateTimeOffset limit = Time.GetUtcNow();
        await SendAsync(Project, "b.tif");

        JournalCleared cleared = Journal.Clear(new ClearQuery { OlderThan = limit });

        Assert.Equal(new JournalCleared(1, 1, 0), cleared);
        Assert.Null(Find("a.tif"));
        Assert.Equal(2, Find("b.tif")!.Job);
        Assert.Equal(FileState.Elsewhere, Find("c.tif")!.State);
        Assert.Equal(default, place.Mark);
    }

    [Fact]
    public async Task Clear_by_age_takes_files_whose_jobs_are_no_longer_kept()
    {
        await SendAsync(Project, "a.tif");
        Time.AdjustTime(Time.GetUtcNow() + TimeSpan.FromDays(401));
        using (SqliteJournal later = new(Path, Time))
            later.BeginJob(OtherProject, "test", null).Dispose();
        DateTimeOffset now = Time.GetUtcNow();

        // It is older than 400 days, and how much older is not known.
        Assert.Equal(0, Journal.Count(new ClearQuery { OlderThan = now.AddDays(-500) }).Files);
        Assert.Equal(1, Journal.Clear(new ClearQuery { OlderThan = now.AddDays(-30) }).Files);
        Assert.Null(Find("a.tif"));
    }

    [Fact]
    public async Task A_clear_between_two_files_of_a_job_does_not_lose_their_folder()
    {
        await SendAsync(Project, "a.tif");
        using IUploadJob job = Journal.BeginJob(OtherProject, "test", null);

        for (int i = 0; i < 20; i++)
        {
            await job.RecordAsync(FileOf($"{i}.tif"), 100);
            Journal.Clear(new ClearQuery());
        }

        await job.CompleteAsync(IngestJobStatus.Completed);
        Assert.Null(job.Failure);
        Assert.All(Journal.ReadResults(job.Number), result => Assert.Equal($"/scans/{result.RemoteName}", result.Path));
        Assert.Equal(20, ResultsOf(job.Number).Length);
    }

    [Fact]
    public void A_journal_that_is_turned_off_records_nothing_and_makes_no_file()
    {
        IIngestJournal off = IngestJournal.Off;

        using IUploadJob job = off.BeginJob(Project, "test", null);
        off.BeginStart(StartOf(Project));

        Assert.False(off.IsOn);
        Assert.Empty(off.ReadJobs(new JobQuery()));
        Assert.Empty(off.ReadTransactions(new TransactionQuery()));
        Assert.Equal(new JournalCleared(0, 0, 0), off.Count(new ClearQuery()));
        Assert.False(File.Exists(Path));
    }

    [Theory]
    [InlineData("job:12")]
    [InlineData("12")]
    [InlineData("JOB:12")]
    public void An_id_of_a_job_is_its_number_with_or_without_its_kind(string id) => Assert.Equal(12, IngestJob.ParseId(id));

    [Theory]
    [InlineData("")]
    [InlineData("job:")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("run:12")]
    [InlineData("99999999999999999999")]
    public void What_is_not_the_id_of_a_job_is_refused(string id)
    {
        IngestException error = Assert.Throws<IngestException>(() => IngestJob.ParseId(id));

        Assert.Equal(ErrorId.Rejected, error.ErrorId);
        Assert.Contains("Get-IngestJob lists the jobs", error.Advice, StringComparison.Ordinal);
    }

    private (long Uploaded, long Failed, long Skipped, long Bytes) CountsOf(long number)
    {
        IngestJob job = JobOf(number);
        return (job.Uploaded, job.Failed, job.Skipped, job.Bytes);
    }
}
