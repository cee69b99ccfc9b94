using System.Globalization;

namespace IngestTools.Scheduler.CommandLine;

/// <summary>The arguments one by one; "--option value" and "--option=value" are the same.</summary>
internal sealed class Arguments(IReadOnlyList<string> arguments)
{
    private int _next;
    private string _option = "";
    private string? _attached;

    /// <summary>The next option, or what stands without one.</summary>
    public bool TryNext(out string option)
    {
        option = _option;
        if (_attached is not null)
            throw new UsageException($"{_option} takes no value");
        if (_next == arguments.Count)
            return false;
        string argument = arguments[_next++];
        string[] sides = argument.StartsWith("--", StringComparison.Ordinal) ? argument.Split('=', 2) : [argument];
        option = _option = sides[0];
        _attached = sides.Length == 2 ? sides[1] : null;
        return true;
    }

    public string Value()
    {
        string? value = _attached ?? (_next < arguments.Count ? arguments[_next++] : null);
        _attached = null;
        return string.IsNullOrEmpty(value) ? throw new UsageException($"{_option} needs a value") : value;
    }

    public TimeSpan Seconds(double least, double most)
    {
        string text = Value();
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds >= least && seconds <= most)
            return TimeSpan.FromSeconds(seconds);
        throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{_option} is a number of seconds from {least} to {most}, not '{text}'"));
    }

    public static UsageException Unknown(string option) => new($"unknown option '{option}'");
}
