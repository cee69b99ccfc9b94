using System.Net;
using System.Text;
using System.Text.Json;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>
/// Runs whose rows in the store cannot be read: they are told, end as unknown, are never submitted, and hold up no other.
/// </summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class UnreadableRunTests
{
    private const string Waiting = "claim = NULL, node = NULL";

    private const string OfADeadDaemon = "claim = 'dead'";

    [Theory]
    [InlineData(Waiting, "status = 'Planned', load = substr(load, 1, 40)")]
    [InlineData(Waiting, "status = 'Planned', load = 'null'")]
    [InlineData(Waiting, "status = 'Planned', load = replace(load, 'BulkIngest', 'Dancing')")]
    [InlineData(Waiting, "status = '99'")]
    [InlineData(OfADeadDaemon, "status = 'Submitted', load = substr(load, 1, 40)")]
    [InlineData(OfADeadDaemon, "status = 'Submitting', transaction_ids = '[\"dsp:00'")]
    [InlineData(OfADeadDaemon, "status = 'Running', transaction_ids = '[null]'")]
    [InlineData(OfADeadDaemon, "status = 'Dancing'")]
    [InlineData(OfADeadDaemon, "status = 'Running', due_at = 9223372036854775807")]
    public async Task One_that_has_not_ended_ends_as_unknown_with_what_stands_there_and_the_others_go_on(string claim, string damage)
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("damaged", harness.DspLoad("0091")));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("whole", harness.DspLoad("0092")));
        BulkLoadRun run = await daemon.EndOfAsync((await daemon.StartRunAsync("damaged")).Id);
        Assert.True(run.Status == RunStatus.Succeeded, KillPointTests.Told(run));
        await daemon.TerminateAsync();
        await new HeldStore(harness.Store).ExecuteAsync($"UPDATE ingest_run SET ended = 0, completed_at = NULL, {claim}, {damage}");
        int submitted = harness.Sandbox.DspIngest.Project("0091").Runs;

        daemon = await harness.RunAsync();

        run = await daemon.UntilAsync(run.Id, now => now.Status == RunStatus.Unknown && now.CompletedAt is not null);
        Assert.StartsWith($"{run.Id} cannot be read from the store: ", run.Message, StringComparison.Ordinal);
        Assert.Contains("Look at the service", run.Message, StringComparison.Ordinal);
        Assert.Contains(
            damage.Contains("transaction_ids", StringComparison.Ordinal)
                ? damage[(damage.IndexOf('[', StringComparison.Ordinal))..]
                : "[\"dsp:0091\"]",
            run.Message,
            StringComparison.Ordinal
        );
        Assert.Contains(run.Log!, line => line.Message == run.Message);
        Assert.Equal(RunStatus.Succeeded, (await daemon.EndOfAsync((await daemon.StartRunAsync("whole")).Id)).Status);
        Assert.Equal(2, (await daemon.RunsAsync()).Count);
        Assert.Equal(RunStatus.Unknown, (await daemon.SchedulesAsync()).Single(schedule => schedule.Name == "damaged").LastRun!.Status);
        Assert.Equal(submitted, harness.Sandbox.DspIngest.Project("0091").Runs);
        // It holds its own schedule up no longer.
        Assert.Equal(RunStatus.Succeeded, (await daemon.EndOfAsync((await daemon.StartRunAsync("damaged")).Id)).Status);
    }

    [Fact]
    public async Task One_that_ended_is_listed_as_it_ended_and_what_cannot_be_read_is_told()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("damaged", harness.DspLoad("0093")));
        string id = (await daemon.EndOfAsync((await daemon.StartRunAsync("damaged")).Id)).Id;
        await new HeldStore(harness.Store).ExecuteAsync("UPDATE ingest_run SET load = '{ half' || char(10) || 'of it'");

        BulkLoadRun listed = Assert.Single(await daemon.RunsAsync());

        Assert.Equal((id, "damaged", RunStatus.Succeeded), (listed.Id, listed.Name, listed.Status));
        Assert.Contains("'{ half of it'", listed.Message, StringComparison.Ordinal);
        Assert.Equal(listed.Message, Assert.Single(await daemon.SchedulesAsync()).LastRun!.Message);
        Assert.Equal(RunStatus.Succeeded, (await daemon.EndOfAsync((await daemon.StartRunAsync("damaged")).Id)).Status);
    }

    [Theory]
    [InlineData("PUT", "schedules/x")]
    [InlineData("POST", "preview")]
    [InlineData("POST", "schedules/x/suspend")]
    public async Task A_body_that_cannot_be_read_is_the_fault_of_who_asks(string method, string path)
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        foreach (string body in new[] { "{ half", "null", "" })
        {
            using HttpRequestMessage request = new(new HttpMethod(method), path)
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            };
            using HttpResponseMessage answer = await daemon.Http.SendAsync(request);

            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            ControlError error = JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(), SchedulingJson.Default.ControlError)!;
            Assert.StartsWith("The request cannot be read: ", error.Message, StringComparison.Ordinal);
        }
    }
}
