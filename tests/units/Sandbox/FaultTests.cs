using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Faults;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class FaultTests
{
    private const string Health = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

    [Theory]
    [InlineData("503", HttpStatusCode.ServiceUnavailable, null)]
    [InlineData("503=2s", HttpStatusCode.ServiceUnavailable, "2")]
    [InlineData("429", HttpStatusCode.TooManyRequests, null)]
    [InlineData("429=0s", HttpStatusCode.TooManyRequests, "0")]
    [InlineData("504", HttpStatusCode.GatewayTimeout, null)]
    public async Task Status_comes_with_or_without_retry_after(string fault, HttpStatusCode status, string? retryAfter)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, fault);
        using HttpResponseMessage answer = await sandbox.UploadAsync("a.txt");
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(retryAfter, answer.Headers.RetryAfter?.ToString());
        Assert.Empty(sandbox.Project.WaitingFiles);
    }

    [Fact]
    public async Task Server_error_is_the_services_own_and_bad_gateway_a_proxys_page()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "500=1", "502=1");
        Assert.StartsWith("""{"errorMessage":""", await sandbox.UploadAsync("a.txt").BodyAsync(), StringComparison.Ordinal);
        using HttpResponseMessage page = await sandbox.UploadAsync("a.txt");
        Assert.Equal((HttpStatusCode.BadGateway, "text/html"), (page.StatusCode, page.Content.Headers.ContentType?.MediaType));
    }

    [Fact]
    public async Task Html_and_empty_answers_are_successes_that_did_nothing()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "html=1", "empty=1");
        using HttpResponseMessage html = await sandbox.UploadAsync("a.txt");
        Assert.Equal((HttpStatusCode.OK, "text/html"), (html.StatusCode, html.Content.Headers.ContentType?.MediaType));
        await sandbox.UploadAsync("a.txt").IsAsync(HttpStatusCode.OK, "");
        Assert.Empty(sandbox.Project.WaitingFiles);
    }

    [Fact]
    public async Task Redirect_names_another_host()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "redirect");
        using HttpResponseMessage answer = await sandbox.UploadAsync("a b.txt");
        Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
        Assert.Equal("https://elsewhere.invalid/projects/0001/bulk-ingest/ingest/a%20b.txt", answer.Headers.Location?.AbsoluteUri);
    }

    [Fact]
    public async Task Latency_delays_an_answer_that_is_otherwise_as_usual()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "latency=100ms");
        Stopwatch clock = Stopwatch.StartNew();
        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync("a.txt").StatusAsync());
        Assert.True(clock.ElapsedMilliseconds >= 95, $"answered after {clock.ElapsedMilliseconds} ms");
    }

    [Theory]
    [InlineData("reset")]
    [InlineData("lost")]
    public async Task Reset_is_a_real_one(string fault)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, fault);
        using Socket socket = await sandbox.SendRawAsync(Health);
        SocketException e = await Assert.ThrowsAsync<SocketException>(async () => await socket.ReceiveAsync(new byte[1000], sandbox.Soon));
        Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        await sandbox.WaitUntilAsync(() => sandbox.Server.Requests.Ended == 1);
        Assert.True(Assert.Single(sandbox.Server.Requests.Snapshot()).Aborted);
    }

    [Fact]
    public async Task Reset_before_the_body_leaves_no_file()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "reset=1");
        await Assert.ThrowsAsync<HttpRequestException>(() => sandbox.UploadAsync("a.txt"));
        Assert.False(sandbox.Project.HasImportFolder);
        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync("a.txt").StatusAsync());
    }

    [Fact]
    public async Task Reset_in_the_body_leaves_half_a_file()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "reset-body=1");
        await Assert.ThrowsAsync<HttpRequestException>(() => sandbox.UploadAsync("a.txt", new byte[1_000_000]));
        await sandbox.WaitUntilAsync(() => sandbox.Server.Requests.Ended == 1);

        Assert.Equal(500_000, Assert.Single(sandbox.Project.WaitingFiles).Length);
        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync("a.txt", new byte[1_000_000]).StatusAsync());
        Assert.Equal(1_000_000, Assert.Single(sandbox.Project.WaitingFiles).Length);
    }

    [Fact]
    public async Task Reset_in_the_answer_comes_after_the_deed()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "reset-answer=1");
        await Assert.ThrowsAsync<HttpRequestException>(() => sandbox.UploadAsync("a.txt"));
        Assert.Equal(1, sandbox.Project.History("a.txt").Uploads);
    }

    [Fact]
    public async Task Truncated_answer_ends_early_without_a_reset()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "truncated");
        using Socket socket = await sandbox.SendRawAsync(Health);

        string answer = await ReadToEndAsync(socket, sandbox.Soon);

        Assert.Contains("Content-Length: 15\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n{\"statu", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Truncated_mapping_ends_where_it_is_told()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "truncated=300KiB,GET /projects/**");
        sandbox.Project.SeedMapping(20_000);
        using HttpResponseMessage answer = await sandbox.Client.GetAsync(
            new Uri("projects/0001/bulk-ingest/mapping.csv", UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead,
            sandbox.Soon
        );
        await using Stream body = await answer.Content.ReadAsStreamAsync();
        using MemoryStream read = new();

        await Assert.ThrowsAsync<HttpIOException>(() => body.CopyToAsync(read, sandbox.Soon));

        Assert.Equal(300 << 10, read.Length);
    }

    [Fact]
    public async Task Lost_answer_comes_after_the_deed()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "lost=1,POST /projects/*/bulk-ingest");
        await sandbox.UploadAsync("a.txt");
        await Assert.ThrowsAsync<HttpRequestException>(() => sandbox.StartIngestAsync());
        await sandbox.WaitUntilAsync(() => sandbox.Project.Mapping?.Count == 1);
        Assert.Equal(1, sandbox.Server.Faults.Applied(FaultKind.LostAnswer));
    }

    [Fact]
    public async Task Stall_neither_reads_nor_answers_and_ends_with_the_client()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "stall");
        using CancellationTokenSource patience = new();
        Task<HttpResponseMessage> upload = sandbox.Client.PostAsync(
            new Uri("projects/0001/bulk-ingest/ingest/a.tif", UriKind.Relative),
            new ByteArrayContent(new byte[64 << 20]),
            patience.Token
        );
        await sandbox.WaitUntilAsync(() => sandbox.Server.Faults.Applied(FaultKind.Stall) == 1);
        Assert.False(upload.IsCompleted);

        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upload);
        await sandbox.WaitUntilAsync(() => sandbox.Server.Connections.Open == 0);
        Assert.Empty(sandbox.Project.WaitingFiles);
    }

    [Fact]
    public async Task Slow_body_is_read_in_pieces_with_pauses()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "slow-body=1KiB,20ms");
        Stopwatch clock = Stopwatch.StartNew();
        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync("a.txt", new byte[5 << 10]).StatusAsync());
        Assert.True(clock.ElapsedMilliseconds >= 5 * 19, $"answered after {clock.ElapsedMilliseconds} ms");
        Assert.Equal(5 << 10, Assert.Single(sandbox.Project.WaitingFiles).Length);
    }

    [Fact]
    public async Task Lock_is_held_by_another_client_for_its_time()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o => o.LockWait = TimeSpan.FromMilliseconds(10), "lock=1,200ms");
        Assert.Equal(HttpStatusCode.Conflict, await sandbox.UploadAsync("a.txt").StatusAsync());
        await sandbox.WaitUntilAsync(() => !sandbox.Project.IsLocked);
        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync("a.txt").StatusAsync());
    }

    [Fact]
    public async Task Share_is_kept_and_depends_on_the_seed_alone()
    {
        async Task<string> RunAsync()
        {
            SandboxOptions options = new() { Seed = 7, Faults = [Fault.Parse("503=10%")] };
            await using DspSandbox sandbox = await DspSandbox.StartAsync(options);
            StringBuilder statuses = new();
            for (int i = 0; i < 300; i++)
                statuses.Append(await sandbox.GetAsync("health").StatusAsync() == HttpStatusCode.OK ? '.' : 'x');
            Assert.InRange(sandbox.Server.Faults.Applied(FaultKind.Status), 15, 50);
            return statuses.ToString();
        }

        Assert.Equal(await RunAsync(), await RunAsync());
    }

    [Fact]
    public async Task Match_is_for_the_method_and_the_raw_path()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "503=POST /projects/*/bulk-ingest/ingest/*");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await sandbox.UploadAsync("a/b.txt").StatusAsync());
        Assert.Equal(HttpStatusCode.NotFound, await sandbox.StartIngestAsync().StatusAsync());
        Assert.Equal(HttpStatusCode.NotFound, await sandbox.MappingAsync().StatusAsync());
    }

    [Fact]
    public async Task Faults_add_up_until_one_ends_the_request()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "latency=1ms", "503=1", "500=1");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await sandbox.GetAsync("health").StatusAsync());
        Assert.Equal(HttpStatusCode.InternalServerError, await sandbox.GetAsync("health").StatusAsync());
        Assert.Equal(HttpStatusCode.OK, await sandbox.GetAsync("health").StatusAsync());
        await sandbox.WaitUntilAsync(() => sandbox.Server.Requests.Ended == 3);
        Assert.Equal(["latency+503", "latency+500", "latency"], sandbox.Server.Requests.Snapshot().Select(static r => r.Fault));
    }

    [Fact]
    public async Task Faults_can_be_replaced_while_the_sandbox_runs()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "503");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await sandbox.GetAsync("health").StatusAsync());
        sandbox.Server.Faults.Replace(new Fault(FaultKind.Status) { Status = 429 });
        Assert.Equal(HttpStatusCode.TooManyRequests, await sandbox.GetAsync("health").StatusAsync());
        sandbox.Server.Faults.Clear();
        Assert.Equal(HttpStatusCode.OK, await sandbox.GetAsync("health").StatusAsync());
    }

    private static async Task<string> ReadToEndAsync(Socket socket, CancellationToken cancellationToken)
    {
        await using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(cancellationToken);
    }
}
