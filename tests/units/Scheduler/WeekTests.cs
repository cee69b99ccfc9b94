using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduler.Timing;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>Weeks in which the clocks change, with Quartz, the planner and a store, and a clock that is set by hand.</summary>
public sealed class WeekTests
{
    private const string Zone = "Europe/Zurich";

    /// <summary>On 28 March 2027 02:00 to 03:00 is left out, on 31 October it comes twice.</summary>
    [Theory]
    [InlineData("2027-03-25T00:00:00+01:00", "2027-04-01T00:00:00+02:00", 167)]
    [InlineData("2027-10-28T00:00:00+02:00", "2027-11-04T00:00:00+01:00", 169)]
    public async Task Nightly_and_hourly_loads_run_once_at_each_of_their_times_over_a_clock_change(string from, string to, int hours)
    {
        DateTimeOffset start = DateTimeOffset.Parse(from, null);
        DateTimeOffset end = DateTimeOffset.Parse(to, null);
        Assert.Equal(hours, (end - start).TotalHours);
        await using Week week = await Week.StartAsync(start);
        await week.AddAsync("nightly", cron: "30 2 * * *");
        await week.AddAsync("hourly", cron: "0 * * * *");
        await week.AddAsync("each hour", every: TimeSpan.FromHours(1));

        await week.PassAsync(end);

        // The night that has no 02:30 runs at the end of the gap, and the one that has it twice runs the first time.
        string[] nights = start.Month == 3 ? Nights(start, gap: true) : Nights(start, gap: false);
        List<StoredRun> runs = await week.RunsAsync();
        Assert.Equal(nights, TimesOf("nightly"));
        Assert.Equal(Hours(), TimesOf("each hour"));
        Assert.Equal(Hours(), TimesOf("hourly"));
        Assert.All(runs, run => Assert.Equal((RunStatus.Succeeded, null), (run.Status, run.Message)));
        Assert.InRange(week.MaxTriggers, 1, 4);

        string[] TimesOf(string name) =>
            [.. runs.Where(run => run.Name == name).Select(run => run.DueAt.UtcDateTime.ToString("s")).Order()];
        string[] Hours() => [.. Enumerable.Range(1, hours).Select(hour => start.AddHours(hour).UtcDateTime.ToString("s"))];
    }

    private static string[] Nights(DateTimeOffset start, bool gap) =>
        gap
            ?
            [
                "2027-03-25T01:30:00",
                "2027-03-26T01:30:00",
                "2027-03-27T01:30:00",
                "2027-03-28T01:00:00",
                "2027-03-29T00:30:00",
                "2027-03-30T00:30:00",
                "2027-03-31T00:30:00",
            ]
            :
            [
                "2027-10-28T00:30:00",
                "2027-10-29T00:30:00",
                "2027-10-30T00:30:00",
                "2027-10-31T00:30:00",
                "2027-11-01T01:30:00",
                "2027-11-02T01:30:00",
                "2027-11-03T01:30:00",
            ];

    /// <summary>A host with Quartz and what plans, on a clock that is moved from one due time to the next.</summary>
    private sealed class Week : IAsyncDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly FakeTimeProvider _time;
        private readonly SqliteDialect _dialect;
        private readonly IHost _host;
        private readonly SchedulerStore _store;
        private readonly TriggerScheduler _triggers;

        private Week(DateTimeOffset now)
        {
            _time = new FakeTimeProvider(now);
            _dialect = new SqliteDialect(_folder.Path);
            _store = new SchedulerStore(_dialect, SchedulerStore.NewClaim(), "node");
            HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
            builder
                .Services.AddLogging()
                .AddSingleton(provider => new DueClock(_time, provider.GetRequiredService<ILogger<DueClock>>()))
                .AddSingleton<TimeProvider>(provider => provider.GetRequiredService<DueClock>())
                .AddSingleton(_store)
                .AddSingleton<SavedConnections>()
                .AddSingleton<DispatchSignal>()
                .AddSingleton<SchedulerMeter>()
                .AddSingleton<Attendance>()
                .AddSingleton<RunPlanner>()
                .AddSingleton<TriggerScheduler>();
            TriggerScheduler.AddQuartz<PlanJob>(builder.Services);
            _host = builder.Build();
            _triggers = _host.Services.GetRequiredService<TriggerScheduler>();
        }

        public int MaxTriggers { get; private set; }

        public static async Task<Week> StartAsync(DateTimeOffset now)
        {
            Week week = new(now);
            await StoreSchema.ProvideAsync(week._dialect, CancellationToken.None);
            await week._triggers.StartAsync(CancellationToken.None);
            await week._host.StartAsync();
            return week;
        }

        public async Task AddAsync(string name, string? cron = null, TimeSpan? every = null)
        {
            StoredSchedule schedule = _host
                .Services.GetRequiredService<RunPlanner>()
                .Rearm(
                    new StoredSchedule
                    {
                        Revision = name,
                        Definition = new ScheduleDefinition
                        {
                            Name = name,
                            Load = LoadOf(name),
                            Cron = cron,
                            Every = every,
                            TimeZone = Zone,
                        },
                        RegisteredAt = _time.GetUtcNow(),
                    }
                );
            Assert.True((await _store.PutScheduleAsync(schedule, false, CancellationToken.None)).Kept);
        }

        /// <summary>
        /// Moves the clock from one time at which something is due to the next. At each, waits until Quartz has had it planned, and ends
        /// the runs.
        /// </summary>
        public async Task PassAsync(DateTimeOffset end)
        {
            while (await NextAsync() is { } next && next <= end)
            {
                // What the housekeeping does every five seconds.
                _time.Advance(next - _time.GetUtcNow() - TimeSpan.FromSeconds(5));
                await _triggers.PollAsync(CancellationToken.None);
                MaxTriggers = Math.Max(MaxTriggers, _triggers.Count);
                _time.Advance(next - _time.GetUtcNow());
                await Until.TrueAsync(async () => await NextAsync() > next);
                foreach (StoredRun run in (await RunsAsync()).Where(run => !run.IsTerminal))
                {
                    StoredRun taken = (await _store.TakeAsync(run.Number, 4, _time.GetUtcNow(), CancellationToken.None))!;
                    Assert.True(
                        await _store.WriteRunAsync(
                            taken with
                            {
                                Status = RunStatus.Succeeded,
                                CompletedAt = _time.GetUtcNow(),
                            },
                            CancellationToken.None
                        )
                    );
                }
            }
        }

        public Task<List<StoredRun>> RunsAsync() => _store.ReadRunsBeforeAsync(long.MaxValue, null, [], 1000, CancellationToken.None);

        public async ValueTask DisposeAsync()
        {
            await _host.StopAsync();
            _host.Dispose();
            _dialect.Dispose();
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            _folder.Dispose();
        }

        private async Task<DateTimeOffset?> NextAsync() => (await _store.CountAsync(DateTimeOffset.MinValue, CancellationToken.None)).Next;

        private static LoadDefinition LoadOf(string name) =>
            new()
            {
                Kind = LoadKind.BulkIngest,
                Connection = name,
                Path = "/nowhere",
                Shortcode = "0001",
            };
    }
}
