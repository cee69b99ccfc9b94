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

/// <summary>A host with Quartz and what plans, on a clock that is moved from one due time to the next.</summary>
internal sealed class PlanningHost : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time;
    private readonly SqliteDialect _dialect;
    private readonly IHost _host;
    private readonly SchedulerStore _store;
    private readonly TriggerScheduler _triggers;

    private PlanningHost(DateTimeOffset now)
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

    public SchedulerStore Store => _store;

    public TriggerScheduler Triggers => _triggers;

    public FakeTimeProvider Time => _time;

    public StoreDialect Dialect => _dialect;

    public static async Task<PlanningHost> StartAsync(DateTimeOffset now)
    {
        PlanningHost host = new(now);
        await StoreSchema.ProvideAsync(host._dialect, TimeSpan.Zero, CancellationToken.None);
        await host._triggers.StartAsync(CancellationToken.None);
        await host._host.StartAsync();
        return host;
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
                        TimeZone = "Europe/Zurich",
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

    public Task<List<StoredRun>> RunsAsync(int most = 1000) => _store.ReadRunsAsync(new RunFilter(), most, CancellationToken.None);

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
