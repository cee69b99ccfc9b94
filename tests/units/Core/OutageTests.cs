using System.Net.Sockets;
using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Services.DspIngest;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>A server that is down is waited for, in every call.</summary>
public sealed class OutageTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Server_that_is_down_for_5_s_fails_none_of_5000_uploads_and_is_reported_once()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect();
        RecordingLogger log = new();
        Task down = Task.CompletedTask;
        int seen = 0;

        List<UploadResult> results = await RestartableDsp
            .SendAsync(
                connection,
                log,
                Files(dsp, 5000),
                _ =>
                {
                    if (++seen == 1000)
                        down = Task.Run(GoDownAsync);
                    return Task.CompletedTask;
                }
            )
            .WaitAsync(Limit);
        await down;

        Assert.Equal(5000, results.Count);
        Assert.Empty(results.Where(result => result.Error is not null).Select(result => result.Error!.Message));
        Assert.All(results, result => Assert.InRange(result.Attempts, 1, IngestConnection.DefaultMaxAttempts));
        string warning = Assert.Single(log.At(LogLevel.Warning));
        string server = dsp.Uri.Authority;
        Assert.Matches($@"^DspIngest at {server} has been unavailable since \d\d:\d\d:\d\d\. ", warning);
        Assert.Matches($@" Waiting up to 60 s for it to come back\. .*{server}", warning);
        Assert.Single(
            log.At(LogLevel.Information),
            text => text.StartsWith($"DspIngest at {dsp.Uri.Authority} is back after ", StringComparison.Ordinal)
        );

        async Task GoDownAsync()
        {
            await dsp.DownAsync();
            await Task.Delay(TimeSpan.FromSeconds(5));
            await dsp.UpAsync();
        }
    }

    [Fact]
    public async Task Call_right_after_an_outage_that_lasted_too_long_waits_for_the_server_itself()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        // Longer than the circuit breaker stays open.
        using IngestConnection connection = dsp.Connect(TimeSpan.FromSeconds(7));
        RecordingLogger first = new();
        RecordingLogger second = new();

        int seen = 0;

        List<UploadResult> results = await RestartableDsp
            .SendAsync(connection, first, Files(dsp, 2000), _ => ++seen == 1 ? dsp.DownAsync() : Task.CompletedTask)
            .WaitAsync(Limit);
        string[] failed = [.. results.Where(result => result.Error is not null).Select(result => result.Path)];
        Assert.NotEmpty(failed);
        Assert.Contains(results, result => result.Error?.ErrorId == ErrorId.CircuitOpen);
        Task<List<UploadResult>> again = RestartableDsp.SendAsync(connection, second, failed);
        await dsp.UpAsync();

        Assert.All(await again.WaitAsync(Limit), result => Assert.Null(result.Error));
        Assert.Equal(2000, dsp.Server.DspIngest.Project(RestartableDsp.Shortcode).WaitingCount);
    }

    [Fact]
    public async Task Start_that_was_refused_is_sent_once_the_server_is_back()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect(change: settings => settings with { MaxAttempts = 1 });
        RecordingLogger log = new();
        await RestartableDsp.SendAsync(connection, log, [dsp.Folder.Write("a.tif")]);
        UploadedNames names = new();
        names.Add("a.tif");
        await dsp.DownAsync();

        Task<Transaction> start = new DspIngestClient(connection, log).StartAsync(RestartableDsp.Shortcode, names, CancellationToken.None);
        await UntilAsync(log, LogLevel.Warning, "Waiting up to 60 s");
        await dsp.UpAsync();

        Assert.Equal("dsp:0001", (await start.WaitAsync(Limit)).Id);
        Assert.Single(dsp.Server.Requests.Settled(), request => request is { Method: "POST", Target: "/projects/0001/bulk-ingest" });
    }

    [Fact]
    public async Task Start_that_was_refused_for_too_long_is_known_not_to_have_happened()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect(TimeSpan.FromSeconds(2));
        await dsp.DownAsync();

        IngestException error = await Assert
            .ThrowsAsync<IngestException>(() =>
                new DspIngestClient(connection, new RecordingLogger()).StartAsync(RestartableDsp.Shortcode, null, CancellationToken.None)
            )
            .WaitAsync(Limit);

        Assert.Equal(ErrorId.ConnectionFailed, error.ErrorId);
        Assert.Matches(@"has been unavailable since \d\d:\d\d:\d\d; this call waited 2 s for it\.$", error.Message);
        Assert.Contains("-OutageTimeout", error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outage_that_outlasts_a_short_wait_is_reported_too()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect(TimeSpan.FromSeconds(1.1));
        await dsp.DownAsync();

        // The pauses are random, and the last attempt of a short wait is often the first that finds the outage long.
        RecordingLogger[] logs = [.. Enumerable.Range(0, 8).Select(_ => new RecordingLogger())];
        foreach (RecordingLogger log in logs)
        {
            await Assert
                .ThrowsAsync<IngestException>(() =>
                    new DspIngestClient(connection, log).StartAsync(RestartableDsp.Shortcode, null, CancellationToken.None)
                )
                .WaitAsync(Limit);
        }

        Assert.All(
            logs,
            log => Assert.Single(log.At(LogLevel.Warning), text => text.Contains("unavailable since", StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task Wait_for_a_transaction_outlasts_an_outage()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect();
        RecordingLogger log = new();
        await RestartableDsp.SendAsync(connection, log, [dsp.Folder.Write("a.tif")]);
        UploadedNames names = new();
        names.Add("a.tif");
        Transaction started = await new DspIngestClient(connection, log).StartAsync(
            RestartableDsp.Shortcode,
            names,
            CancellationToken.None
        );
        await dsp.Server.WaitUntilAsync(() =>
            dsp.Server.DspIngest.Project(RestartableDsp.Shortcode) is { MappingCount: 1, IsLocked: false }
        );
        await dsp.DownAsync();

        Task<List<WaitEvent>> wait = WaitAsync(connection, started, log);
        await UntilAsync(log, LogLevel.Warning, "Waiting up to 60 s");
        await dsp.UpAsync();

        WaitEvent.Ended end = Assert.Single((await wait.WaitAsync(Limit)).OfType<WaitEvent.Ended>());
        Assert.Equal(TransactionStatus.Succeeded, end.Transaction.Status);
        Assert.Single(log.At(LogLevel.Warning));
    }

    [Fact]
    public async Task Mapping_is_read_once_the_server_is_back()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect();
        RecordingLogger log = new();
        Assert.Equal(ErrorId.NotFound, (await RestartableDsp.AskAsync(connection, log)).ErrorId);
        await dsp.DownAsync();

        Task<IngestException> asked = RestartableDsp.AskAsync(connection, log);
        await UntilAsync(log, LogLevel.Warning, "Waiting up to 60 s");
        await dsp.UpAsync();

        Assert.Equal(ErrorId.NotFound, (await asked.WaitAsync(Limit)).ErrorId);
    }

    [Fact]
    public async Task Call_that_has_waited_fails_at_once_until_the_server_is_back_and_the_next_call_waits_again()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect(TimeSpan.FromSeconds(2));
        RecordingLogger first = new();
        RecordingLogger second = new();
        await dsp.DownAsync();
        Assert.Equal(ErrorId.ConnectionFailed, (await RestartableDsp.AskAsync(connection, first).WaitAsync(Limit)).ErrorId);
        int pauses = first.At(LogLevel.Debug).Count(text => text.Contains("waits", StringComparison.Ordinal));

        IngestException sameCall = await RestartableDsp.AskAsync(connection, first).WaitAsync(Limit);
        IngestException nextCall = await RestartableDsp.AskAsync(connection, second).WaitAsync(Limit);
        await dsp.UpAsync();
        IngestException back = await RestartableDsp.AskAsync(connection, first).WaitAsync(Limit);

        Assert.Equal((ErrorId.ConnectionFailed, 1), (sameCall.ErrorId, sameCall.Attempts));
        Assert.Equal(pauses, first.At(LogLevel.Debug).Count(text => text.Contains("waits", StringComparison.Ordinal)));
        Assert.Contains("this call waited 2 s", nextCall.Message, StringComparison.Ordinal);
        Assert.Contains(second.At(LogLevel.Debug), text => text.Contains("waits", StringComparison.Ordinal));
        Assert.Equal(ErrorId.NotFound, back.ErrorId);
    }

    [Fact]
    public async Task Server_that_never_answered_is_not_waited_for()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect();
        RecordingLogger log = new();
        await dsp.DownAsync();

        IngestException error = await RestartableDsp.AskAsync(connection, log).WaitAsync(Limit);

        Assert.Equal((ErrorId.ConnectionFailed, IngestConnection.DefaultMaxAttempts), (error.ErrorId, error.Attempts));
        Assert.DoesNotContain("wait", log.All, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Server_that_never_answered_is_waited_for_with_a_timeout_of_the_users_own()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect(TimeSpan.FromMinutes(1));
        RecordingLogger log = new();
        await dsp.DownAsync();

        Task<IngestException> asked = RestartableDsp.AskAsync(connection, log);
        await UntilAsync(log, LogLevel.Warning, "Waiting up to 60 s");
        await dsp.UpAsync();

        Assert.Equal(ErrorId.NotFound, (await asked.WaitAsync(Limit)).ErrorId);
    }

    [Fact]
    public async Task Timeout_of_zero_waits_for_no_outage()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect(TimeSpan.Zero, settings => settings with { MaxAttempts = 2 });
        RecordingLogger log = new();
        Assert.Equal(ErrorId.NotFound, (await RestartableDsp.AskAsync(connection, log)).ErrorId);
        await dsp.DownAsync();

        IngestException error = await RestartableDsp.AskAsync(connection, log).WaitAsync(Limit);

        Assert.Equal((ErrorId.ConnectionFailed, 2), (error.ErrorId, error.Attempts));
    }

    [Fact]
    public async Task Wait_for_an_outage_can_be_stopped()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect(TimeSpan.FromHours(1));
        RecordingLogger log = new();
        await dsp.DownAsync();
        using CancellationTokenSource stop = new();
        Task<IngestException> asked = RestartableDsp.AskAsync(connection, log, stop.Token);
        await UntilAsync(log, LogLevel.Warning, "Waiting up to 60 min");

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked.WaitAsync(Limit, CancellationToken.None));
    }

    [Fact]
    public async Task Check_says_at_once_that_a_server_is_down()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect(change: settings => settings with { MaxAttempts = 1 });
        RecordingLogger log = new();
        Assert.True((await ServiceCheck.RunAsync(connection, null, log, CancellationToken.None)).Ok);
        await RestartableDsp.AskAsync(connection, log);
        await dsp.DownAsync();

        ServiceReport report = await ServiceCheck.RunAsync(connection, null, log, CancellationToken.None).WaitAsync(Limit);

        Assert.False(report.Reachable);
        Assert.Contains("No connection to", report.Details[0], StringComparison.Ordinal);
        Assert.DoesNotContain("Waiting", log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sign_in_whose_server_is_down_is_waited_for()
    {
        await using RestartableDsp login = await RestartableDsp.StartAsync();
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect(TimeSpan.FromMinutes(1), settings => WithLogin(settings, login));
        RecordingLogger log = new();
        await login.DownAsync();

        Task<IngestException> asked = RestartableDsp.AskAsync(connection, log);
        await UntilAsync(log, LogLevel.Warning, "Waiting up to 60 s");
        await login.UpAsync();

        // The other sandbox does not know the token: its answer shows that the sign-in succeeded.
        Assert.Equal(ErrorId.NotSignedIn, (await asked.WaitAsync(Limit)).ErrorId);
        Assert.Contains(login.Uri.Authority, Assert.Single(log.At(LogLevel.Warning)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Renewal_of_a_sign_in_whose_server_stays_down_ends_with_the_timeout()
    {
        await using RestartableDsp login = await RestartableDsp.StartAsync();
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection connection = dsp.Connect(TimeSpan.FromSeconds(2), settings => WithLogin(settings, login));
        await RestartableDsp.AskAsync(connection, new RecordingLogger());
        await login.DownAsync();

        // The server answers each attempt with 401, and each renewal of the sign-in is refused.
        IngestException error = await RestartableDsp.AskAsync(connection, new RecordingLogger()).WaitAsync(Limit);

        Assert.Equal(ErrorId.ConnectionFailed, error.ErrorId);
        Assert.Contains("this call waited 2 s", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpRequestError.ConnectionError, SocketError.ConnectionRefused, true)]
    [InlineData(HttpRequestError.ConnectionError, SocketError.HostUnreachable, true)]
    [InlineData(HttpRequestError.ConnectionError, SocketError.NetworkUnreachable, true)]
    [InlineData(HttpRequestError.ConnectionError, SocketError.TimedOut, true)]
    [InlineData(HttpRequestError.NameResolutionError, SocketError.TryAgain, true)]
    [InlineData(HttpRequestError.NameResolutionError, SocketError.HostNotFound, false)]
    [InlineData(HttpRequestError.ConnectionError, SocketError.HostNotFound, false)]
    [InlineData(HttpRequestError.ConnectionError, SocketError.TooManyOpenSockets, false)]
    [InlineData(HttpRequestError.ProxyTunnelError, SocketError.ConnectionReset, false)]
    [InlineData(HttpRequestError.SecureConnectionError, SocketError.ConnectionReset, false)]
    [InlineData(HttpRequestError.ResponseEnded, SocketError.ConnectionReset, false)]
    public void Only_a_connection_that_did_not_come_about_is_an_outage(HttpRequestError kind, SocketError cause, bool isOutage)
    {
        HttpOperation operation = new()
        {
            Name = "upload",
            Kind = OperationKind.Once,
            Method = HttpMethod.Post,
            Uri = new Uri("https://ingest.example.org/"),
        };
        HttpRequestException failure = new(kind, "failed", new SocketException((int)cause));

        IngestException error = HttpFailure.FromException(IngestService.DspIngest, operation, failure);

        Assert.Equal(isOutage, Outage.IsUnreachable(error));
    }

    [Fact]
    public async Task Mapping_that_the_server_fails_to_give_is_one_warning_and_the_files_are_sent()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.SetFaults("500=GET");

        List<UploadResult> results = await dsp.SendAsync(null, [.. Enumerable.Range(0, 20).Select(i => dsp.Folder.Write($"{i}.tif"))]);

        Assert.Equal(20, results.Count(result => result.Status == UploadStatus.Uploaded));
        Assert.StartsWith("project 0001 could not be checked", Assert.Single(dsp.Log.At(LogLevel.Warning)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ErrorId.NotSignedIn, true)]
    [InlineData(ErrorId.NotAllowed, true)]
    [InlineData(ErrorId.NotFound, true)]
    [InlineData(ErrorId.Redirected, true)]
    [InlineData(ErrorId.InsecureConnection, true)]
    [InlineData(ErrorId.SecretUnavailable, true)]
    [InlineData(ErrorId.ConnectionFailed, true)]
    [InlineData(ErrorId.ServerError, false)]
    [InlineData(ErrorId.InvalidAnswer, false)]
    [InlineData(ErrorId.TooManyRequests, false)]
    [InlineData(ErrorId.TimedOut, false)]
    [InlineData(ErrorId.Rejected, false)]
    public void First_check_ends_all_uploads_only_where_all_would_fail(ErrorId errorId, bool isForEveryFile)
    {
        Assert.Equal(isForEveryFile, TargetFailure.IsForEveryFile(new IngestException(errorId, "failed")));
        Assert.True(TargetFailure.IsForEveryFile(new IngestException(errorId, "failed").BeforeSending()));
    }

    [Fact]
    public async Task Timeout_is_kept_in_a_profile()
    {
        await using RestartableDsp dsp = await RestartableDsp.StartAsync();
        using IngestConnection given = dsp.Connect(TimeSpan.FromMinutes(5), settings => settings with { SecretFrom = "env:TOKEN" });
        using IngestConnection none = dsp.Connect(change: settings => settings with { SecretFrom = "env:TOKEN" });

        Assert.Equal(TimeSpan.FromMinutes(5), ConnectionProfile.From(given, false).ToSettings(null).OutageTimeout);
        Assert.Null(ConnectionProfile.From(none, false).ToSettings(null).OutageTimeout);
    }

    [Fact]
    public void Negative_timeout_is_refused()
    {
        IngestException error = Assert.Throws<IngestException>(() =>
            IngestConnection.Open(
                new ConnectionSettings
                {
                    Service = IngestService.DspIngest,
                    Uri = new Uri("https://ingest.example.org"),
                    OutageTimeout = TimeSpan.FromSeconds(-1),
                }
            )
        );

        Assert.Equal(ErrorId.Rejected, error.ErrorId);
    }

    private static ConnectionSettings WithLogin(ConnectionSettings settings, RestartableDsp login) =>
        settings with
        {
            SignIn = SignInKind.Password,
            UserName = "root@example.com",
            Secret = _ => ValueTask.FromResult("test"),
            AuthenticationUri = login.Uri,
        };

    private static IEnumerable<string> Files(RestartableDsp dsp, int count) =>
        Enumerable.Range(0, count).Select(i => dsp.Folder.Write($"{i}.tif", 500));

    private static async Task<List<WaitEvent>> WaitAsync(IngestConnection connection, Transaction transaction, RecordingLogger log)
    {
        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        requests.Writer.TryWrite(new WaitRequest(transaction, TransactionSources.For(connection, log)));
        requests.Writer.Complete();
        List<WaitEvent> events = [];
        await foreach (
            WaitEvent happened in new TransactionWaiter(new WaitOptions { PollInterval = TimeSpan.FromMilliseconds(20) }, log).WaitAsync(
                requests.Reader,
                CancellationToken.None
            )
        )
            events.Add(happened);
        return events;
    }

    private static async Task UntilAsync(RecordingLogger log, LogLevel level, string text)
    {
        using CancellationTokenSource limit = new(Limit);
        while (!log.At(level).Any(entry => entry.Contains(text, StringComparison.Ordinal)))
            await Task.Delay(20, limit.Token);
    }
}
