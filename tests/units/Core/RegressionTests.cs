using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Services.DspIngest;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>What was a bug once.</summary>
public sealed class RegressionTests
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Start_that_the_server_always_fails_ends_with_its_words()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Write("a.tif"));
        dsp.Sandbox.Faults.Replace(Fault.Parse("500=POST /projects/0001/bulk-ingest"));

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => dsp.StartIngestAsync(results)).WaitAsync(TimeLimit);

        Assert.Equal(ErrorId.ServerError, error.ErrorId);
        Assert.Equal(3, dsp.Sandbox.Requests.Snapshot().Count(request => request.Target == "/projects/0001/bulk-ingest"));
    }

    [Fact]
    public async Task Finalize_that_the_server_always_fails_ends_with_its_words()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("a.tif"))));
        dsp.Sandbox.Faults.Replace(Fault.Parse("500=POST"));

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => dsp.Client.CompleteAsync("0001", null, force: true, CancellationToken.None)).WaitAsync(TimeLimit);

        Assert.Equal(ErrorId.ServerError, error.ErrorId);
        Assert.Equal(3, dsp.Sandbox.Requests.Snapshot().Count(request => request.Target.EndsWith("finalize", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Wait_at_the_gate_is_not_taken_for_a_held_lock()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string large = dsp.Folder.Write("large.tif", 5 * 1024 * 1024);
        string small = dsp.Folder.Write("small.tif");
        dsp.Sandbox.Faults.Replace(
            Fault.Parse("slow-body=64KiB,30ms,POST /projects/*/bulk-ingest/ingest/large.tif"), Fault.Parse("409=1,POST /projects/*/bulk-ingest/ingest/small.tif"));

        List<UploadResult> results = await dsp.SendAsync(new UploadOptions { LockTimeout = TimeSpan.FromSeconds(1) }, large, small);

        Assert.All(results, result => Assert.Null(result.Error));
    }

    [Fact]
    public async Task Duration_is_that_of_the_attempts_and_not_of_the_wait_for_a_place()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Sandbox.Faults.Replace(Fault.Parse("slow-body=64KiB,30ms,POST /projects/*/bulk-ingest/ingest/large.tif"));
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        IUploadTarget target = dsp.Client.CreateUploadTarget("0001");
        requests.Writer.TryWrite(new UploadRequest(dsp.Folder.Write("large.tif", 5 * 1024 * 1024), target));
        FakeTimeProvider time = new();
        UploadEngine engine = new(new UploadOptions(), dsp.Log, time);
        await using IAsyncEnumerator<UploadResult> results = engine.SendAsync(requests.Reader).GetAsyncEnumerator();
        Task<bool> first = results.MoveNextAsync().AsTask();
        await dsp.Sandbox.WaitUntilAsync(() => dsp.Sandbox.Faults.Applied(FaultKind.SlowBody) == 1);
        requests.Writer.TryWrite(new UploadRequest(dsp.Folder.Write("small.tif"), target));
        requests.Writer.Complete();
        await Until.TrueAsync(() => engine.Progress.FilesFound == 2);

        // The hour passes while the large file is under way and the small one waits for it.
        time.Advance(TimeSpan.FromHours(1));

        Assert.True(await first.WaitAsync(TimeLimit));
        UploadResult large = results.Current;
        Assert.True(await results.MoveNextAsync().AsTask().WaitAsync(TimeLimit));
        Assert.Equal((TimeSpan.FromHours(1), TimeSpan.Zero), (large.Duration, results.Current.Duration));
    }

    [Fact]
    public async Task File_that_comes_during_a_slow_upload_is_sent_beside_it()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Sandbox.Faults.Replace(Fault.Parse("stall=POST /projects/*/bulk-ingest/ingest/slow.tif"));
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        IUploadTarget target = dsp.Client.CreateUploadTarget("0001");
        requests.Writer.TryWrite(new UploadRequest(dsp.Folder.Write("slow.tif"), target));
        await using IAsyncEnumerator<UploadResult> results = new UploadEngine(new UploadOptions(), dsp.Log).SendAsync(requests.Reader).GetAsyncEnumerator();
        Task<bool> first = results.MoveNextAsync().AsTask();
        await dsp.Sandbox.WaitUntilAsync(() => dsp.Sandbox.Requests.InFlight == 1 && dsp.Sandbox.Faults.Applied(FaultKind.Stall) == 1);

        requests.Writer.TryWrite(new UploadRequest(dsp.Folder.Write("quick.tif"), target));

        Assert.True(await first.WaitAsync(TimeLimit));
        Assert.Equal("quick.tif", results.Current.RemoteName);
    }

    [Fact]
    public async Task Finalize_refuses_left_overs_of_a_run_that_nobody_waited_for()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = DspIngestOptions.FilesLike("corrupt*"));
        await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("corrupt.tif"), dsp.Folder.Write("good.tif")));

        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            dsp.Client.CompleteAsync("0001", Path.Join(dsp.Folder.Path, "mapping.csv"), force: false, CancellationToken.None)).WaitAsync(TimeLimit);

        Assert.Equal(ErrorId.LeftOvers, error.ErrorId);
        Assert.Equal(1, dsp.Project.WaitingCount);
    }

    [Fact]
    public async Task Look_at_an_older_run_changes_nothing_of_the_newer_one()
    {
        bool fails = true;
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = _ => fails);
        Transaction older = await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("a.tif")));
        await dsp.WaitAsync(older);
        await dsp.Client.CompleteAsync("0001", null, force: true, CancellationToken.None);
        fails = false;
        await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("b.tif"))));

        await TransactionSources.For(dsp.Connection, dsp.Log).LookAsync(older, CancellationToken.None);

        await dsp.Client.CompleteAsync("0001", Path.Join(dsp.Folder.Path, "mapping.csv"), force: false, CancellationToken.None).WaitAsync(TimeLimit);
    }

    [Fact]
    public async Task Sign_in_that_fails_before_a_start_is_no_unknown_outcome()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings => settings with
        {
            SignIn = SignInKind.Password,
            UserName = "root@example.com",
            AuthenticationUri = settings.Uri,
            Secret = _ => ValueTask.FromResult("test"),
        });
        dsp.Sandbox.Faults.Replace(Fault.Parse("500=POST /v2/authentication"));

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => dsp.Client.StartAsync("0001", null, CancellationToken.None)).WaitAsync(TimeLimit);

        Assert.Equal(ErrorId.ServerError, error.ErrorId);
        Assert.True(error.IsTransient, "a server that is down while signing in may be up later");
        Assert.Equal(4, dsp.Sandbox.Requests.Started);
    }

    [Fact]
    public async Task Error_whose_explanation_stalls_is_told_without_it()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using CancellationTokenSource end = new();
        Task serving = AnswerAllAsync(listener, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nabc", end.Token);
        using IngestConnection connection = IngestConnection.Open(new ConnectionSettings { Service = IngestService.DspIngest, Uri = new Uri($"http://{listener.LocalEndpoint}"), MaxAttempts = 1 });

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => new DspIngestClient(connection).StartAsync("0001", null, CancellationToken.None)).WaitAsync(TimeLimit);

        Assert.Equal((ErrorId.Rejected, "abc"), (error.ErrorId, error.ServerMessage));
        await end.CancelAsync();
        listener.Stop();
        await serving;
    }

    [Fact]
    public void Relative_redirect_hides_its_query() =>
        Assert.Equal("/login?token_hint=***", Redaction.Of(new Uri("/login?token_hint=canary", UriKind.Relative)));

    [Fact]
    public void Hostile_html_is_cut_and_throws_nothing() =>
        Assert.NotNull(ServerMessage.Parse(Encoding.UTF8.GetBytes("<" + string.Concat(Enumerable.Repeat("<script ", 4000)) + "x"), null, ServerText.OfNoSecrets));

    [Fact]
    public async Task Wait_goes_on_when_another_call_takes_the_lock_before_the_mapping_is_read()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        Transaction started = await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("a.tif")));
        await dsp.Sandbox.WaitUntilAsync(() => !dsp.Project.IsLocked);
        using IngestConnection quick = dsp.Reconnect(new QuickTime(20), settings => settings);
        ITransactionSource source = TransactionSources.For(quick, dsp.Log);
        // The first look at the status finds the project free; all that come after find it locked.
        dsp.Sandbox.Faults.Replace(Fault.Parse("latency=300ms,1,GET"));
        Task<Transaction> looking = source.LookAsync(started, CancellationToken.None);
        await dsp.Sandbox.WaitUntilAsync(() => dsp.Sandbox.Faults.Applied(FaultKind.Latency) == 1);
        await dsp.Sandbox.WaitUntilAsync(() => dsp.Sandbox.Requests.InFlight == 0);

        Transaction seen;
        using (await dsp.Project.HoldLockAsync())
            seen = await looking.WaitAsync(TimeLimit);

        // Whichever of the two came first to the lock, the wait is not given up.
        Assert.True(seen.Status is TransactionStatus.Running or TransactionStatus.Succeeded, seen.Message);
        Assert.Equal(TransactionStatus.Succeeded, (await source.LookAsync(started, CancellationToken.None)).Status);
    }

    [Fact]
    public async Task Held_lock_after_a_lost_start_is_no_proof_of_a_run()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Write("a.tif"));
        dsp.Sandbox.Faults.Replace(Fault.Parse("reset=1,POST /projects/0001/bulk-ingest"));
        Task<Transaction> starting;
        using (await dsp.Project.HoldLockAsync())
        {
            starting = dsp.StartIngestAsync(results);
            await dsp.Sandbox.WaitUntilAsync(
                () => dsp.Sandbox.Faults.Applied(FaultKind.Reset) == 1 && dsp.Sandbox.Requests.Snapshot()[^1] is { Method: "GET", Status: 409 });
        }

        Assert.Equal(TransactionStatus.Succeeded, Assert.IsType<WaitEvent.Ended>((await dsp.WaitAsync(await starting.WaitAsync(TimeLimit)))[^1]).Transaction.Status);
        Assert.Equal(1, dsp.Project.Runs);
    }

    [Fact]
    public async Task Older_derivative_is_not_taken_for_that_of_a_file_sent_again()
    {
        bool fails = false;
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = _ => fails);
        string path = dsp.Folder.Write("a.tif");
        await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, path)));
        fails = true;
        List<UploadResult> again = await dsp.SendAsync(null, path);
        await dsp.WaitAsync(await dsp.StartIngestAsync(again));

        List<IngestMapping> rows = [];
        await foreach (IngestMapping row in dsp.Client.CompareAsync("0001", again, CancellationToken.None))
            rows.Add(row);

        Assert.False(Assert.Single(rows).Ingested);
    }

    [Fact]
    public async Task Mapping_that_breaks_before_its_first_line_is_fetched_again()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Project.SeedMapping(10);
        dsp.Sandbox.Faults.Replace(Fault.Parse("reset-answer=1,5B,GET /projects/*/bulk-ingest/mapping.csv"));

        int rows = 0;
        await foreach (MappingRow _ in dsp.Client.ReadMappingAsync("0001", CancellationToken.None))
            rows++;

        Assert.Equal(10, rows);
    }

    [Fact]
    public async Task Service_that_is_well_and_fails_its_routes_is_not_ok()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings => settings with { MaxAttempts = 1 });
        dsp.Sandbox.Faults.Replace(Fault.Parse("500=GET /projects/**"));

        ServiceReport report = await ServiceCheck.RunAsync(dsp.Connection, "0001", dsp.Log, CancellationToken.None);

        Assert.Equal((false, null), (report.Ok, report.SignedIn));
        Assert.Contains(report.Details, line => line.StartsWith("Signed in: could not be found out.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_connections_to_one_project_each_send_with_their_own_token()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        using IngestConnection wrong = dsp.Reconnect(TimeProvider.System, settings => settings with { Name = "wrong", Secret = _ => ValueTask.FromResult("nonsense") });
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        requests.Writer.TryWrite(new UploadRequest(dsp.Folder.Write("a.tif"), dsp.Client.CreateUploadTarget("0001")));
        requests.Writer.TryWrite(new UploadRequest(dsp.Folder.Write("b.tif"), new DspIngestClient(wrong).CreateUploadTarget("0001")));
        requests.Writer.Complete();

        Dictionary<string, UploadResult> results = [];
        await foreach (UploadResult result in new UploadEngine(new UploadOptions(), dsp.Log).SendAsync(requests.Reader))
            results.Add(result.RemoteName, result);

        Assert.Equal(UploadStatus.Uploaded, results["a.tif"].Status);
        Assert.Equal((ErrorId.NotSignedIn, "wrong"), (results["b.tif"].Error!.ErrorId, results["b.tif"].Connection));
    }

    [Fact]
    public async Task Root_as_base_path_keeps_the_first_letter_of_every_name()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string path = dsp.Folder.Write("a.tif");

        UploadResult result = Assert.Single(await dsp.SendAsync(new UploadOptions { BasePath = Path.GetPathRoot(path) }, path));

        Assert.Equal(Path.GetRelativePath(Path.GetPathRoot(path)!, path).Replace('\\', '/'), result.RemoteName);
    }

    [Fact]
    public async Task Link_in_a_circle_fails_alone()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        File.CreateSymbolicLink(Path.Join(dsp.Folder.Path, "one.tif"), "two.tif");
        File.CreateSymbolicLink(Path.Join(dsp.Folder.Path, "two.tif"), "one.tif");
        for (int i = 0; i < 5; i++)
            dsp.Folder.Write($"{i}.tif");

        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Path);

        Assert.Equal(5, results.Count(result => result.Status == UploadStatus.Uploaded));
        Assert.Equal(2, results.Count(result => result.Status == UploadStatus.Failed));
    }

    [Fact]
    public async Task Same_file_given_twice_is_sent_once_and_fails_nothing()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string path = dsp.Folder.Write("box/a.tif");

        List<UploadResult> results = await dsp.SendAsync(new UploadOptions { BasePath = dsp.Folder.Path }, Path.Join(dsp.Folder.Path, "box"), path, path);

        Assert.Single(results, result => result.Status == UploadStatus.Uploaded);
        Assert.Equal(2, results.Count(result => result.Status == UploadStatus.Skipped));
    }

    [Fact]
    public async Task Time_to_wait_bounds_a_look_that_is_not_answered()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Sandbox.Faults.Replace(Fault.Parse("stall=GET"));

        List<WaitEvent> events = await dsp.WaitAsync(TransactionSources.Parse("dsp:0001").Transaction, new WaitOptions { Timeout = TimeSpan.FromMilliseconds(300) }).WaitAsync(TimeLimit);

        Assert.Equal(ErrorId.WaitTimedOut, Assert.Single(events.OfType<WaitEvent.Failed>()).Error.ErrorId);
    }

    [Theory]
    [InlineData("localhost:8080")]
    [InlineData("ftp://proxy.example.org")]
    [InlineData("http://user:canary@proxy.example.org:8080")]
    public void Proxy_that_cannot_be_is_refused_without_its_password(string proxy)
    {
        IngestException error = Assert.Throws<IngestException>(() => IngestConnection.Open(new ConnectionSettings
        {
            Service = IngestService.DspIngest,
            Uri = new Uri("https://ingest.example.org"),
            Proxy = new Uri(proxy, UriKind.RelativeOrAbsolute),
        }));

        Assert.Equal(ErrorId.Rejected, error.ErrorId);
        Assert.DoesNotContain("canary", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DspHarness.Token + "\n", true)]
    [InlineData("canary\u00e4", false)]
    [InlineData("canary token", false)]
    public async Task Token_that_cannot_be_sent_is_told_and_not_shown(string token, bool works)
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings => settings with { Secret = _ => ValueTask.FromResult(token) });

        UploadResult result = Assert.Single(await dsp.SendAsync(null, dsp.Folder.Write("a.tif")));

        Assert.Equal(works ? null : ErrorId.SecretUnavailable, result.Error?.ErrorId);
        Assert.DoesNotContain("canary", $"{result.Error}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Longest_times_are_taken()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings => settings with { Timeout = TimeSpan.FromSeconds(100_000), MaxAttempts = 100 });

        Assert.Null(Assert.Single(await dsp.SendAsync(null, dsp.Folder.Write("a.tif"))).Error);
    }

    [Fact]
    public async Task Mapping_that_cannot_be_written_names_the_place_whatever_is_wrong_with_it()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Project.SeedMapping(10);

        foreach (string name in new[] { Path.Join("none", "mapping.csv"), new string('x', 300) })
        {
            IngestException error = await Assert.ThrowsAsync<IngestException>(() => dsp.Client.SaveMappingAsync("0001", Path.Join(dsp.Folder.Path, name), CancellationToken.None));
            Assert.Equal(ErrorId.FileUnreadable, error.ErrorId);
        }

        Assert.Empty(Directory.GetFiles(dsp.Folder.Path));
    }

    /// <summary>Answers whatever comes with the same text, and keeps the connection.</summary>
    private static async Task AnswerAllAsync(TcpListener listener, string answer, CancellationToken end)
    {
        List<TcpClient> clients = [];
        try
        {
            while (true)
            {
                TcpClient client = await listener.AcceptTcpClientAsync(end);
                clients.Add(client);
                await client.GetStream().ReadAtLeastAsync(new byte[4096], 1, throwOnEndOfStream: false, end);
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer), end);
            }
        }
        catch (OperationCanceledException)
        {
            clients.ForEach(client => client.Dispose());
        }
    }
}
