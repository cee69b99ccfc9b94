using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using IngestTools.Sandbox;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class ControlTests
{
    private static readonly Uri Faults = new("sandbox/faults", UriKind.Relative);
    private static readonly Uri Options = new("sandbox/dsp/options", UriKind.Relative);

    [Fact]
    public async Task Project_tells_what_waits_what_was_ingested_and_how_often()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.UploadAsync("a/ü.txt");
        await sandbox.IngestAsync();
        await sandbox.UploadAsync("b.txt");

        JsonElement project = await sandbox.Client.GetFromJsonAsync<JsonElement>(new Uri("sandbox/dsp/projects/0001", UriKind.Relative));

        Assert.Equal("b.txt", project.GetProperty("waiting")[0].GetProperty("path").GetString());
        Assert.Equal("a/ü.txt", project.GetProperty("mapping")[0].GetProperty("original").GetString());
        JsonElement file = project.GetProperty("files").EnumerateArray().Single(static f => f.GetProperty("path").GetString() == "a/ü.txt");
        Assert.Equal((1, 1), (file.GetProperty("uploads").GetInt32(), file.GetProperty("ingests").GetInt32()));
        Assert.Equal(sandbox.Project.History("a/ü.txt").IngestedSha256.ToString(), file.GetProperty("ingestedSha256").GetString());
    }

    [Fact]
    public async Task Request_log_keeps_names_of_headers_and_no_secret()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.UploadAsync("a/b.txt", "12345");
        await sandbox.WaitUntilAsync(() => sandbox.Server.Requests.Ended == 1);

        string log = await sandbox.GetAsync("sandbox/requests").BodyAsync();

        Assert.DoesNotContain(DspSandbox.Token, log, StringComparison.Ordinal);
        JsonElement request = Assert.Single(JsonDocument.Parse(log).RootElement.EnumerateArray().ToArray());
        Assert.Equal("/projects/0001/bulk-ingest/ingest/a%2Fb.txt", request.GetProperty("target").GetString());
        Assert.Equal(5, request.GetProperty("contentLength").GetInt64());
        Assert.Contains("Authorization", request.GetProperty("headerNames").EnumerateArray().Select(static n => n.GetString()));
        Assert.False(request.GetProperty("aborted").GetBoolean());
    }

    [Fact]
    public async Task Request_log_is_bounded()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(new() { RequestLogLength = 2 });
        foreach (string name in new[] { "a", "b", "c" })
            await sandbox.GetAsync(name);
        await sandbox.WaitUntilAsync(() => sandbox.Server.Requests.Ended == 3);
        Assert.Equal(["/b", "/c"], sandbox.Server.Requests.Snapshot().Select(static r => r.Target));
    }

    [Fact]
    public async Task Faults_are_set_and_cleared_and_never_hit_a_control_route()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "reset");

        using HttpResponseMessage set = await sandbox.Client.PostAsJsonAsync(Faults, new[] { "503=1,2s", "html" });
        Assert.Equal(HttpStatusCode.NoContent, set.StatusCode);
        await sandbox.GetAsync("sandbox/faults").IsAsync(HttpStatusCode.OK, """["503=1,2000ms","html"]""");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await sandbox.GetAsync("health").StatusAsync());

        await sandbox.Client.DeleteAsync(Faults);
        await sandbox.GetAsync("health").IsAsync(HttpStatusCode.OK, """{"status":"UP"}""");
    }

    [Fact]
    public async Task Bad_fault_is_refused_and_the_old_ones_stay()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "html");
        using HttpResponseMessage answer = await sandbox.Client.PostAsJsonAsync(Faults, new[] { "nonsense" });
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("'nonsense' is not a kind of fault", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await sandbox.GetAsync("sandbox/faults").IsAsync(HttpStatusCode.OK, """["html"]""");
    }

    [Fact]
    public async Task Connections_are_counted()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.GetAsync("sandbox/connections").IsAsync(HttpStatusCode.OK, """{"open":1,"accepted":1,"requestsInFlight":0}""");
        sandbox.Client.Dispose();
        await sandbox.WaitUntilAsync(() => sandbox.Server.Connections.Open == 0);
    }

    [Fact]
    public async Task Mapping_is_seeded_and_tokens_expire()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        Assert.Equal(HttpStatusCode.NoContent, await sandbox.PostAsync("sandbox/dsp/projects/0001/mapping?rows=3").StatusAsync());
        Assert.Equal(3, sandbox.Project.Mapping?.Count);
        Assert.Equal(HttpStatusCode.BadRequest, await sandbox.PostAsync("sandbox/dsp/projects/0001/mapping").StatusAsync());

        Assert.Equal(HttpStatusCode.NoContent, await sandbox.PostAsync("sandbox/dsp/tokens/expire").StatusAsync());
        Assert.Equal(HttpStatusCode.Unauthorized, await sandbox.MappingAsync().StatusAsync());
    }

    [Fact]
    public async Task Options_are_set_and_a_misspelt_one_is_refused()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        using HttpResponseMessage set = await sandbox.Client.PostAsJsonAsync(
            Options,
            new { isHealthy = false, ingestFails = new[] { "*.tif" } }
        );
        Assert.Equal(HttpStatusCode.NoContent, set.StatusCode);
        Assert.False(sandbox.Options.IsHealthy);
        Assert.True(sandbox.Options.IngestFails("folder/a.tif"));
        Assert.False(sandbox.Options.IngestFails("folder/a.tiff"));

        using HttpResponseMessage refused = await sandbox.Client.PostAsJsonAsync(Options, new { healthy = true });
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task Unknown_control_route_is_not_found()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        Assert.Equal(HttpStatusCode.NotFound, await sandbox.GetAsync("sandbox/nowhere").StatusAsync());
        Assert.Equal(HttpStatusCode.NotFound, await sandbox.GetAsync("sandbox").StatusAsync());
    }

    [Fact]
    public async Task Wait_for_what_never_comes_ends_and_says_what_it_was()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();

        TimeoutException error = await Assert.ThrowsAsync<TimeoutException>(() =>
            sandbox.Server.WaitUntilAsync(() => sandbox.Project.IsLocked, TimeSpan.FromMilliseconds(50))
        );

        Assert.Contains("sandbox.Project.IsLocked", error.Message, StringComparison.Ordinal);
        Assert.InRange(SandboxServer.DefaultWaitLimit, TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(2));
    }
}
