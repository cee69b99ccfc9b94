using System.Security.Cryptography;
using System.Text;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Microsoft.Data.Sqlite;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>What can be read while no scheduler runs, and that reading changes nothing.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class StoppedStoreTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Schedules_runs_and_state_are_read_from_the_store_and_no_file_of_it_changes(bool isKilled)
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("a b", harness.DspLoad("0601")));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("c", harness.DspLoad("0602")));
        BulkLoadRun ended = await daemon.EndOfAsync((await daemon.StartRunAsync("a b")).Id);
        List<BulkLoadSchedule> before = await daemon.SchedulesAsync();
        if (isKilled)
            await daemon.KillAsync();
        else
            await daemon.TerminateAsync();
        Dictionary<string, string> files = Describe(harness.Store);
        using SchedulerClient client = new(
            harness.Socket,
            async (request, _) =>
                new MemoryStream(Encoding.UTF8.GetBytes((await harness.CommandAsync("read", request, "--folder", harness.Store)).Output))
        );

        List<BulkLoadSchedule> schedules = await client.ReadSchedulesAsync(["a*", "c"], CancellationToken.None).ToListAsync();
        BulkLoadRun listed = Assert.Single(
            await client.ReadRunsAsync(new RunQuery { Names = ["a b"], Newest = 5 }, CancellationToken.None).ToListAsync()
        );
        BulkLoadRun run = await client.GetRunAsync(ended.Id, CancellationToken.None);
        SchedulerState state = await client.GetStateAsync(CancellationToken.None);
        IngestException missing = await Assert.ThrowsAsync<IngestException>(() => client.GetRunAsync("run:99", CancellationToken.None));
        IngestException change = await Assert.ThrowsAsync<IngestException>(() =>
            client.StartAsync("c", again: false, CancellationToken.None)
        );
        (int code, string status, _) = await harness.CommandAsync("status");

        Assert.Equal(before.Select(schedule => (schedule.Name, schedule.NextRun)), schedules.Select(s => (s.Name, s.NextRun)));
        Assert.All(schedules, schedule => Assert.False(schedule.IsSchedulerRunning));
        Assert.All(before, schedule => Assert.True(schedule.IsSchedulerRunning));
        Assert.False(schedules[0].LastRun!.IsSchedulerRunning);
        Assert.Equal((RunStatus.Succeeded, false), (listed.Status, listed.IsSchedulerRunning));
        Assert.Contains(run.Log!, line => line.Message == "Submitted: dsp:0601.");
        Assert.Equal((false, 2, null), (state.IsRunning, state.Active, state.ProcessId));
        Assert.Equal(Path.Join(harness.Store, "scheduler.db"), state.Store);
        Assert.Equal((ErrorId.NotFound, ErrorId.SchedulerNotRunning), (missing.ErrorId, change.ErrorId));
        Assert.Equal(2, code);
        Assert.Contains("does not run", status, StringComparison.Ordinal);
        Assert.Contains("2 active, 0 suspended", status, StringComparison.Ordinal);
        Assert.Equal(files, Describe(harness.Store));
    }

    [Fact]
    public async Task A_store_that_cannot_be_read_is_refused_with_the_reason()
    {
        using TemporaryFolder folder = new();
        string store = SchedulerPlace.StoreOf(folder.Path);
        (string Told, Func<Task> Make)[] cases =
        [
            ("it has no tables", () => File.WriteAllBytesAsync(store, [])),
            ("is broken", () => File.WriteAllTextAsync(store, new string('x', 8192))),
            ("is the database of another program", () => ExecuteAsync("CREATE TABLE other (id INTEGER)")),
            (
                "was made by a newer version of ingest-scheduler",
                async () =>
                {
                    using SqliteDialect dialect = new(folder.Path);
                    await StoreSchema.ProvideAsync(dialect, TimeSpan.Zero, CancellationToken.None);
                    await ExecuteAsync("UPDATE ingest_meta SET value = '99'");
                }
            ),
        ];
        foreach ((string told, Func<Task> make) in cases)
        {
            SqliteConnection.ClearAllPools();
            foreach (string file in Directory.GetFiles(folder.Path))
                File.Delete(file);
            await make();
            SqliteConnection.ClearAllPools();
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(store, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Dictionary<string, string> files = Describe(folder.Path);

            StoreException error = await Assert.ThrowsAsync<StoreException>(() =>
                StoppedStore.OpenAsync(folder.Path, CancellationToken.None)
            );

            Assert.Contains(told, error.Message, StringComparison.Ordinal);
            Assert.Contains(store, error.Message, StringComparison.Ordinal);
            Assert.Equal(files, Describe(folder.Path));
        }

        async Task ExecuteAsync(string sql)
        {
            await using SqliteConnection connection = new($"Data Source={store}");
            await connection.OpenAsync();
            await using SqliteCommand command = connection.CreateCommand();
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task Without_a_store_or_with_one_that_others_can_write_nothing_is_read()
    {
        using TemporaryFolder folder = new();
        IngestException none = await Assert.ThrowsAsync<IngestException>(() => StoppedStore.OpenAsync(folder.Path, CancellationToken.None));
        Assert.Equal(ErrorId.SchedulerNotRunning, none.ErrorId);
        if (OperatingSystem.IsWindows())
            return;
        string store = SchedulerPlace.StoreOf(folder.Path);
        using (SqliteDialect dialect = new(folder.Path))
            await StoreSchema.ProvideAsync(dialect, TimeSpan.Zero, CancellationToken.None);
        SqliteConnection.ClearAllPools();
        File.SetUnixFileMode(store, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite);

        StoreException foreign = await Assert.ThrowsAsync<StoreException>(() =>
            StoppedStore.OpenAsync(folder.Path, CancellationToken.None)
        );

        Assert.StartsWith($"{store} is not used: ", foreign.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_was_moved_to_a_database_is_not_read_from_the_file_that_it_was_before()
    {
        using TemporaryFolder folder = new();
        using SqliteDialect file = new(folder.Path);
        await StoreSchema.ProvideAsync(file, TimeSpan.Zero, CancellationToken.None);
        SqliteConnection.ClearAllPools();
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(SchedulerPlace.StoreOf(folder.Path), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using PostgresDialect database = new("Host=db;Username=ingest;Password=secret;Database=loads");

        await StoreMark.KeepAsync(folder.Path, new SchedulerStore(database, "this", "node"), "spool", CancellationToken.None);

        IngestException elsewhere = await Assert.ThrowsAsync<IngestException>(() =>
            StoppedStore.OpenAsync(folder.Path, CancellationToken.None)
        );
        Assert.Contains("postgres://ingest@db:5432/loads", elsewhere.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", elsewhere.Message, StringComparison.Ordinal);
        await StoreMark.KeepAsync(folder.Path, new SchedulerStore(file, "this", "node"), "spool", CancellationToken.None);
        SqliteConnection.ClearAllPools();
        (await StoppedStore.OpenAsync(folder.Path, CancellationToken.None)).Dispose();
    }

    [Fact]
    public async Task Of_three_simultaneous_starts_one_runs_and_the_others_say_which()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess[] starts = [harness.Begin(), harness.Begin(), harness.Begin()];

        SchedulerProcess running =
            await starts[0]
                .UntilAsync(
                    () => Task.FromResult(starts.Count(start => start.HasExited) == 2 ? starts.First(start => !start.HasExited) : null),
                    found => found is not null
                ) ?? throw new InvalidOperationException();

        await running.ReadyAsync();
        foreach (SchedulerProcess other in starts.Where(start => start != running))
        {
            Assert.Equal(SchedulerPlace.RunsAlready, await other.EndsAsync());
            Assert.Contains("A scheduler with this store runs already: process ", other.Log, StringComparison.Ordinal);
        }
    }

    /// <summary>Each file with its length, time and content; the socket of a killed daemon is left over, and has none.</summary>
    private static Dictionary<string, string> Describe(string folder) =>
        Directory
            .GetFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path => !path.EndsWith(".sock", StringComparison.Ordinal))
            .ToDictionary(
                path => path,
                path => $"{File.GetLastWriteTimeUtc(path):O} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))}"
            );
}
