using System.Management.Automation;
using System.Text;

namespace IngestTools.PowerShell.Scheduler;

/// <summary>
/// A pattern of names as PowerShell has them, for a daemon that knows * and ? only: it is asked for no less than what is meant, and what it
/// gives is sifted.
/// </summary>
internal sealed class SchedulePattern
{
    private readonly WildcardPattern _pattern;

    internal SchedulePattern(string pattern)
    {
        Text = pattern;
        IsName = !WildcardPattern.ContainsWildcardCharacters(pattern);
        _pattern = WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase);
        Wide = IsName ? WildcardPattern.Unescape(pattern) : Widen(pattern);
        IsExact = Wide == pattern;
    }

    /// <summary>As it was given.</summary>
    internal string Text { get; }

    /// <summary>Whether it names one schedule.</summary>
    internal bool IsName { get; }

    /// <summary>A pattern of * and ? that all names match which this one means.</summary>
    internal string Wide { get; }

    /// <summary>Whether <see cref="Wide"/> means the same.</summary>
    internal bool IsExact { get; }

    /// <summary>What the daemon is asked for: the pattern, and the schedule whose name is the pattern's text.</summary>
    internal string[] Queries => IsExact || IsName ? [Wide] : [Wide, Text];

    internal bool IsMatch(string name) => IsText(name) || _pattern.IsMatch(name);

    /// <summary>Whether a schedule has the pattern's text as its name. A name may have brackets.</summary>
    internal bool IsText(string name) => string.Equals(name, Text, StringComparison.OrdinalIgnoreCase);

    /// <summary>A set such as [a-c] stands for one character, and so does one after a backtick.</summary>
    private static string Widen(string pattern)
    {
        StringBuilder wide = new(pattern.Length);
        for (int i = 0; i < pattern.Length; i++)
        {
            char c = pattern[i];
            int end =
                c == '[' ? pattern.IndexOf(']', i + 1)
                : c == '`' && i + 1 < pattern.Length ? i + 1
                : -1;
            wide.Append(end < 0 ? c : '?');
            i = Math.Max(i, end);
        }

        return wide.ToString();
    }
}
