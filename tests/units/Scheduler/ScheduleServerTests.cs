using System.Net;
using System.Text.Json;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Scheduling;
using IngestTools.Units.Hostile;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>A schedule names a saved connection, and loads to the server that this connection led to when it was registered.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class ScheduleServerTests
{
    [Fact]
    public async Task A_connection_that_is_saved_again_with_another_address_takes_no_load_there()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        await using SandboxServer second = await SandboxServer.StartAsync(new SandboxOptions { Seed = 1 });
        SchedulerProcess daemon = await harness.RunAsync();
        (string here, string there) = (harness.Sandbox.Uri.AbsoluteUri, second.Uri.AbsoluteUri);
        ScheduleDefinition often = new()
        {
            Name = "often",
            Load = harness.DspLoad("0071"),
            Every = TimeSpan.FromSeconds(1),
            Overlap = Overlap.Queue,
        };
        Assert.Equal(here, (await daemon.RegisterAsync(often)).Server);
        BulkLoadRun before = (
            await daemon.UntilAsync(() => daemon.RunsAsync(), runs => runs.Exists(run => run.Status == RunStatus.Succeeded))
        )[^1];
        await SuspendAsync(daemon, "often");
        await daemon.UntilAsync(() => daemon.RunsAsync(), runs => runs.TrueForAll(run => run.IsTerminal));
        int ended = (await daemon.RunsAsync()).Count;

        SaveDsp(harness, second.Uri);
        await ResumeAsync(daemon, "often");
        List<BulkLoadRun> runs = await daemon.UntilAsync(() => daemon.RunsAsync(), all => all.Count > ended && all[0].IsTerminal);
        using HttpResponseMessage started = await daemon.Http.PostAsync("schedules/often/start", null);

        BulkLoadRun refused = runs[0];
        Assert.Equal(RunStatus.Failed, refused.Status);
        foreach (string text in new[] { here, there, "-Force" })
            Assert.Contains(text, refused.Message, StringComparison.Ordinal);
        ControlError error = JsonSerializer.Deserialize(await started.Content.ReadAsStringAsync(), SchedulingJson.Default.ControlError)!;
        Assert.Equal(ErrorId.WrongServer, error.ErrorId);
        Assert.Contains("-Force", error.Advice, StringComparison.Ordinal);
        Assert.Equal((here, here), (before.Server, refused.Server));
        Assert.Equal(here, Assert.Single(await daemon.SchedulesAsync()).Server);
        Assert.Empty(second.Requests.Settled());
    }

    [Fact]
    public async Task A_schedule_that_is_registered_again_loads_to_the_server_of_its_connection()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SandboxOptions options = new() { Seed = 1 };
        options.DspIngest.Token = SchedulerHarness.Token;
        await using SandboxServer second = await SandboxServer.StartAsync(options);
        SchedulerProcess daemon = await harness.RunAsync();
        ScheduleDefinition definition = SchedulerHarness.Yearly("moved", harness.DspLoad("0072"));
        await daemon.RegisterAsync(definition);
        SaveDsp(harness, second.Uri);

        BulkLoadSchedule again = await daemon.RegisterAsync(definition, replace: true);
        BulkLoadRun run = await daemon.EndOfAsync((await daemon.StartRunAsync("moved")).Id);

        Assert.Equal(second.Uri.AbsoluteUri, again.Server);
        Assert.Equal((RunStatus.Succeeded, second.Uri.AbsoluteUri), (run.Status, run.Server));
        Assert.Equal(1, second.DspIngest.Project("0072").Runs);
    }

    [Fact]
    public async Task A_definition_that_was_exported_is_imported_for_its_own_server_only()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        await using SandboxServer second = await SandboxServer.StartAsync(new SandboxOptions { Seed = 1 });
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("kept", harness.DspLoad("0073")));
        string file = Path.Join(harness.Folder.Path, "schedules.json");
        await harness.CommandAsync("export", file);
        (int same, _, _) = await harness.CommandAsync("import", file, "--replace");
        string text = await File.ReadAllTextAsync(file);
        await File.WriteAllTextAsync(file, text.Replace("\"kept\"", "\"kept\\u001b[31m\"", StringComparison.Ordinal));
        (int escape, _, string escaped) = await harness.CommandAsync("import", file, "--replace");
        await File.WriteAllTextAsync(file, text);
        SaveDsp(harness, second.Uri);

        (int other, _, string errors) = await harness.CommandAsync("import", file, "--replace");

        Assert.Contains($"\"server\": \"{harness.Sandbox.Uri.AbsoluteUri}\"", text, StringComparison.Ordinal);
        Assert.Equal((0, 1, 1), (same, escape, other));
        Assert.Contains("kept\\u001b[31m: ", escaped, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', escaped);
        Assert.Contains(harness.Sandbox.Uri.AbsoluteUri, errors, StringComparison.Ordinal);
        Assert.Contains(second.Uri.AbsoluteUri, errors, StringComparison.Ordinal);
        Assert.Empty(second.Requests.Settled());
    }

    [Fact]
    public async Task A_schedule_of_an_earlier_version_gets_the_server_of_its_connection_at_the_start_or_with_its_next_run()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        string here = harness.Sandbox.Uri.AbsoluteUri;
        harness.Save(Profile("gone", harness.Sandbox.Uri));
        LoadDefinition load = harness.DspLoad("0074");
        await daemon.RegisterAsync(SchedulerHarness.Yearly("active", load));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("suspended", load));
        LoadDefinition without = load with { Connection = "gone" };
        await daemon.RegisterAsync(SchedulerHarness.Yearly("by hand", without));
        await daemon.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "by time",
                Load = without,
                Every = TimeSpan.FromSeconds(1),
                Overlap = Overlap.Queue,
            }
        );
        await SuspendAsync(daemon, "suspended");
        await SuspendAsync(daemon, "by time");
        await daemon.TerminateAsync();
        await new HeldStore(harness.Store).ExecuteAsync(
            $"UPDATE ingest_schedule SET definition = replace(definition, ',\"server\":\"{here}\"', '')"
        );
        new ProfileStore(harness.Home).Remove("gone");

        daemon = await harness.RunAsync();

        Assert.Equal([("active", here), ("by hand", null), ("by time", null), ("suspended", here)], await ServersAsync());
        Uri elsewhere = new("http://127.0.0.1:9/");
        SaveDsp(harness, elsewhere);
        Assert.Equal(ErrorId.WrongServer, (await StartErrorAsync(daemon, "active")).ErrorId);

        harness.Save(Profile("gone", harness.Sandbox.Uri));
        Assert.Equal(here, (await daemon.StartRunAsync("by hand")).Server);
        await ResumeAsync(daemon, "by time");
        List<BulkLoadRun> timed = await daemon.UntilAsync(() => daemon.RunsAsync("?name=by%20time"), runs => runs.Count > 0);
        await SuspendAsync(daemon, "by time");

        Assert.Equal(here, timed[^1].Server);
        Assert.Equal([("active", here), ("by hand", here), ("by time", here), ("suspended", here)], await ServersAsync());
        harness.Save(Profile("gone", elsewhere));
        Assert.Equal(ErrorId.WrongServer, (await StartErrorAsync(daemon, "by hand")).ErrorId);
        Assert.Equal(ErrorId.WrongServer, (await StartErrorAsync(daemon, "by time")).ErrorId);

        async Task<(string, string?)[]> ServersAsync() =>
            [.. (await daemon.SchedulesAsync()).Select(schedule => (schedule.Name, schedule.Server))];
    }

    [Fact]
    public async Task The_server_of_a_definition_is_read_as_the_address_of_a_connection_is()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        LoadDefinition load = harness.DspLoad("0075");
        string here = harness.Sandbox.Uri.AbsoluteUri;

        BulkLoadSchedule written = await daemon.RegisterAsync(SchedulerHarness.Yearly("written", load with { Server = here.TrimEnd('/') }));
        ControlError none = await daemon.RefusedAsync(SchedulerHarness.Yearly("none", load with { Server = "ingest.example.org" }));
        ControlError secret = await daemon.RefusedAsync(
            SchedulerHarness.Yearly(
                "secret",
                load with
                {
                    Server = here.Replace("://", "://u:canary-server-77@", StringComparison.Ordinal),
                }
            )
        );

        Assert.Equal(here, written.Server);
        Assert.Equal((ErrorId.InvalidSchedule, ErrorId.InvalidSchedule), (none.ErrorId, secret.ErrorId));
        Assert.Contains("'ingest.example.org'", none.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", secret.Message + secret.Advice + daemon.Log, StringComparison.Ordinal);
        Assert.Equal("written", Assert.Single(await daemon.SchedulesAsync()).Name);
    }

    [Fact]
    public async Task What_to_do_about_another_server_is_possible_where_it_is_said()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        ScheduleDefinition definition = SchedulerHarness.Yearly("moved", harness.DspLoad("0076"));
        string here = (await daemon.RegisterAsync(definition)).Server!;
        ScheduleDefinition meant = definition with { Name = "meant", Load = definition.Load with { Server = "https://other.example/" } };
        string file = Path.Join(harness.Folder.Path, "schedules.json");
        await harness.CommandAsync("export", file);
        string[] lines = await File.ReadAllLinesAsync(file);
        await File.WriteAllLinesAsync(file, lines.Select(line => line.Replace(here, "https://other.example/", StringComparison.Ordinal)));

        ControlError registration = await daemon.RefusedAsync(meant);
        (int refused, _, string errors) = await harness.CommandAsync("import", file, "--replace");
        await File.WriteAllLinesAsync(file, lines.Where(line => !line.Contains("\"server\":", StringComparison.Ordinal)));
        (int imported, _, _) = await harness.CommandAsync("import", file, "--replace");
        SaveDsp(harness, new Uri("http://127.0.0.1:9/"));
        ControlError run = await StartErrorAsync(daemon, "moved");

        Assert.Equal((ErrorId.WrongServer, ErrorId.WrongServer), (registration.ErrorId, run.ErrorId));
        Assert.Contains("-ExcludeProperty Server", registration.Advice, StringComparison.Ordinal);
        Assert.Contains($"delete the line \"server\" of this schedule in {file}", errors, StringComparison.Ordinal);
        Assert.Contains("-Force", run.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain("-Force", registration.Advice + errors, StringComparison.Ordinal);
        Assert.Equal((1, 0), (refused, imported));
        Assert.Equal(here, Assert.Single(await daemon.SchedulesAsync()).Server);
    }

    [Fact]
    public async Task The_server_that_is_recorded_is_the_one_that_was_signed_in_to()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        using HttpClient http = new() { BaseAddress = harness.Sandbox.Uri };
        using HostileServer first = new(
            async (request, cancellationToken) =>
            {
                // The sign-in is being tried: now the connection is saved again with another address.
                SaveDsp(harness, harness.Sandbox.Uri);
                using HttpRequestMessage passed = new(new HttpMethod(request.Method), request.Target);
                foreach (
                    (string name, string value) in request.Headers.Where(header =>
                        header.Key.Equals("Authorization", StringComparison.OrdinalIgnoreCase)
                    )
                )
                    passed.Headers.TryAddWithoutValidation(name, value);
                using HttpResponseMessage answer = await http.SendAsync(passed, cancellationToken);
                return RecordedAnswer.Json(
                    await answer.Content.ReadAsStringAsync(cancellationToken),
                    $"{(int)answer.StatusCode} {answer.ReasonPhrase}"
                );
            }
        );
        SaveDsp(harness, first.Uri);
        SchedulerProcess daemon = await harness.RunAsync();

        BulkLoadSchedule schedule = await daemon.RegisterAsync(SchedulerHarness.Yearly("tried", harness.DspLoad("0077")));

        Assert.Equal(first.Uri.AbsoluteUri, schedule.Server);
        Assert.Equal(harness.Sandbox.Uri, new ProfileStore(harness.Home).Read().Single(profile => profile.Name == "dsp").Uri);
    }

    /// <summary>The error that a start by hand gets.</summary>
    private static async Task<ControlError> StartErrorAsync(SchedulerProcess daemon, string name)
    {
        using HttpResponseMessage answer = await daemon.Http.PostAsync($"schedules/{Uri.EscapeDataString(name)}/start", null);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        return JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(), SchedulingJson.Default.ControlError)!;
    }

    private static void SaveDsp(SchedulerHarness harness, Uri uri) => harness.Save(Profile("dsp", uri));

    private static ConnectionProfile Profile(string name, Uri uri) =>
        new()
        {
            Name = name,
            Service = IngestService.DspIngest,
            Uri = uri,
            SignIn = SignInKind.Token,
            SecretFrom = "env:SCHEDULER_TEST_TOKEN",
        };

    private static async Task SuspendAsync(SchedulerProcess daemon, string name)
    {
        using StringContent nothing = new("{}");
        using HttpResponseMessage answer = await daemon.Http.PostAsync($"schedules/{Uri.EscapeDataString(name)}/suspend", nothing);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task ResumeAsync(SchedulerProcess daemon, string name)
    {
        using HttpResponseMessage answer = await daemon.Http.PostAsync($"schedules/{Uri.EscapeDataString(name)}/resume", null);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
