using System.Diagnostics.Metrics;
using IngestTools.Scheduler.Store;

namespace IngestTools.Scheduler.Runs;

/// <summary>What OpenTelemetry can listen to: the meter IngestTools.Scheduler.</summary>
internal sealed class SchedulerMeter : IDisposable
{
    private readonly Meter _meter = new("IngestTools.Scheduler");
    private readonly Counter<long> _planned;
    private readonly Counter<long> _ended;
    private readonly Histogram<double> _lateness;
    private readonly Histogram<double> _duration;
    private int _going;

    public Meter Meter => _meter;

    public SchedulerMeter()
    {
        _planned = _meter.CreateCounter<long>("ingesttools.scheduler.runs.planned", "{run}", "Runs that were planned.");
        _ended = _meter.CreateCounter<long>("ingesttools.scheduler.runs.ended", "{run}", "Runs that ended.");
        _lateness = _meter.CreateHistogram<double>(
            "ingesttools.scheduler.run.lateness",
            "s",
            "From the time a run was due to its beginning."
        );
        _duration = _meter.CreateHistogram<double>("ingesttools.scheduler.run.duration", "s", "From a run's beginning to its end.");
        _meter.CreateObservableGauge("ingesttools.scheduler.runs.going", () => Volatile.Read(ref _going), "{run}", "Runs that go on.");
    }

    public void Planned(StoredRun run)
    {
        _planned.Add(1, KindOf(run));
        if (run.IsTerminal)
            _ended.Add(1, KindOf(run), new("status", run.Status.ToString()));
    }

    public void Begun(StoredRun run)
    {
        Interlocked.Increment(ref _going);
        if (run.StartedAt is { } started)
            _lateness.Record(Math.Max(0, (started - run.DueAt).TotalSeconds), KindOf(run));
    }

    /// <summary>A run of this node is over, or is left to another.</summary>
    public void Over(StoredRun run)
    {
        Interlocked.Decrement(ref _going);
        if (!run.IsTerminal)
            return;
        _ended.Add(1, KindOf(run), new("status", run.Status.ToString()));
        if (run.CompletedAt - run.StartedAt is { } took)
            _duration.Record(took.TotalSeconds, KindOf(run));
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> KindOf(StoredRun run) => new("kind", run.Load.Kind.ToString());
}
