using System.Text;
using System.Text.Json;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>Reports and the log of a real daemon.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class NotificationDaemonTests
{
    private const string Secret = "canary-daemon-41b7";

    [Fact]
    public async Task A_daemon_reports_a_failed_run_and_its_log_is_known_after_it_was_killed()
    {
        await using HookServer hook = HookServer.Answering(HookServer.Status(200));
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        harness.Environment["NOTIFY_TEST_SECRET"] = Secret;
        harness.Environment["NOTIFY_TEST_URI"] = hook.Uri + "?sig=canary-query-82c1";
        string log = Path.Join(harness.Folder.Path, "other.log");
        string[] options = ["--notify", "env:NOTIFY_TEST_URI", "--notify-secret-from", "env:NOTIFY_TEST_SECRET", "--log", log];
        SchedulerProcess daemon = await harness.RunAsync(options);
        LoadDefinition load = harness.DspLoad("0601");
        await daemon.RegisterAsync(SchedulerHarness.Yearly("a", load));
        Directory.Delete(load.Path!, recursive: true);

        BulkLoadRun run = await daemon.UntilAsync((await daemon.StartRunAsync("a")).Id, now => now.Notification == "Sent");

        Assert.Equal(RunStatus.Failed, run.Status);
        HookRequest request = Assert.Single(hook.Requests);
        Assert.StartsWith("v1=", request.Headers["IngestTools-Signature"], StringComparison.Ordinal);
        Assert.Equal(run.Id, JsonDocument.Parse(request.Body).RootElement.GetProperty("run").GetString());
        Assert.Equal(log, (await daemon.StateAsync()).LogPath);
        await daemon.KillAsync();
        (_, string status, _) = await harness.CommandAsync("status", "--json");
        Assert.Equal(log, JsonSerializer.Deserialize(status, SchedulingJson.Default.SchedulerState)!.LogPath);
        string written = await File.ReadAllTextAsync(log);
        Assert.Contains("was reported to env:NOTIFY_TEST_URI.", written, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", written + daemon.Log + Encoding.UTF8.GetString(request.Body), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--notify", "http://ingest.example.org/hook", "plain http")]
    [InlineData("--notify", "https://ingest.example.org/hook?sig=canary-0a", "may be secret")]
    [InlineData("--notify-secret-from", "env:NOTIFY_TEST_NOT_SET", "is not set")]
    [InlineData("--log", "/nowhere/at/all.log", "cannot be written")]
    public async Task A_daemon_that_could_not_report_or_log_does_not_start(string option, string value, string words)
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();

        (int code, _, string errors) = await harness.CommandAsync("run", option, value);

        Assert.Equal(1, code);
        Assert.Contains(words, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", errors, StringComparison.Ordinal);
    }
}
