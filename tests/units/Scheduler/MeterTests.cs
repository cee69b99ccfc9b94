using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>What the meter IngestTools.Scheduler tells, to who listens as OpenTelemetry does.</summary>
public sealed class MeterTests
{
    /// <summary>No other test in this process plans such a load, so what is measured of one is this test's.</summary>
    private static readonly LoadDefinition Load = new()
    {
        Kind = LoadKind.LinkingBatch,
        Connection = $"none of this name {Guid.NewGuid()}",
        DataIdPath = "/nowhere",
        ProjectId = "p",
    };

    [Fact]
    public async Task Runs_are_counted_as_they_are_planned_and_end_and_their_lateness_and_duration_are_measured()
    {
        using TemporaryFolder folder = new();
        using SqliteDialect dialect = new(folder.Path);
        await StoreSchema.ProvideAsync(dialect, TimeSpan.Zero, CancellationToken.None);
        FakeTimeProvider time = new();
        SchedulerStore store = new(dialect, "this", "node");
        ConcurrentQueue<(string Name, string? Status, double Value)> measured = new();
        Dictionary<string, string?> units = [];
        double mostGoing = 0;
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, all) =>
        {
            if (instrument.Meter.Name != "IngestTools.Scheduler")
                return;
            units[instrument.Name] = instrument.Unit;
            all.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((_, value, _, _) => mostGoing = Math.Max(mostGoing, value));
        listener.SetMeasurementEventCallback<double>(
            (instrument, value, tags, _) =>
            {
                if (Note(instrument, value, tags) && instrument.Name.EndsWith("lateness", StringComparison.Ordinal))
                    listener.RecordObservableInstruments();
            }
        );
        listener.Start();
        using SchedulerMeter meter = new();
        using DispatchSignal signal = new();
        SavedConnections connections = new();
        RunPlanner planner = new(store, connections, signal, meter, new Attendance(time), time, NullLogger<RunPlanner>.Instance);
        foreach ((string name, MissedRun missed) in new[] { ("runs", MissedRun.RunOnce), ("skips", MissedRun.Skip) })
        {
            StoredSchedule schedule = new()
            {
                Revision = name,
                Definition = new ScheduleDefinition
                {
                    Name = name,
                    Load = Load,
                    At = time.GetUtcNow().AddSeconds(10),
                    MissedRun = missed,
                },
                RegisteredAt = time.GetUtcNow(),
            };
            Assert.True((await store.PutScheduleAsync(planner.Rearm(schedule), false, CancellationToken.None)).Kept);
        }

        time.Advance(TimeSpan.FromSeconds(100));
        await planner.PlanDueAsync(CancellationToken.None);
        using RunDispatcher dispatcher = new(
            store,
            new FolderSpool(folder.Path),
            connections,
            signal,
            meter,
            new RunTimeouts(),
            new NodeOptions { Name = "node", DeadAfter = TimeSpan.FromSeconds(30) },
            time,
            NullLoggerFactory.Instance
        );
        await dispatcher.StartAsync(CancellationToken.None);
        await Until.TrueAsync(() => measured.Any(one => one.Name == "run.duration"));
        await dispatcher.StopAsync();

        // There is no connection of that name, so the run that is not skipped fails.
        Assert.Equal([("runs.planned", null, 1), ("runs.planned", null, 1)], Of("runs.planned"));
        Assert.Equal(
            [("runs.ended", "Failed", 1), ("runs.ended", "Missed", 1)],
            Of("runs.ended").OrderBy(one => one.Status, StringComparer.Ordinal)
        );
        Assert.Equal([("run.lateness", null, 90)], Of("run.lateness"));
        Assert.Equal([("run.duration", null, 0)], Of("run.duration"));
        Assert.Equal(1, mostGoing);
        Assert.Equal(
            [
                ("ingesttools.scheduler.run.duration", "s"),
                ("ingesttools.scheduler.run.lateness", "s"),
                ("ingesttools.scheduler.runs.ended", "{run}"),
                ("ingesttools.scheduler.runs.going", "{run}"),
                ("ingesttools.scheduler.runs.planned", "{run}"),
            ],
            units.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => (one.Key, one.Value))
        );
        SqliteConnection.ClearAllPools();

        IEnumerable<(string Name, string? Status, double Value)> Of(string name) => measured.Where(one => one.Name == name);

        bool Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            Dictionary<string, object?> all = new(tags.ToArray());
            if (all.GetValueOrDefault("kind") as string != nameof(LoadKind.LinkingBatch))
                return false;
            measured.Enqueue((instrument.Name["ingesttools.scheduler.".Length..], all.GetValueOrDefault("status") as string, value));
            return true;
        }
    }
}
