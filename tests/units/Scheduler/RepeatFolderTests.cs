using IngestTools.Logging;
using IngestTools.Scheduler.Hosting;
using IngestTools.Units.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>The daemon's log: its repeats, and its file.</summary>
public sealed class RepeatFolderTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 26, 22, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Repeats_of_a_run_that_differ_in_numbers_and_times_are_one_line_with_their_count()
    {
        RepeatFolder folder = new(_time);

        Assert.Equal(["run:1 of 'a': tried again in 5 s."], Take(folder, "run:1 of 'a': tried again in 5 s."));
        Assert.Empty(Take(folder, "run:1 of 'a': tried again in 10 s."));
        Assert.Empty(Take(folder, "run:1 of 'a': tried again in 00:01:30 s."));
        Assert.Equal(
            ["run:1: the last line was repeated 2 times, with other numbers or times.", "run:1 of 'a': it ended."],
            Take(folder, "run:1 of 'a': it ended.")
        );
        Assert.Equal(["run:1 of 'a': tried again in 5 s."], Take(folder, "run:1 of 'a': tried again in 5 s."));
    }

    [Fact]
    public void Runs_whose_lines_alternate_are_folded_each_by_itself()
    {
        RepeatFolder folder = new(_time);
        List<string> lines = [];
        for (int i = 0; i < 719; i++)
            lines.AddRange(Take(folder, $"run:{i % 2} of 'x': the server is down; it is tried again in {i} s."));
        lines.AddRange(folder.TakeRest());

        Assert.Equal(4, lines.Count);
        Assert.Contains("run:0: the last line was repeated 359 times, with other numbers or times.", lines);
        Assert.Contains("run:1: the last line was repeated 358 times, with other numbers or times.", lines);
    }

    [Fact]
    public void What_lasts_is_shown_now_and_then()
    {
        RepeatFolder folder = new(_time);
        Take(folder, "run:1 of 'a': down.");
        _time.Advance(TimeSpan.FromMinutes(9));
        Assert.Empty(Take(folder, "run:1 of 'a': down."));
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(
            ["run:1 of 'a': down. (line 2 of this kind since the last one that was written)"],
            Take(folder, "run:1 of 'a': down.")
        );
    }

    [Fact]
    public void Names_and_other_levels_are_no_repeats()
    {
        RepeatFolder folder = new(_time);

        Assert.Single(Take(folder, "run:1 of 'a': scan1.tif could not be sent."));
        Assert.Single(Take(folder, "run:1 of 'a': scan2.tif could not be sent."));
        Assert.Single(folder.Take("category", LogLevel.Error, "run:1 of 'a': scan2.tif could not be sent."));
        Assert.Single(folder.Take("category", LogLevel.Information, "'a' was registered."));
        Assert.Single(folder.Take("category", LogLevel.Information, "'a' was registered."));
    }

    [Fact]
    public void The_file_has_date_and_offset_in_each_line_and_the_rest_at_the_end()
    {
        using TemporaryFolder place = new();
        string path = Path.Join(place.Path, "scheduler.log");
        using (FileLoggerProvider provider = new(LogFile.Open(path, time: _time), LogLevel.Information, _time))
        {
            ILogger logger = provider.CreateLogger("IngestTools.Scheduler.Runs.RunWorker");
            logger.LogWarning("run:{Run} of 'a': down for\n{Seconds} s.", 7, 1);
            logger.LogWarning("run:{Run} of 'a': down for\n{Seconds} s.", 7, 2);
            logger.LogDebug("Nobody reads this.");
        }

        string[] lines = File.ReadAllLines(path);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("2026-11-26T22:00:00.000+00:00", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("Warning     RunWorker: run:7 of 'a': down for | 1 s.", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("run:7: the last line was repeated once, with other numbers or times.", lines[1], StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> Take(RepeatFolder folder, string message) => folder.Take("category", LogLevel.Warning, message);
}
