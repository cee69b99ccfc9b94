using System.Net;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Microsoft.Data.Sqlite;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>Schedules that can no longer be run as they stand: they are told for as long as it is so, and hide no other.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class BrokenScheduleTests
{
    [Theory]
    [InlineData("UPDATE ingest_schedule SET definition = substr(definition, 1, 40) WHERE name_key = 'b bad'")]
    [InlineData("UPDATE ingest_schedule SET definition = 'null' WHERE name_key = 'b bad'")]
    [InlineData("UPDATE ingest_schedule SET status = 'Dancing' WHERE name_key = 'b bad'")]
    [InlineData("UPDATE ingest_schedule SET definition = replace(definition, 'B bad', 'C other') WHERE name_key = 'b bad'")]
    public async Task One_that_cannot_be_read_is_told_by_name_and_hides_no_other(string damage)
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        LoadDefinition load = harness.DspLoad("0040");
        foreach (string name in new[] { "A good", "B bad", "D good" })
            await daemon.RegisterAsync(SchedulerHarness.Yearly(name, load));
        Execute(harness, damage);

        List<BulkLoadSchedule> listed = await daemon.SchedulesAsync();
        (int exported, string text, string errors) = await harness.CommandAsync("export");
        using HttpResponseMessage resumed = await daemon.Http.PostAsync("schedules/b%20bad/resume", null);

        Assert.Equal(
            [("A good", ScheduleStatus.Active), ("b bad", ScheduleStatus.Broken), ("D good", ScheduleStatus.Active)],
            listed.Select(schedule => (schedule.Name, schedule.Status))
        );
        Assert.Contains("Unregister-BulkLoadSchedule", listed[1].Reason, StringComparison.Ordinal);
        Assert.True(listed[1].RegisteredAt > listed[0].RegisteredAt);
        Assert.Equal("a test", listed[1].RegisteredBy);
        Assert.Equal(1, exported);
        Assert.Equal(
            ["A good", "D good"],
            System
                .Text.Json.JsonSerializer.Deserialize(text, SchedulingJson.Default.DefinitionFile)!
                .Schedules.Select(schedule => schedule.Name)
        );
        Assert.Contains("b bad: ", errors, StringComparison.Ordinal);
        Assert.Contains("Unregister-BulkLoadSchedule", await resumed.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // It starts with it, works beside it, and says so until it is removed.
        await daemon.TerminateAsync();
        daemon = await harness.RunAsync();
        SchedulerState troubled = await daemon.UntilAsync(daemon.StateAsync, state => state.Trouble is not null);
        Assert.Contains("'b bad'", troubled.Trouble, StringComparison.Ordinal);
        (int critical, string status, _) = await harness.CommandAsync("status");
        Assert.Equal(2, critical);
        Assert.Contains("b bad", status, StringComparison.Ordinal);
        // One line, and one sign before the numbers: what monitoring reads.
        Assert.Matches("^SCHEDULER CRITICAL - [^|\\n]+ \\| active=[^|\\n]+\n$", status.ReplaceLineEndings("\n"));
        Assert.Equal(RunStatus.Succeeded, (await daemon.EndOfAsync((await daemon.StartRunAsync("a good")).Id)).Status);
        using HttpResponseMessage deleted = await daemon.Http.DeleteAsync("schedules/B%20bad");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await daemon.UntilAsync(daemon.StateAsync, state => state.Trouble is null);
        Assert.Equal(2, (await daemon.SchedulesAsync()).Count);
    }

    [Fact]
    public async Task One_that_cannot_be_read_is_replaced_on_request_only()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        ScheduleDefinition definition = SchedulerHarness.Yearly("bad", harness.DspLoad("0041"));
        await daemon.RegisterAsync(definition);
        Execute(harness, "UPDATE ingest_schedule SET definition = 'x'");

        ControlError error = await daemon.RefusedAsync(definition);
        BulkLoadSchedule again = await daemon.RegisterAsync(definition, replace: true);

        Assert.Contains("'bad' cannot be read", error.Message, StringComparison.Ordinal);
        Assert.Contains("-Force", error.Advice, StringComparison.Ordinal);
        Assert.Equal(ScheduleStatus.Active, again.Status);
        Assert.Equal(ScheduleStatus.Active, Assert.Single(await daemon.SchedulesAsync()).Status);
    }

    [Fact]
    public async Task One_whose_zone_the_machine_does_not_know_is_told_for_as_long_as_that_lasts()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        LoadDefinition load = harness.DspLoad("0042");
        await daemon.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "here",
                Load = load,
                Cron = "0 3 1 1 *",
                TimeZone = "Europe/Zurich",
            }
        );
        await daemon.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "once",
                Load = load,
                At = DateTimeOffset.UtcNow.AddDays(1),
                TimeZone = "Europe/Zurich",
            }
        );
        await daemon.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "often",
                Load = load,
                Every = TimeSpan.FromSeconds(1),
                Overlap = Overlap.Queue,
            }
        );
        await daemon.TerminateAsync();
        Execute(harness, "UPDATE ingest_schedule SET definition = replace(definition, 'Zurich', 'Atlantis')");
        DateTimeOffset began = DateTimeOffset.UtcNow;

        daemon = await harness.RunAsync();

        Assert.Contains(
            "Europe/Atlantis",
            (await daemon.UntilAsync(daemon.StateAsync, state => state.Trouble is not null)).Trouble,
            StringComparison.Ordinal
        );
        (int critical, string status, _) = await harness.CommandAsync("status");
        Assert.Equal(2, critical);
        Assert.Contains("'here'", status, StringComparison.Ordinal);
        Assert.Contains("'once'", status, StringComparison.Ordinal);
        BulkLoadSchedule[] broken = (await daemon.SchedulesAsync()).Where(schedule => schedule.Status == ScheduleStatus.Broken).ToArray();
        Assert.Equal(["here", "once"], broken.Select(schedule => schedule.Name));
        Assert.All(broken, schedule => Assert.Contains("-TimeZone", schedule.Reason, StringComparison.Ordinal));
        await daemon.UntilAsync(
            () => daemon.RunsAsync("?name=often"),
            runs => runs.Count(run => run.DueAt > began && run.Status == RunStatus.Succeeded) >= 2
        );

        await daemon.RegisterAsync(SchedulerHarness.Yearly("here", load), replace: true);
        using HttpResponseMessage deleted = await daemon.Http.DeleteAsync("schedules/once");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await daemon.UntilAsync(daemon.StateAsync, state => state.Trouble is null);
    }

    private static void Execute(SchedulerHarness harness, string sql) => Execute(Path.Join(harness.Store, "scheduler.db"), sql);

    private static void Execute(string path, string sql)
    {
        using SqliteConnection connection = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        Assert.NotEqual(0, command.ExecuteNonQuery());
    }
}
