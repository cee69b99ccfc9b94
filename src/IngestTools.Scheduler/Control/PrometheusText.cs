using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using IngestTools.Scheduler.Runs;
using Microsoft.AspNetCore.Http;

namespace IngestTools.Scheduler.Control;

/// <summary>
/// The scheduler's meter as Prometheus reads it (text exposition format 0.0.4). It listens from when it is made, so it is made before the
/// host starts.
/// </summary>
/// <remarks>
/// OpenTelemetry.Exporter.Prometheus.AspNetCore has had prereleases only, and brings the SDK of OpenTelemetry into a daemon that is to stay
/// small; this meter has five instruments. Whoever uses OpenTelemetry listens to the meter itself.
/// </remarks>
internal sealed class PrometheusText : IDisposable
{
    /// <summary>The upper bounds of the buckets, in seconds: from a run on time to one that took a day.</summary>
    private static readonly double[] Bounds = [0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];

    private readonly object _lock = new();
    private readonly SortedDictionary<string, Metric> _metrics = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();

    public PrometheusText(SchedulerMeter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, meter.Meter))
                listener.EnableMeasurementEvents(instrument, MetricOf(instrument));
        };
        _listener.SetMeasurementEventCallback<int>((_, value, tags, metric) => Take(metric, value, tags));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, metric) => Take(metric, value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, metric) => Take(metric, value, tags));
        _listener.Start();
    }

    /// <summary>Answers a request.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await context.Response.WriteAsync(Write(), context.RequestAborted);
    }

    /// <summary>All metrics as they are now.</summary>
    public string Write()
    {
        _listener.RecordObservableInstruments();
        StringBuilder text = new();
        lock (_lock)
        {
            foreach (Metric metric in _metrics.Values)
                metric.AppendTo(text);
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private Metric MetricOf(Instrument instrument)
    {
        string type = instrument.GetType().Name switch
        {
            var name when name.StartsWith("Histogram", StringComparison.Ordinal) => "histogram",
            var name when name.StartsWith("Counter", StringComparison.Ordinal) => "counter",
            _ => "gauge",
        };
        Metric metric = new(NameOf(instrument, type), type, instrument.Description ?? "");
        lock (_lock)
            _metrics[metric.Name] = metric;
        return metric;
    }

    /// <summary>Names have underscores, their unit in full, and _total where they count.</summary>
    private static string NameOf(Instrument instrument, string type)
    {
        string unit = instrument.Unit == "s" ? "_seconds" : "";
        return instrument.Name.Replace('.', '_') + unit + (type == "counter" ? "_total" : "");
    }

    private void Take(object? metric, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = string.Join(
            ',',
            tags.ToArray().Select(tag => $"{tag.Key}=\"{Escape(Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "")}\"")
        );
        lock (_lock)
            ((Metric)metric!).Take(labels, value);
    }

    private static string Escape(string value) =>
        value
            .Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);

    private sealed class Metric(string name, string type, string help)
    {
        private readonly SortedDictionary<string, Series> _series = new(StringComparer.Ordinal);

        public string Name => name;

        public void Take(string labels, double value)
        {
            if (!_series.TryGetValue(labels, out Series? series))
                _series.Add(labels, series = new Series());
            series.Count++;
            series.Sum = type == "gauge" ? value : series.Sum + value;
            int bucket = Array.FindIndex(Bounds, bound => value <= bound);
            if (bucket >= 0)
                series.Buckets[bucket]++;
        }

        public void AppendTo(StringBuilder text)
        {
            if (_series.Count == 0)
                return;
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
            foreach ((string labels, Series series) in _series)
            {
                if (type == "histogram")
                    AppendHistogram(text, labels, series);
                else
                    Append(text, name, labels, series.Sum);
            }
        }

        private void AppendHistogram(StringBuilder text, string labels, Series series)
        {
            string separator = labels.Length == 0 ? "" : ",";
            long below = 0;
            for (int i = 0; i < Bounds.Length; i++)
            {
                below += series.Buckets[i];
                Append(
                    text,
                    $"{name}_bucket",
                    string.Create(CultureInfo.InvariantCulture, $"{labels}{separator}le=\"{Bounds[i]}\""),
                    below
                );
            }

            Append(text, $"{name}_bucket", $"{labels}{separator}le=\"+Inf\"", series.Count);
            Append(text, $"{name}_sum", labels, series.Sum);
            Append(text, $"{name}_count", labels, series.Count);
        }

        private static void Append(StringBuilder text, string name, string labels, double value)
        {
            text.Append(name);
            if (labels.Length > 0)
                text.Append('{').Append(labels).Append('}');
            text.Append(CultureInfo.InvariantCulture, $" {value}\n");
        }
    }

    private sealed class Series
    {
        public long Count { get; set; }

        public double Sum { get; set; }

        public long[] Buckets { get; } = new long[Bounds.Length];
    }
}
