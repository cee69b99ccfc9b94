using System.Text.RegularExpressions;
using IngestTools.Logging;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>
/// Folds consecutive lines of one run, or warnings of one part of the daemon, that say the same but for numbers and times: the first is
/// written at once, and the number of the others with the next line. While nothing else comes, one of them is written now and then.
/// </summary>
internal sealed partial class RepeatFolder(TimeProvider time)
{
    /// <summary>An outage that lasts is seen to last.</summary>
    private static readonly TimeSpan ShownEvery = TimeSpan.FromMinutes(10);

    /// <summary>Older ones are forgotten: they ended, or say something again after long.</summary>
    private const int MaxSources = 1000;

    private readonly Dictionary<string, Last> _last = new(StringComparer.Ordinal);

    /// <summary>The lines to write for a message: none where it is a repeat.</summary>
    public IReadOnlyList<string> Take(string category, LogLevel level, string message)
    {
        Match run = Run().Match(message);
        if (!run.Success && level < LogLevel.Warning)
            return [message];
        string source = run.Success ? run.Value : category;
        string key = $"{level} {RepeatedText.KeyOf(message)}";
        lock (_last)
        {
            if (!_last.TryGetValue(source, out Last? last) || last.Key != key)
            {
                IReadOnlyList<string> lines = last is { Repeats: > 0 } ? [Describe(source, last.Repeats), message] : [message];
                if (_last.Count >= MaxSources)
                    _last.Clear();
                _last[source] = new Last(key) { ShownAt = time.GetTimestamp() };
                return lines;
            }

            last.Repeats++;
            if (time.GetElapsedTime(last.ShownAt) < ShownEvery)
                return [];
            string shown = $"{message} (line {last.Repeats} of this kind since the last one that was written)";
            last.Repeats = 0;
            last.ShownAt = time.GetTimestamp();
            return [shown];
        }
    }

    /// <summary>What was folded and not written, in the end.</summary>
    public IReadOnlyList<string> TakeRest()
    {
        lock (_last)
        {
            string[] rest = _last.Where(one => one.Value.Repeats > 0).Select(one => Describe(one.Key, one.Value.Repeats)).ToArray();
            _last.Clear();
            return rest;
        }
    }

    private static string Describe(string source, int repeats) =>
        $"{source}: the last line was repeated {(repeats == 1 ? "once" : $"{repeats} times")}, with other numbers or times.";

    [GeneratedRegex(@"^run:\d+", RegexOptions.CultureInvariant)]
    private static partial Regex Run();

    private sealed class Last(string key)
    {
        public string Key => key;

        public int Repeats { get; set; }

        public long ShownAt { get; set; }
    }
}
