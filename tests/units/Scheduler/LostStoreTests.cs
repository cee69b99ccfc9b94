using IngestTools.Scheduler.Hosting;
using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>A store that is lost while the daemon is down or runs, and other things that will fail the next run.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class LostStoreTests
{
    [Fact]
    public async Task A_daemon_whose_store_is_gone_or_empty_does_not_begin_with_an_empty_one()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        await first.RegisterAsync(SchedulerHarness.Yearly("kept", harness.IcaLoad(3)));
        await first.TerminateAsync();
        string store = SchedulerPlace.StoreOf(harness.Store);
        string copy = Path.Join(harness.Folder.Path, "copy.db");
        File.Copy(store, copy);

        (string Told, Func<Task> Lose)[] losses =
        [
            (
                "is missing",
                () =>
                {
                    File.Delete(store);
                    return Task.CompletedTask;
                }
            ),
            ("is empty", () => File.WriteAllBytesAsync(store, [])),
            (
                "has no schedules and no runs",
                () => new HeldStore(harness.Store).ExecuteAsync("DELETE FROM ingest_schedule; DELETE FROM ingest_meta WHERE name = 'id'")
            ),
        ];
        foreach ((string told, Func<Task> lose) in losses)
        {
            File.Copy(copy, store, overwrite: true);
            await lose();
            SchedulerProcess refused = harness.Begin();
            Assert.Equal(1, await refused.EndsAsync());
            Assert.Contains($"{store} {told}", refused.Log, StringComparison.Ordinal);
            Assert.Contains("store.txt", refused.Log, StringComparison.Ordinal);
        }

        File.Copy(copy, store, overwrite: true);
        SchedulerProcess second = await harness.RunAsync();
        Assert.Equal("kept", Assert.Single(await second.SchedulesAsync()).Name);
        await second.TerminateAsync();

        // What the message says begins anew.
        File.Delete(store);
        File.Delete(Path.Join(harness.Store, "store.txt"));
        Directory.Delete(Path.Join(harness.Store, "spool"), recursive: true);
        Assert.Empty(await (await harness.RunAsync()).SchedulesAsync());
    }

    [FactExceptOn("windows", "Windows lets nobody remove a file that is open.")]
    public async Task A_daemon_whose_store_is_lost_while_it_runs_ends_and_says_so()
    {
        foreach (
            string told in (string[])
                ["was removed", "was replaced by another", "was emptied or overwritten", "was replaced by another, moved"]
        )
            await LoseAsync(told);
    }

    private static async Task LoseAsync(string told)
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        await first.RegisterAsync(SchedulerHarness.Yearly("kept", harness.DspLoad("0051")));
        await first.TerminateAsync();
        string store = SchedulerPlace.StoreOf(harness.Store);
        string copy = Path.Join(harness.Folder.Path, "copy.db");
        File.Copy(store, copy);
        SchedulerProcess daemon = await harness.RunAsync();

        if (told == "was removed")
            File.Delete(store);
        else if (told == "was replaced by another")
            File.Move(copy, store, overwrite: true);
        else if (told.EndsWith("moved", StringComparison.Ordinal))
        {
            File.Move(store, store + ".old");
            File.Copy(copy, store);
        }
        else
            File.WriteAllBytes(store, []);

        Assert.Equal(1, await daemon.EndsAsync());
        Assert.Contains($"The store {store} {told.Split(',')[0]} while the scheduler ran.", daemon.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Copies_and_connections_that_are_gone_are_trouble_before_the_next_run_fails()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        await first.RegisterAsync(SchedulerHarness.Yearly("copied", harness.IcaLoad(3)));
        await first.RegisterAsync(SchedulerHarness.Yearly("sent", harness.DspLoad("0052")));
        Assert.Null((await first.StateAsync()).Trouble);
        await first.TerminateAsync();
        Directory.Delete(Path.Join(harness.Store, "spool"), recursive: true);
        string profiles = Directory.GetFiles(harness.Home, "profiles.json", SearchOption.AllDirectories).Single();
        byte[] saved = File.ReadAllBytes(profiles);
        File.Delete(profiles);

        SchedulerProcess daemon = await harness.RunAsync();
        string trouble = (await daemon.UntilAsync(daemon.StateAsync, state => state.Trouble is not null)).Trouble!;

        Assert.Contains("The copied files of 1 schedule are missing: 'copied'", trouble, StringComparison.Ordinal);
        Assert.Contains("There is no saved connection 'dsp'", trouble, StringComparison.Ordinal);
        (int code, string status, _) = await harness.CommandAsync("status");
        Assert.Equal(2, code);
        Assert.StartsWith("SCHEDULER CRITICAL - ", status, StringComparison.Ordinal);
        Assert.Contains("no saved connection", daemon.Log, StringComparison.Ordinal);
        File.WriteAllBytes(profiles, saved);
    }

    [Fact]
    public async Task A_disk_that_is_nearly_full_is_trouble_until_there_is_room_again()
    {
        using TemporaryFolder folder = new();
        using SqliteDialect dialect = new(folder.Path);
        await StoreSchema.ProvideAsync(dialect, TimeSpan.Zero, CancellationToken.None);
        long free = Checkup.LeastFreeBytes;
        SchedulerStore store = new(dialect, "this", "node");
        SavedConnections connections = new();
        using DispatchSignal signal = new();
        using SchedulerMeter meter = new();
        FakeTimeProvider time = new();
        RunPlanner planner = new(store, connections, signal, meter, new Attendance(time), time, NullLogger<RunPlanner>.Instance);
        Checkup checkup = new(
            store,
            new FolderSpool(folder.Path),
            new ScheduleSurvey(store, planner, connections, time, NullLogger<ScheduleSurvey>.Instance),
            new StoreFolder(folder.Path),
            time,
            _ => free
        );

        Assert.Null(await checkup.LookAsync(CancellationToken.None));
        free = 3 * 1024 * 1024;
        Assert.Contains(
            $"The disk of {folder.Path} has 3 MiB left",
            await checkup.LookAsync(CancellationToken.None),
            StringComparison.Ordinal
        );
        free = Checkup.LeastFreeBytes;
        Assert.Null(await checkup.LookAsync(CancellationToken.None));
        SqliteConnection.ClearAllPools();
    }
}
