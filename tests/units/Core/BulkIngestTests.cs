using System.Text;
using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Services.DspIngest;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class BulkIngestTests
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Left_over_file_is_one_error_and_the_transaction_partly_succeeded()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = DspIngestOptions.FilesLike("corrupt*"));
        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Write("corrupt.tif"), dsp.Folder.Write("good.tif"));

        List<WaitEvent> events = await dsp.WaitAsync(await dsp.StartIngestAsync(results));

        IngestException error = Assert.Single(events.OfType<WaitEvent.Failed>()).Error;
        Assert.Equal((ErrorId.ItemFailed, "corrupt.tif"), (error.ErrorId, error.Target));
        Transaction ended = Assert.IsType<WaitEvent.Ended>(events[^1]).Transaction;
        Assert.Equal((TransactionStatus.PartlySucceeded, 1L, 2L), (ended.Status, ended.Completed, ended.Total));
        List<IngestMapping> mapping = await ListAsync(
            dsp.Client.CompareAsync("0001", [.. results.OrderBy(result => result.RemoteName)], CancellationToken.None)
        );
        Assert.Equal([false, true], mapping.Select(row => row.Ingested));
        Assert.Null(mapping[0].Derivative);
        Assert.EndsWith(".jpx", mapping[1].Derivative, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Left_over_file_is_ingested_by_starting_again()
    {
        bool fails = true;
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = _ => fails);
        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Write("a.tif"));
        Transaction first = EndOf(await dsp.WaitAsync(await dsp.StartIngestAsync(results)));
        fails = false;

        Transaction second = EndOf(await dsp.WaitAsync(await dsp.Client.StartAsync("0001", null, CancellationToken.None)));

        Assert.Equal(TransactionStatus.Failed, first.Status);
        Assert.Equal((TransactionStatus.Succeeded, 1L), (second.Status, second.Completed));
        Assert.Equal(1, dsp.Project.History("a.tif").Ingests);
    }

    [Fact]
    public async Task Left_over_file_that_is_sent_again_counts_once()
    {
        bool fails = true;
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = _ => fails);
        string path = dsp.Folder.Write("a.tif");
        await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, path)));
        fails = false;

        Transaction second = EndOf(await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, path))));

        Assert.Equal((TransactionStatus.Succeeded, 1L, 1L), (second.Status, second.Completed, second.Total));
    }

    [Fact]
    public async Task File_uploaded_again_after_its_ingest_and_left_over_is_not_taken_for_ingested()
    {
        bool fails = false;
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = _ => fails);
        string path = dsp.Folder.Write("a.tif");
        await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, path)));
        fails = true;

        Transaction second = EndOf(await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, path))));

        Assert.Equal(TransactionStatus.Failed, second.Status);
    }

    [Fact]
    public async Task Start_in_lower_case_is_taken()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        await dsp.SendAsync(null, dsp.Folder.Write("a.tif"));

        Transaction started = await new DspIngestClient(dsp.Connection).StartAsync("0001", null, CancellationToken.None);

        Assert.Equal("dsp:0001", started.Id);
        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            dsp.Client.StartAsync("082e", null, CancellationToken.None)
        );
        Assert.Equal((ErrorId.NotFound, "082E"), (error.ErrorId, error.Target));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("12")]
    [InlineData("123")]
    [InlineData("000G")]
    [InlineData("12345")]
    [InlineData("0001\n")]
    [InlineData("٠٠٠١")]
    public async Task Wrong_shortcode_is_refused_before_sending(string shortcode)
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            dsp.Client.StartAsync(shortcode, null, CancellationToken.None)
        );

        Assert.Equal(ErrorId.Rejected, error.ErrorId);
        Assert.Equal(0, dsp.Server.Requests.Started);
    }

    [Fact]
    public async Task Busy_project_is_waited_for_and_then_started()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Write("a.tif"));
        dsp.SetFaults("lock=1,1s,POST /projects/*/bulk-ingest");

        Transaction started = await dsp.StartIngestAsync(results).WaitAsync(TimeLimit);

        Assert.Equal(TransactionStatus.Succeeded, EndOf(await dsp.WaitAsync(started)).Status);
        Assert.Equal(1, dsp.Project.Runs);
        Assert.Contains(dsp.Log.At(LogLevel.Warning), text => text.Contains("is busy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Lost_answer_to_a_start_is_looked_into_and_the_run_is_not_doubled()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestTimePerFile = TimeSpan.FromMilliseconds(500));
        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Write("a.tif"));
        dsp.SetFaults("lost=1,POST /projects/*/bulk-ingest");

        Transaction ended = EndOf(await dsp.WaitAsync(await dsp.StartIngestAsync(results).WaitAsync(TimeLimit)));

        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        Assert.Equal(1, dsp.Project.Runs);
        Assert.Contains("answer to the start was lost", ended.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_that_the_server_never_acted_on_is_sent_again()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Write("a.tif"));
        dsp.SetFaults("502=1,POST /projects/*/bulk-ingest");

        Transaction ended = EndOf(await dsp.WaitAsync(await dsp.StartIngestAsync(results).WaitAsync(TimeLimit)));

        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        Assert.Equal(1, dsp.Project.Runs);
    }

    [Fact]
    public async Task Id_alone_tells_what_it_cannot_know()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("a.tif"))));

        Transaction seen = EndOf(await dsp.WaitAsync(TransactionSources.Parse("dsp:0001").Transaction));

        Assert.Equal(TransactionStatus.Succeeded, seen.Status);
        Assert.Contains("known only where they were uploaded", seen.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_ends_with_an_error_and_the_transaction_as_last_seen_when_time_is_up()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        using IDisposable held = await dsp.Project.HoldLockAsync();

        FakeTimeProvider time = new();
        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        requests.Writer.TryWrite(
            new WaitRequest(TransactionSources.Parse("dsp:0001").Transaction, TransactionSources.For(dsp.Connection, dsp.Log))
        );
        requests.Writer.Complete();
        List<WaitEvent> events = [];
        await foreach (
            WaitEvent happened in new TransactionWaiter(new WaitOptions { Timeout = TimeSpan.FromHours(1) }, dsp.Log, time).WaitAsync(
                requests.Reader,
                CancellationToken.None
            )
        )
        {
            events.Add(happened);
            // Time is up once it was seen.
            if (happened is WaitEvent.Seen)
                time.Advance(TimeSpan.FromHours(2));
        }

        Assert.Equal(ErrorId.WaitTimedOut, Assert.Single(events.OfType<WaitEvent.Failed>()).Error.ErrorId);
        Assert.Equal(TransactionStatus.Running, Assert.IsType<WaitEvent.GivenUp>(events[^1]).Transaction.Status);
    }

    [Fact]
    public async Task More_than_a_hundred_left_overs_are_counted_with_the_command_that_lists_them()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = _ => true);
        for (int i = 0; i < 130; i++)
            dsp.Folder.Write($"{i}.tif", 10);

        List<WaitEvent> events = await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Path)));

        List<IngestException> errors = events.OfType<WaitEvent.Failed>().Select(failed => failed.Error).ToList();
        Assert.Equal(101, errors.Count);
        Assert.Contains("130 items failed", errors[^1].Message, StringComparison.Ordinal);
        Assert.Contains("Get-IngestMapping -Shortcode 0001", errors[^1].Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mapping_with_commas_quotes_and_any_script_is_read_as_it_was_uploaded()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string[] names = ["a, b.tif", "Côté/漢字, (1).pdf", "'x'.mp4"];
        List<UploadResult> results = await dsp.SendAsync(
            new UploadOptions { BasePath = dsp.Folder.Path },
            names.Select(name => dsp.Folder.Write(name)).ToArray()
        );
        await dsp.WaitAsync(await dsp.StartIngestAsync(results));

        List<MappingRow> rows = await ListAsync(dsp.Client.ReadMappingAsync("0001", CancellationToken.None));

        Assert.Equal(names.Order(StringComparer.Ordinal), rows.Select(row => row.Original).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("reset-answer=1,GET")]
    [InlineData("truncated=1,GET")]
    [InlineData("503=1,GET")]
    public async Task Mapping_that_breaks_off_is_fetched_again_and_no_row_comes_twice(string fault)
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Project.SeedMapping(20_000);
        dsp.SetFaults(fault);

        List<MappingRow> rows = await ListAsync(dsp.Client.ReadMappingAsync("0001", CancellationToken.None));

        Assert.Equal(20_000, rows.Count);
        Assert.Equal(20_000, rows.Select(row => row.Original).Distinct().Count());
    }

    [Theory]
    [InlineData("html=GET", "a web page")]
    [InlineData("empty=GET", "an empty body")]
    public async Task Answer_that_is_no_mapping_is_told(string fault, string said)
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.SetFaults(fault);

        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            ListAsync(dsp.Client.ReadMappingAsync("0001", CancellationToken.None))
        );

        Assert.Equal(ErrorId.InvalidAnswer, error.ErrorId);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mapping_is_saved_as_it_came()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("ä, b.tif"))));
        string path = Path.Join(dsp.Folder.Path, "mapping.csv");
        await File.WriteAllTextAsync(path, "older");

        long bytes = await dsp.Client.SaveMappingAsync("0001", path, CancellationToken.None);

        byte[] saved = await File.ReadAllBytesAsync(path);
        Assert.Equal(bytes, saved.Length);
        Assert.StartsWith("original,derivative\n\"ä, b.tif\",", Encoding.UTF8.GetString(saved), StringComparison.Ordinal);
        Assert.False(saved[^1] == '\n');
        Assert.Equal(
            ["mapping-1.csv", "mapping.csv"],
            Directory.GetFiles(dsp.Folder.Path, "mapping*").Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal("older", await File.ReadAllTextAsync(Path.Join(dsp.Folder.Path, "mapping-1.csv")));
    }

    [Fact]
    public async Task Mapping_that_cannot_be_written_leaves_the_file_as_it_was()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Project.SeedMapping(10);

        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            dsp.Client.SaveMappingAsync("0001", Path.Join(dsp.Folder.Path, "none", "mapping.csv"), CancellationToken.None)
        );

        Assert.Equal(ErrorId.FileUnreadable, error.ErrorId);
        Assert.Contains("cannot be written", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mapping_of_a_project_without_one_says_what_to_do()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            ListAsync(dsp.Client.ReadMappingAsync("0001", CancellationToken.None))
        );

        Assert.Equal(ErrorId.NotFound, error.ErrorId);
        Assert.Contains("has no mapping", error.Message, StringComparison.Ordinal);
        Assert.Contains("Start-BulkIngest -Shortcode 0001", error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_base_address_is_not_taken_for_a_project_without_a_mapping()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings =>
            settings with
            {
                Uri = new Uri(settings.Uri!, "wrong/place"),
            }
        );

        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            ListAsync(dsp.Client.ReadMappingAsync("0001", CancellationToken.None))
        );

        Assert.Equal(ErrorId.NotFound, error.ErrorId);
        Assert.Contains("-Uri", error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Checksum_proves_each_file()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.CorruptsChecksum = name => name == "bad.tif");
        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Write("bad.tif"), dsp.Folder.Write("good.tif"));
        await dsp.WaitAsync(await dsp.StartIngestAsync(results));

        Dictionary<string, bool?> verified = [];
        await foreach (IngestMapping row in dsp.Client.CompareAsync("0001", results, CancellationToken.None))
            verified[row.Original] = (
                await dsp.Client.VerifyAsync(
                    row,
                    results.Single(result => result.RemoteName == row.Original).Sha256,
                    CancellationToken.None
                )
            ).Verified;

        Assert.Equal((false, true), (verified["bad.tif"], verified["good.tif"]));
    }

    [Fact]
    public async Task Finalize_refuses_while_the_mapping_is_unsaved()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("a.tif"))));

        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            dsp.Client.CompleteAsync("0001", null, force: false, CancellationToken.None)
        );
        Assert.Equal(ErrorId.MappingUnsaved, error.ErrorId);
        Assert.NotNull(dsp.Project.Mapping);

        string path = Path.Join(dsp.Folder.Path, "mapping.csv");
        await dsp.Client.CompleteAsync("0001", path, force: false, CancellationToken.None).WaitAsync(TimeLimit);
        Assert.Null(dsp.Project.Mapping);
        Assert.True(File.Exists(path));
    }

    [Fact]
    public async Task Finalize_refuses_while_files_are_left_over()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = DspIngestOptions.FilesLike("corrupt*"));
        await dsp.WaitAsync(
            await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("corrupt.tif"), dsp.Folder.Write("a.tif")))
        );
        string path = Path.Join(dsp.Folder.Path, "mapping.csv");

        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            dsp.Client.CompleteAsync("0001", path, force: false, CancellationToken.None)
        );
        Assert.Equal(ErrorId.LeftOvers, error.ErrorId);
        Assert.Contains("corrupt.tif", error.Message, StringComparison.Ordinal);

        await dsp.Client.CompleteAsync("0001", path, force: true, CancellationToken.None).WaitAsync(TimeLimit);
        Assert.False(dsp.Project.HasImportFolder);
    }

    [Fact]
    public async Task Finalize_with_a_lost_answer_is_found_out_from_the_project()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("a.tif"))));
        dsp.SetFaults("lost=1,POST");

        await dsp.Client.CompleteAsync("0001", null, force: true, CancellationToken.None).WaitAsync(TimeLimit);

        Assert.Null(dsp.Project.Mapping);
    }

    [Fact]
    public async Task Finalize_of_nothing_is_told()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            dsp.Client.CompleteAsync("0001", null, force: true, CancellationToken.None)
        );

        Assert.Equal(ErrorId.NotFound, error.ErrorId);
    }

    [Fact]
    public async Task Bulk_ingest_cannot_be_cancelled_and_says_so()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            TransactionSources
                .For(dsp.Connection, dsp.Log)
                .StopAsync(TransactionSources.Parse("dsp:0001").Transaction, CancellationToken.None)
        );

        Assert.Equal(ErrorId.CannotCancel, error.ErrorId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0001")]
    [InlineData("dsp:")]
    [InlineData("dsp:0001/1")]
    [InlineData("other:0001")]
    public void Text_that_is_no_id_is_refused(string id)
    {
        Assert.Equal(ErrorId.Rejected, Assert.Throws<IngestException>(() => TransactionSources.Parse(id)).ErrorId);
    }

    private static Transaction EndOf(List<WaitEvent> events) => Assert.IsType<WaitEvent.Ended>(events[^1]).Transaction;

    private static async Task<List<T>> ListAsync<T>(IAsyncEnumerable<T> items)
    {
        List<T> list = [];
        await foreach (T item in items)
            list.Add(item);
        return list;
    }

    [Fact]
    public async Task Start_that_the_server_always_fails_ends_with_its_words()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Write("a.tif"));
        dsp.SetFaults("500=POST /projects/0001/bulk-ingest");

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => dsp.StartIngestAsync(results)).WaitAsync(TimeLimit);

        Assert.Equal(ErrorId.ServerError, error.ErrorId);
        Assert.Equal(3, dsp.Server.Requests.Settled().Count(request => request.Target == "/projects/0001/bulk-ingest"));
    }

    [Fact]
    public async Task Sign_in_that_fails_before_a_start_is_no_unknown_outcome()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings =>
            settings with
            {
                SignIn = SignInKind.Password,
                UserName = "root@example.com",
                AuthenticationUri = settings.Uri,
                Secret = _ => ValueTask.FromResult("test"),
            }
        );
        dsp.SetFaults("500=POST /v2/authentication");

        IngestException error = await Assert
            .ThrowsAsync<IngestException>(() => dsp.Client.StartAsync("0001", null, CancellationToken.None))
            .WaitAsync(TimeLimit);

        Assert.Equal(ErrorId.ServerError, error.ErrorId);
        Assert.True(error.IsTransient, "a server that is down while signing in may be up later");
        Assert.Equal(4, dsp.Server.Requests.Started);
    }

    [Fact]
    public async Task Held_lock_after_a_lost_start_is_no_proof_of_a_run()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Write("a.tif"));
        dsp.SetFaults("reset=1,POST /projects/0001/bulk-ingest");
        Task<Transaction> starting;
        using (await dsp.Project.HoldLockAsync())
        {
            starting = dsp.StartIngestAsync(results);
            await dsp.WaitUntilAsync(() =>
                dsp.Server.Faults.Applied(FaultKind.Reset) == 1 && dsp.Server.Requests.Snapshot()[^1] is { Method: "GET", Status: 409 }
            );
        }

        Assert.Equal(
            TransactionStatus.Succeeded,
            Assert.IsType<WaitEvent.Ended>((await dsp.WaitAsync(await starting.WaitAsync(TimeLimit)))[^1]).Transaction.Status
        );
        Assert.Equal(1, dsp.Project.Runs);
    }

    [Fact]
    public async Task Wait_goes_on_when_another_call_takes_the_lock_before_the_mapping_is_read()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        Transaction started = await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("a.tif")));
        await dsp.WaitUntilAsync(() => !dsp.Project.IsLocked);
        using IngestConnection quick = dsp.Connect(new QuickTime(20));
        ITransactionSource source = TransactionSources.For(quick, dsp.Log);
        // The first look at the status finds the project free; all that come after find it locked.
        dsp.SetFaults("latency=300ms,1,GET");
        Task<Transaction> looking = source.LookAsync(started, CancellationToken.None);
        await dsp.WaitUntilAsync(() => dsp.Server.Faults.Applied(FaultKind.Latency) == 1);
        await dsp.WaitUntilAsync(() => dsp.Server.Requests.InFlight == 0);

        Transaction seen;
        using (await dsp.Project.HoldLockAsync())
            seen = await looking.WaitAsync(TimeLimit);

        // Whichever of the two came first to the lock, the wait is not given up.
        Assert.True(seen.Status is TransactionStatus.Running or TransactionStatus.Succeeded, seen.Message);
        Assert.Equal(TransactionStatus.Succeeded, (await source.LookAsync(started, CancellationToken.None)).Status);
    }
}
