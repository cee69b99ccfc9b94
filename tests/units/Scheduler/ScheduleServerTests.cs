using System.Net;
using System.Text.Json;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Scheduling;
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
        ScheduleDefinition often = new() { Name = "often", Load = harness.DspLoad("0071"), Every = TimeSpan.FromSeconds(1), Overlap = Overlap.Queue };
        Assert.Equal(here, (await daemon.RegisterAsync(often)).Server);
        BulkLoadRun before = (await daemon.UntilAsync(() => daemon.RunsAsync(), runs => runs.Exists(run => run.Status == RunStatus.Succeeded)))[^1];
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
    public async Task A_schedule_of_an_earlier_version_gets_the_server_that_its_connection_leads_to_at_the_start()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        string here = harness.Sandbox.Uri.AbsoluteUri;
        harness.Save(Profile("gone", harness.Sandbox.Uri));
        LoadDefinition load = harness.DspLoad("0074");
        await daemon.RegisterAsync(SchedulerHarness.Yearly("active", load));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("suspended", load));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("without", load with { Connection = "gone" }));
        await SuspendAsync(daemon, "suspended");
        await daemon.TerminateAsync();
        await new HeldStore(harness.Store).ExecuteAsync($"UPDATE ingest_schedule SET definition = replace(definition, ',\"server\":\"{here}\"', '')");
        new ProfileStore(harness.Home).Remove("gone");

        daemon = await harness.RunAsync();

        Assert.Equal([("active", here), ("suspended", here), ("without", null)], (await daemon.SchedulesAsync()).Select(schedule => (schedule.Name, schedule.Server)));
        SaveDsp(harness, new Uri("http://127.0.0.1:9/"));
        using HttpResponseMessage started = await daemon.Http.PostAsync("schedules/active/start", null);
        Assert.Equal(HttpStatusCode.BadRequest, started.StatusCode);
        Assert.Contains(nameof(ErrorId.WrongServer), await started.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        // It has no connection, so that the next one of this name is its own.
        harness.Save(Profile("gone", harness.Sandbox.Uri));
        Assert.Equal(here, (await daemon.EndOfAsync((await daemon.StartRunAsync("without")).Id)).Server);
    }

    private static void SaveDsp(SchedulerHarness harness, Uri uri) => harness.Save(Profile("dsp", uri));

    private static ConnectionProfile Profile(string name, Uri uri) =>
        new() { Name = name, Service = IngestService.DspIngest, Uri = uri, SignIn = SignInKind.Token, SecretFrom = "env:SCHEDULER_TEST_TOKEN" };

    private static async Task SuspendAsync(SchedulerProcess daemon, string name)
    {
        using StringContent nothing = new("{}");
        using HttpResponseMessage answer = await daemon.Http.PostAsync($"schedules/{name}/suspend", nothing);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task ResumeAsync(SchedulerProcess daemon, string name)
    {
        using HttpResponseMessage answer = await daemon.Http.PostAsync($"schedules/{name}/resume", null);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
