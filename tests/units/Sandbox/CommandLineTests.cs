using System.Net;
using IngestTools.Sandbox;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Sandbox;

/// <summary>ingest-sandbox as a user runs it: a process of its own.</summary>
public sealed class CommandLineTests
{
    /// <summary>The promise is one second; the other is for a machine that is busy with other tests.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Serve_prints_one_line_of_json_and_nothing_else()
    {
        await using SandboxProcess sandbox = await SandboxProcess.ServeAsync("--fault", "truncated=1", "--accept-any-token");
        using HttpClient client = new();

        Assert.Equal(IPAddress.Loopback.ToString(), sandbox.Uri.Host);
        Assert.Equal(sandbox.Id, sandbox.Announced.GetProperty("pid").GetInt32());
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync(new Uri(sandbox.Uri, "health")));
        Assert.Equal("""{"status":"UP"}""", await client.GetStringAsync(new Uri(sandbox.Uri, "health")));

        await sandbox.KillAsync();
        Assert.Equal(("", ""), (await sandbox.RestOfOutputAsync(), await sandbox.ErrorsAsync()));
    }

    [Fact]
    public async Task Sandbox_ends_within_a_second_of_its_parent()
    {
        await using SandboxProcess parent = await SandboxProcess.ServeAsync();
        await using SandboxProcess child = await SandboxProcess.ServeAsync("--parent", $"{parent.Id}");

        await parent.KillAsync();

        Assert.Equal(0, await child.EndsWithinAsync(AtOnce));
    }

    [Fact]
    public async Task Terminated_sandbox_ends_at_once_even_while_requests_are_stalled()
    {
        if (OperatingSystem.IsWindows())
            return; // There is no SIGTERM to send.
        await using SandboxProcess sandbox = await SandboxProcess.ServeAsync("--fault", "stall=/health");
        using HttpClient client = new();
        Task<string> stalled = client.GetStringAsync(new Uri(sandbox.Uri, "health"));
        Uri connections = new(sandbox.Uri, "sandbox/connections");
        while (!(await client.GetStringAsync(connections)).Contains("\"requestsInFlight\":1", StringComparison.Ordinal))
            await Task.Yield();

        ProcessSignal.Send(sandbox.Id, ProcessSignal.Terminate);

        Assert.Equal(0, await sandbox.EndsWithinAsync(AtOnce));
        await Assert.ThrowsAsync<HttpRequestException>(() => stalled);
    }

    [Fact]
    public async Task Interrupt_that_is_meant_for_its_parent_leaves_it_running()
    {
        if (OperatingSystem.IsWindows())
            return; // There is no SIGINT to send.
        await using SandboxProcess sandbox = await SandboxProcess.ServeAsync("--parent", $"{Environment.ProcessId}");
        ProcessSignal.Send(sandbox.Id, ProcessSignal.Interrupt);

        using HttpClient client = new();
        Assert.Contains("UP", await client.GetStringAsync(new Uri(sandbox.Uri, "health")), StringComparison.Ordinal);

        ProcessSignal.Send(sandbox.Id, ProcessSignal.Terminate);
        Assert.Equal(0, await sandbox.EndsWithinAsync(AtOnce));
    }

    [Fact]
    public async Task Sandbox_ends_after_the_time_it_was_given()
    {
        await using SandboxProcess sandbox = SandboxProcess.Start("serve", "--run-seconds", "0");
        Assert.Equal(0, await sandbox.EndsAsync());
    }

    [Fact]
    public async Task Port_in_use_is_one_line_and_exit_code_1()
    {
        await using SandboxServer other = await SandboxServer.StartAsync();
        await using SandboxProcess sandbox = SandboxProcess.Start("serve", "--port", $"{other.Uri.Port}");

        Assert.Equal(1, await sandbox.EndsAsync());
        string error = await sandbox.ErrorsAsync();
        Assert.Contains("address already in use", error, StringComparison.Ordinal);
        Assert.Equal(error.Length - 1, error.IndexOf('\n', StringComparison.Ordinal));
        Assert.Equal("", await sandbox.RestOfOutputAsync());
    }

    [Theory]
    [InlineData("say what to do: ingest-sandbox serve")]
    [InlineData("there is no command 'server'", "server")]
    [InlineData("there is no option '--prot'", "serve", "--prot", "1")]
    [InlineData("--port is a number from 0 to 65535, not '70000'", "serve", "--port=70000")]
    [InlineData("--fault '503=x': 'x' is no share", "serve", "--fault", "503=x")]
    [InlineData("--password-from is env:NAME", "serve", "--password-from", "secret")]
    [InlineData("--token needs a value", "serve", "--token")]
    public async Task Wrong_usage_says_what_is_wrong_and_ends_with_64(string message, params string[] arguments)
    {
        await using SandboxProcess sandbox = SandboxProcess.Start(arguments);
        Assert.Equal(64, await sandbox.EndsAsync());
        Assert.StartsWith($"ingest-sandbox: {message}", await sandbox.ErrorsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_explains_every_fault()
    {
        await using SandboxProcess sandbox = SandboxProcess.Start("serve", "--help");
        Assert.Equal(0, await sandbox.EndsAsync());
        string help = await sandbox.RestOfOutputAsync();
        string[] words = ["latency", "reset-body", "truncated", "--parent PID", "/sandbox/requests"];
        Assert.All(words, word => Assert.Contains(word, help, StringComparison.Ordinal));
    }

    [Fact]
    public async Task LakeFs_is_of_the_version_dialect_and_secret_that_were_given()
    {
        Environment.SetEnvironmentVariable("SANDBOX_TEST_LAKEFS", "s3cret");
        await using SandboxProcess old = await SandboxProcess.ServeAsync("--lakefs-version", "0.110.0", "--lakefs-secret-from", "env:SANDBOX_TEST_LAKEFS");
        await using SandboxProcess legacy = await SandboxProcess.ServeAsync("--lakefs-legacy", "--lakefs-secret-from", "env:SANDBOX_TEST_LAKEFS");
        using HttpClient client = new();
        client.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String("AKIASANDBOX:s3cret"u8));

        Assert.Contains("\"0.110.0\"", await client.GetStringAsync(new Uri(old.Uri, "api/v1/config/version")), StringComparison.Ordinal);
        Assert.Contains("\"0.100.0\"", await client.GetStringAsync(new Uri(legacy.Uri, "api/v1/config/version")), StringComparison.Ordinal);
        // The dialect that takes the id in a body refuses to be asked without one.
        Uri status = new(legacy.Uri, "api/v1/repositories/lake/branches/main/import?id=x");
        Assert.Equal(HttpStatusCode.BadRequest, await client.GetAsync(status).StatusAsync());
    }

    [Fact]
    public async Task User_and_token_are_taken_from_the_environment()
    {
        Environment.SetEnvironmentVariable("SANDBOX_TEST_PASSWORD", "s3cret");
        Environment.SetEnvironmentVariable("SANDBOX_TEST_TOKEN", "t0ken");
        await using SandboxProcess sandbox = await SandboxProcess.ServeAsync(
            "--user", "me@example.com", "--password-from", "env:SANDBOX_TEST_PASSWORD", "--token-from", "env:SANDBOX_TEST_TOKEN");
        using HttpClient client = new();

        using StringContent login = new("""{"email":"me@example.com","password":"s3cret"}""");
        Assert.Equal(HttpStatusCode.OK, await client.PostAsync(new Uri(sandbox.Uri, "v2/authentication"), login).StatusAsync());
        client.DefaultRequestHeaders.Authorization = new("Bearer", "t0ken");
        Assert.Equal(HttpStatusCode.OK, await client.GetAsync(new Uri(sandbox.Uri, "v2/authentication")).StatusAsync());
    }
}
