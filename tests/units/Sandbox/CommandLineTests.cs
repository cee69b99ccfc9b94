using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using IngestTools.Sandbox;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Sandbox;

/// <summary>ingest-sandbox as a user runs it: a process of its own.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class CommandLineTests
{
    /// <summary>The promise is one second; the other is for a machine that is busy with other tests.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Serve_prints_one_line_of_json_and_nothing_else()
    {
        await using SandboxProcess sandbox = await SandboxProcess.ServeAsync("--fault", "truncated=1", "--option", "acceptAnyToken");
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

    [FactExceptOn("windows", "Windows has no SIGTERM.")]
    public async Task Terminated_sandbox_ends_at_once_even_while_requests_are_stalled()
    {
        await using SandboxProcess sandbox = await SandboxProcess.ServeAsync("--fault", "stall=/health");
        using HttpClient client = new();
        Task<string> stalled = client.GetStringAsync(new Uri(sandbox.Uri, "health"));
        Uri connections = new(sandbox.Uri, "sandbox/connections");
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (!(await client.GetStringAsync(connections, limit.Token)).Contains("\"requestsInFlight\":1", StringComparison.Ordinal))
            await Task.Yield();

        ProcessSignal.Send(sandbox.Id, ProcessSignal.Terminate);

        Assert.Equal(0, await sandbox.EndsWithinAsync(AtOnce));
        await Assert.ThrowsAsync<HttpRequestException>(() => stalled);
    }

    [FactExceptOn("windows", "Windows has no SIGINT.")]
    public async Task Interrupt_that_is_meant_for_its_parent_leaves_it_running()
    {
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
        await using SandboxProcess sandbox = SandboxProcess.Start("serve", "--option", "runSeconds=0");
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
    [InlineData("Name a command: serve, options.")]
    [InlineData("'server' is not a command. The commands are serve, options.", "server")]
    [InlineData("Unrecognized command or argument '--prot'.", "serve", "--prot", "1")]
    [InlineData("--port takes a number from 0 to 65535, not '70000'", "serve", "--port=70000")]
    [InlineData("--fault '503=x': 'x' is not a share", "serve", "--fault", "503=x")]
    [InlineData("Required argument missing for option: '--option'.", "serve", "--option")]
    [InlineData("--data needs a value", "serve", "--data", "")]
    [InlineData("password takes env:NAME", "serve", "--option", "password=secret")]
    [InlineData("token: the environment variable SANDBOX_TEST_NONE is not set", "serve", "--option", "token=env:SANDBOX_TEST_NONE")]
    [InlineData("dsp:ingestMs needs a value: dsp:ingestMs=N", "serve", "--option", "dsp:ingestMs")]
    [InlineData("dsp:ingestMs cannot be 'soon'; write dsp:ingestMs=N", "serve", "--option", "dsp:ingestMs=soon")]
    [InlineData("dsp:release cannot be '2'; write dsp:release=0.19.1|current", "serve", "--option", "dsp:release=2")]
    [InlineData("unknown option 'dsp:ingestM'; the options are dsp:release, dsp:ingestMs,", "serve", "--option", "dsp:ingestM=5")]
    [InlineData("unknown option 'nonsense'; the options are user, password,", "serve", "--option", "nonsense")]
    public async Task Wrong_usage_says_what_is_wrong_and_ends_with_64(string message, params string[] arguments)
    {
        await using SandboxProcess sandbox = SandboxProcess.Start(arguments);
        Assert.Equal(64, await sandbox.EndsAsync());
        Assert.StartsWith($"ingest-sandbox: {message}", await sandbox.ErrorsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_lists_faults_and_options()
    {
        await using SandboxProcess sandbox = SandboxProcess.Start("serve", "--help");
        Assert.Equal(0, await sandbox.EndsAsync());
        string help = await sandbox.RestOfOutputAsync();
        string[] words =
        [
            "latency",
            "reset-body",
            "truncated",
            "--parent <PID>",
            "/sandbox/requests",
            "voss:rowMs=N",
            "ica:cursorEnd=Null|Absent|Empty",
        ];
        Assert.All(words, word => Assert.Contains(word, help, StringComparison.Ordinal));
    }

    [Fact]
    public async Task LakeFs_is_of_the_version_dialect_and_secret_that_were_given()
    {
        const string Secret = "lakefs:secretAccessKey=env:SANDBOX_TEST_LAKEFS";
        Environment.SetEnvironmentVariable("SANDBOX_TEST_LAKEFS", "s3cret");
        await using SandboxProcess old = await SandboxProcess.ServeAsync("--option", "lakefs:version=0.110.0", "--option", Secret);
        await using SandboxProcess legacy = await SandboxProcess.ServeAsync(
            "--option",
            "lakefs:dialect=legacy",
            "--option",
            "LAKEFS:VERSION=0.100.0",
            "--option",
            Secret
        );
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
            "--option",
            "user=me@example.com",
            "--option",
            "password=env:SANDBOX_TEST_PASSWORD",
            "--option",
            "token=env:SANDBOX_TEST_TOKEN"
        );
        using HttpClient client = new();

        using StringContent login = new("""{"email":"me@example.com","password":"s3cret"}""");
        Assert.Equal(HttpStatusCode.OK, await client.PostAsync(new Uri(sandbox.Uri, "v2/authentication"), login).StatusAsync());
        client.DefaultRequestHeaders.Authorization = new("Bearer", "t0ken");
        Assert.Equal(HttpStatusCode.OK, await client.GetAsync(new Uri(sandbox.Uri, "v2/authentication")).StatusAsync());
    }

    [Fact]
    public async Task Options_are_listed_for_completion()
    {
        await using SandboxProcess sandbox = SandboxProcess.Start("options");
        Assert.Equal(0, await sandbox.EndsAsync());
        using JsonDocument list = JsonDocument.Parse(await sandbox.RestOfOutputAsync());

        JsonElement release = Assert.Single(
            list.RootElement.EnumerateArray(),
            static option => option.GetProperty("name").GetString() == "dsp:release"
        );
        Assert.Equal("0.19.1|current", release.GetProperty("values").GetString());
        Assert.All(list.RootElement.EnumerateArray(), static option => Assert.NotEmpty(option.GetProperty("description").GetString()!));
    }

    [Fact]
    public async Task List_option_takes_every_value_that_was_given()
    {
        await using SandboxProcess sandbox = await SandboxProcess.ServeAsync(
            "--option",
            "dsp:ingestFails=a.jpg",
            "--option",
            "dsp:ingestFails=b.jpg",
            "--option",
            """dsp:ingestFails=["c.jpg"]""",
            "--option",
            "acceptAnyToken"
        );

        Assert.Equal(["a.jpg", "b.jpg", "c.jpg"], await LeftOversAsync(sandbox, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]));
    }

    [Fact]
    public async Task File_that_fails_once_is_ingested_by_the_second_run()
    {
        await using SandboxProcess sandbox = await SandboxProcess.ServeAsync(
            "--option",
            "dsp:ingestFailsOnce=a.jpg",
            "--option",
            "acceptAnyToken"
        );

        Assert.Equal(["a.jpg"], await LeftOversAsync(sandbox, ["a.jpg", "b.jpg"]));
        Assert.Empty(await LeftOversAsync(sandbox, []));
    }

    [Fact]
    public async Task Sample_files_are_written_before_it_listens_and_again_only_where_they_are_missing()
    {
        using TemporaryFolder folder = new();
        string samples = Path.Combine(folder.Path, "new", "samples");
        await using SandboxProcess first = await SandboxProcess.ServeAsync("--sample", samples);
        string[] names = ["ids.csv", "list.xlsx", "scans", "unsorted", "users.xlsx"];
        Assert.Equal(names, Directory.EnumerateFileSystemEntries(samples).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(60_001, File.ReadLines(Path.Combine(samples, "ids.csv")).Count());
        Assert.True(File.Exists(Path.Combine(samples, "unsorted", "draft#3.pdf")));

        byte[] workbook = await File.ReadAllBytesAsync(Path.Combine(samples, "users.xlsx"));
        File.Delete(Path.Combine(samples, "users.xlsx"));
        await using SandboxProcess second = await SandboxProcess.ServeAsync("--sample", samples);
        Assert.Equal(workbook, await File.ReadAllBytesAsync(Path.Combine(samples, "users.xlsx")));
    }

    [Fact]
    public async Task Sample_never_replaces_a_file_of_the_user()
    {
        using TemporaryFolder folder = new();
        string list = Path.Combine(folder.Path, "ids.csv");
        await File.WriteAllTextAsync(list, "mine");
        await using SandboxProcess sandbox = SandboxProcess.Start("serve", "--sample", folder.Path);

        Assert.Equal(73, await sandbox.EndsAsync());
        Assert.Contains(list, await sandbox.ErrorsAsync(), StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(list));
        Assert.Equal([list], Directory.EnumerateFileSystemEntries(folder.Path));
    }

    /// <summary>Uploads empty files, ingests what waits, and returns what waits then.</summary>
    private static async Task<string[]> LeftOversAsync(SandboxProcess sandbox, string[] names)
    {
        using HttpClient client = new() { BaseAddress = sandbox.Uri };
        client.DefaultRequestHeaders.Authorization = new("Bearer", "any");
        foreach (string name in names)
        {
            using ByteArrayContent body = new([1]);
            (await client.PostAsync($"projects/0001/bulk-ingest/ingest/{name}", body)).EnsureSuccessStatusCode();
        }

        (await client.PostAsync("projects/0001/bulk-ingest", null)).EnsureSuccessStatusCode();
        while (true)
        {
            using JsonDocument project = JsonDocument.Parse(await client.GetStringAsync("sandbox/dsp/projects/0001"));
            if (project.RootElement.GetProperty("isLocked").GetBoolean())
                continue;
            IEnumerable<string> waiting = project
                .RootElement.GetProperty("waiting")
                .EnumerateArray()
                .Select(static file => file.GetProperty("path").GetString()!);
            return [.. waiting.Order(StringComparer.Ordinal)];
        }
    }

    [Fact]
    public async Task Serve_takes_the_options_of_ica()
    {
        await using SandboxProcess sandbox = await SandboxProcess.ServeAsync(
            "--option",
            "ica:linkFails=fil.*",
            "--option",
            "ica:linkUs=0",
            "--option=ica:queueMs=0"
        );
        using HttpClient client = new() { BaseAddress = new Uri(sandbox.Uri, "ica/rest/api/") };
        client.DefaultRequestHeaders.Add("X-API-Key", "test");
        using ByteArrayContent body = new(Encoding.UTF8.GetBytes($$"""{"items":[{"dataId":"{{IcaSandbox.Id(1)}}"}]}"""));
        body.Headers.ContentType = new MediaTypeHeaderValue(IcaSandbox.V4);
        client.DefaultRequestHeaders.TryAddWithoutValidation("Accept", IcaSandbox.V4);
        using HttpResponseMessage made = await client.PostAsync(
            new Uri($"projects/{IcaSandbox.Project}/dataLinkingBatch", UriKind.Relative),
            body
        );
        string? id = (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();

        string items = await client.GetStringAsync(new Uri($"projects/{IcaSandbox.Project}/dataLinkingBatch/{id}/items", UriKind.Relative));

        Assert.Contains("\"status\":\"FAILED\"", items, StringComparison.Ordinal);
    }
}
