using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Microsoft.Data.Sqlite;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>
/// Stores of version 0.1.0, which kept Quartz's triggers in a second file or in tables. They were made by that version: four schedules, of
/// which one is suspended and one is due each second, and one run with its log.
/// </summary>
[Collection(KillsProcesses.Name)]
[Trait("kind", "process")]
public sealed class TakeoverTests
{
    [Fact]
    public async Task A_store_in_a_folder_is_taken_over_and_its_second_file_is_deleted()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        Directory.CreateDirectory(harness.Store);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(harness.Store, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Fill(Path.Join(harness.Store, "scheduler.db"), Read(harness, "sqlite-0.1.0"));
        Fill(Path.Join(harness.Store, "alarms.db"), Read(harness, "sqlite-0.1.0-alarms"));

        SchedulerProcess daemon = await harness.RunAsync();

        await AssertTakenOverAsync(daemon);
        Assert.Empty(Directory.GetFiles(harness.Store, "alarms.db*"));
        Assert.Contains("alarms.db of an earlier version was deleted", daemon.Log, StringComparison.Ordinal);
    }

    [PostgresFact]
    public async Task A_store_in_postgresql_is_taken_over_and_the_tables_of_quartz_are_dropped()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        await postgres.ExecuteAsync(Read(harness, "postgres-0.1.0"));
        Assert.Equal(15, await postgres.CountAsync(CountQuartz));

        SchedulerProcess daemon = await ClusterTests.NodeAsync(harness, postgres, "two");

        await AssertTakenOverAsync(daemon);
        Assert.Equal(0, await postgres.CountAsync(CountQuartz));
        Assert.Contains("15 tables of Quartz", daemon.Log, StringComparison.Ordinal);
    }

    [PostgresFact]
    public async Task A_store_on_which_a_node_of_the_earlier_version_works_is_refused_until_it_has_stopped()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        await postgres.ExecuteAsync(Read(harness, "postgres-0.1.0"));
        await postgres.ExecuteAsync($"UPDATE ingest_node SET seen = {Now} WHERE node = 'one'");
        await using PostgresDialect dialect = new(postgres.Connection);

        StoreException refused = await Assert.ThrowsAnyAsync<StoreException>(() =>
            StoreSchema.ProvideAsync(dialect, TimeSpan.FromMinutes(10), CancellationToken.None)
        );

        Assert.Contains("Nodes of an earlier version work on", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, await postgres.CountAsync(ReadVersion));
        await postgres.ExecuteAsync("DELETE FROM ingest_node");
        await StoreSchema.ProvideAsync(dialect, TimeSpan.FromMinutes(10), CancellationToken.None);
        Assert.Equal(StoreSchema.Version, await postgres.CountAsync(ReadVersion));
    }

    private const string ReadVersion = "SELECT CAST(value AS BIGINT) FROM ingest_meta WHERE name = 'schema'";

    private const string Now = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";

    private const string CountQuartz = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'ingest\\_qrtz\\_%'";

    /// <summary>The schedules, the history and its log are there, times that come are run, and a run by hand succeeds.</summary>
    private static async Task AssertTakenOverAsync(SchedulerProcess daemon)
    {
        DateTimeOffset began = DateTimeOffset.UtcNow;
        List<BulkLoadSchedule> schedules = await daemon.SchedulesAsync();
        Assert.Equal(["often", "once", "paused", "yearly"], schedules.Select(schedule => schedule.Name));
        Assert.Equal((ScheduleStatus.Suspended, "the server is moved (ann@machine)"), (schedules[2].Status, schedules[2].Reason));
        Assert.Equal(new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero), Assert.Single(schedules[1].NextRuns));
        BulkLoadRun old = await daemon.RunAsync("run:1");
        Assert.Equal(("yearly", RunStatus.Succeeded), (old.Name, old.Status));
        Assert.Equal("Submitted: dsp:0001.", old.Log![1].Message);
        await daemon.UntilAsync(
            () => daemon.RunsAsync("?name=often"),
            runs => runs.Exists(run => run.DueAt > began && run.Status == RunStatus.Succeeded)
        );
        using HttpResponseMessage deleted = await daemon.Http.DeleteAsync("schedules/often");
        Assert.True(deleted.IsSuccessStatusCode);
        await daemon.UntilAsync(daemon.StateAsync, state => state.Running == 0);
        Assert.Equal(RunStatus.Succeeded, (await daemon.EndOfAsync((await daemon.StartRunAsync("yearly")).Id)).Status);
        await daemon.RegisterAsync(schedules[0].Definition!);
    }

    private static string Read(SchedulerHarness harness, string store)
    {
        using Stream stream = typeof(TakeoverTests).Assembly.GetManifestResourceStream(store + ".sql")!;
        using StreamReader reader = new(stream);
        LoadDefinition load = harness.DspLoad("0001");
        return reader
            .ReadToEnd()
            .Replace("{server}", harness.Sandbox.Uri.AbsoluteUri, StringComparison.Ordinal)
            .Replace("{host}", harness.Sandbox.Uri.Authority, StringComparison.Ordinal)
            .Replace("{folder}", load.Path!.Replace("\\", "\\\\", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private static void Fill(string path, string sql)
    {
        using SqliteConnection connection = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
