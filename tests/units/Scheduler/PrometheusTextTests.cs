using System.Globalization;
using System.Text.RegularExpressions;
using IngestTools.Scheduler.Control;
using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>The meter as Prometheus reads it.</summary>
public sealed partial class PrometheusTextTests
{
    [Fact]
    public void Before_anything_happened_there_is_the_number_of_runs_that_go_on()
    {
        using SchedulerMeter meter = new();
        using PrometheusText text = new(meter);

        Assert.Equal(["ingesttools_scheduler_runs_going 0"], Samples(text.Write()).Select(sample => $"{sample.Key} {sample.Value}"));
    }

    [Fact]
    public void Counters_gauges_and_histograms_are_written_as_the_format_has_them()
    {
        using SchedulerMeter meter = new();
        using SchedulerMeter other = new();
        using PrometheusText text = new(meter);
        foreach (int late in (int[])[0, 2, 100_000])
        {
            meter.Planned(Run(RunStatus.Planned, late));
            meter.Begun(Run(RunStatus.Uploading, late));
        }

        meter.Over(Run(RunStatus.Failed, 0));
        meter.Planned(Run(RunStatus.Missed, 0));
        other.Planned(Run(RunStatus.Planned, 0));

        string written = text.Write();

        Dictionary<string, double> samples = Samples(written);
        Assert.Equal(2, samples["ingesttools_scheduler_runs_going"]);
        Assert.Equal(4, samples["ingesttools_scheduler_runs_planned_total{kind=\"Import\"}"]);
        Assert.Equal(1, samples["ingesttools_scheduler_runs_ended_total{kind=\"Import\",status=\"Failed\"}"]);
        Assert.Equal(1, samples["ingesttools_scheduler_runs_ended_total{kind=\"Import\",status=\"Missed\"}"]);
        const string late2 = "ingesttools_scheduler_run_lateness_seconds";
        Assert.Equal(1, samples[late2 + "_bucket{kind=\"Import\",le=\"1\"}"]);
        Assert.Equal(2, samples[late2 + "_bucket{kind=\"Import\",le=\"5\"}"]);
        Assert.Equal(2, samples[late2 + "_bucket{kind=\"Import\",le=\"86400\"}"]);
        Assert.Equal(3, samples[late2 + "_bucket{kind=\"Import\",le=\"+Inf\"}"]);
        Assert.Equal(3, samples[late2 + "_count{kind=\"Import\"}"]);
        Assert.Equal(100_002, samples[late2 + "_sum{kind=\"Import\"}"]);
        Assert.Contains("# TYPE ingesttools_scheduler_run_lateness_seconds histogram\n", written, StringComparison.Ordinal);
        Assert.Contains("# TYPE ingesttools_scheduler_runs_planned_total counter\n", written, StringComparison.Ordinal);
        Assert.Contains("# TYPE ingesttools_scheduler_runs_going gauge\n", written, StringComparison.Ordinal);
    }

    private static StoredRun Run(RunStatus status, int late) =>
        new()
        {
            Name = "a",
            DueKey = "a",
            Host = "host",
            Status = status,
            DueAt = DateTimeOffset.UnixEpoch,
            StartedAt = DateTimeOffset.UnixEpoch.AddSeconds(late),
            CompletedAt = status == RunStatus.Failed ? DateTimeOffset.UnixEpoch.AddSeconds(late + 7) : null,
            Load = new LoadDefinition { Kind = LoadKind.Import, Connection = "x" },
        };

    /// <summary>Reads the text as strictly as a scraper: each line announces a metric, or is a sample of one that was announced.</summary>
    private static Dictionary<string, double> Samples(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Dictionary<string, double> samples = [];
        Dictionary<string, string> types = [];
        foreach (string line in text.TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                string[] parts = line.Split(' ');
                Assert.Contains(parts[3], (string[])["counter", "gauge", "histogram"]);
                Assert.True(types.TryAdd(parts[2], parts[3]), $"{parts[2]} is announced twice.");
                continue;
            }

            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
                continue;
            Match sample = Sample().Match(line);
            Assert.True(sample.Success, line);
            string name = sample.Groups["name"].Value;
            string metric = types.ContainsKey(name) ? name : name[..name.LastIndexOf('_')];
            Assert.True(types.ContainsKey(metric), $"{name} was not announced.");
            Assert.True(
                samples.TryAdd(
                    name + sample.Groups["labels"].Value,
                    double.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture)
                ),
                $"{line} is there twice."
            );
        }

        return samples;
    }

    [GeneratedRegex(
        """^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{[a-z]+="(?:[^"\\]|\\.)*"(?:,[a-z]+="(?:[^"\\]|\\.)*")*\})? (?<value>\S+)$"""
    )]
    private static partial Regex Sample();
}
