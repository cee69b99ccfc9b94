using System.Globalization;
using System.Text.RegularExpressions;

namespace IngestTools.Sandbox.Faults;

/// <summary>The text form of a fault: <c>KIND[=VALUE[,VALUE]...]</c>, where each value shows by its form what it is.</summary>
internal static partial class FaultText
{
    /// <summary>For --help.</summary>
    public const string Help = """
        A fault is KIND or KIND=VALUE,VALUE.. in any order. Without a share or a count it hits every matching request.

        KIND          what happens                                                       takes
          latency       answered as usual, but TIME later                                  TIME (needed)
          400 to 599    answered with this status, nothing done; TIME is the Retry-After   TIME (whole seconds)
          reset         connection reset before the body is read
          reset-body    connection reset in the body of the request (at its half)          SIZE
          reset-answer  carried out, connection reset in the answer (at its half)          SIZE
          truncated     carried out, answer shorter than its Content-Length (half)         SIZE
          lost          carried out, connection reset instead of an answer
          slow-body     body read in pieces of SIZE (64KiB), TIME (100ms) before each      SIZE, TIME
          stall         body never read, never answered
          html          200 with an HTML page, nothing done
          empty         200 with an empty body, nothing done
          redirect      302 to another host, nothing done
          lock          another client holds the project for TIME (2s)                     TIME

        VALUE
          1%  0.1%                  a share of the matching requests
          3                         at most so many requests, the first ones
          20ms  1.5s  2m            a time
          512B  64KiB  1MiB  1GiB   a size
          POST                      only this method
          /projects/*/bulk-ingest   only this raw path: * is anything but a slash, ** anything
          POST /projects/**         both

        The first fault that hits and ends a request is the only one of its sort; latency, slow-body, reset-body and lock
        come on top. A fault's chance depends on the option seed alone.
        """;

    private static readonly (string Name, FaultKind Kind)[] Names =
    [
        ("latency", FaultKind.Latency),
        ("reset", FaultKind.Reset),
        ("reset-body", FaultKind.ResetInBody),
        ("reset-answer", FaultKind.ResetInAnswer),
        ("truncated", FaultKind.Truncated),
        ("lost", FaultKind.LostAnswer),
        ("slow-body", FaultKind.SlowBody),
        ("stall", FaultKind.Stall),
        ("html", FaultKind.Html),
        ("empty", FaultKind.Empty),
        ("redirect", FaultKind.Redirect),
        ("lock", FaultKind.HoldLock),
    ];

    public static Fault Parse(string text)
    {
        string[] sides = text.Split('=', 2);
        Fault fault = ParseKind(sides[0].Trim());
        HashSet<string> seen = new(StringComparer.Ordinal);
        if (sides.Length == 2)
        {
            foreach (string value in sides[1].Split(',', StringSplitOptions.TrimEntries))
                fault = WithValue(fault, text, value, seen);
        }
        RequireSense(fault, text);
        return fault;
    }

    public static string Format(Fault fault)
    {
        List<string> values = [];
        if (fault.Share < 1)
            values.Add(string.Create(CultureInfo.InvariantCulture, $"{fault.Share * 100:0.######}%"));
        if (fault.First is { } first)
            values.Add(first.ToString(CultureInfo.InvariantCulture));
        if (fault.Time is { } time)
            values.Add(string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.###}ms"));
        if (fault.Bytes is { } bytes)
            values.Add(string.Create(CultureInfo.InvariantCulture, $"{bytes}B"));
        if (fault.Method is not null || fault.Path is not null)
            values.Add($"{fault.Method} {fault.Path}".Trim());
        string name = KindName(fault);
        return values.Count == 0 ? name : $"{name}={string.Join(',', values)}";
    }

    /// <summary>The word before the equals sign.</summary>
    public static string KindName(Fault fault) =>
        fault.Kind == FaultKind.Status ? fault.Status.ToString(CultureInfo.InvariantCulture) : Names.First(n => n.Kind == fault.Kind).Name;

    private static Fault ParseKind(string name)
    {
        foreach ((string word, FaultKind kind) in Names)
        {
            if (word == name)
                return new Fault(kind);
        }
        if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int status) && status is >= 400 and <= 599)
            return new Fault(FaultKind.Status) { Status = status };
        string known = string.Join(", ", Names.Select(static n => n.Name));
        throw new FormatException($"'{name}' is not a kind of fault: use a status from 400 to 599, or {known}.");
    }

    private static Fault WithValue(Fault fault, string text, string value, HashSet<string> seen)
    {
        (string what, Fault changed) =
            Read(fault, value)
            ?? throw new FormatException(
                $"'{text}': '{value}' is not a share (1%), count (3), time (20ms, 1.5s), size (64KiB) or match (POST /projects/**)."
            );
        return seen.Add(what) ? changed : throw new FormatException($"'{text}': '{value}' is a second {what}.");
    }

    private static (string What, Fault Changed)? Read(Fault fault, string value)
    {
        if (value.EndsWith('%') && TryNumber(value[..^1], out double percent) && percent is > 0 and <= 100)
            return ("share", fault with { Share = percent / 100 });
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0)
            return ("count", fault with { First = count });
        if (Measure().Match(value) is { Success: true } measure && TryNumber(measure.Groups["number"].Value, out double number))
            return WithMeasure(fault, number, measure.Groups["unit"].Value);
        if (Match().Match(value) is { Success: true } match)
            return ("match", fault with { Method = TextOf(match.Groups["method"]), Path = TextOf(match.Groups["path"]) });
        return null;
    }

    private static (string What, Fault Changed)? WithMeasure(Fault fault, double number, string unit) =>
        unit switch
        {
            "ms" => ("time", fault with { Time = TimeSpan.FromMilliseconds(number) }),
            "s" => ("time", fault with { Time = TimeSpan.FromSeconds(number) }),
            "m" => ("time", fault with { Time = TimeSpan.FromMinutes(number) }),
            "B" => ("size", fault with { Bytes = (long)number }),
            "KiB" => ("size", fault with { Bytes = (long)(number * (1 << 10)) }),
            "MiB" => ("size", fault with { Bytes = (long)(number * (1 << 20)) }),
            "GiB" => ("size", fault with { Bytes = (long)(number * (1 << 30)) }),
            _ => null,
        };

    private static void RequireSense(Fault fault, string text)
    {
        bool takesTime = fault.Kind is FaultKind.Latency or FaultKind.Status or FaultKind.SlowBody or FaultKind.HoldLock;
        bool takesSize = fault.Kind is FaultKind.ResetInBody or FaultKind.ResetInAnswer or FaultKind.Truncated or FaultKind.SlowBody;
        if (fault.Time is not null && !takesTime)
            throw new FormatException($"'{text}': {KindName(fault)} takes no time.");
        if (fault.Bytes is not null && !takesSize)
            throw new FormatException($"'{text}': {KindName(fault)} takes no size.");
        if (fault.Kind == FaultKind.Latency && fault.Time is null)
            throw new FormatException($"'{text}': latency needs a time, for example latency=20ms.");
        if (fault.Kind == FaultKind.SlowBody && fault.Bytes == 0)
            throw new FormatException($"'{text}': a body cannot be read in pieces of nothing.");
        if (fault.Kind == FaultKind.Status && fault.Time is { } retryAfter && retryAfter.Ticks % TimeSpan.TicksPerSecond != 0)
            throw new FormatException($"'{text}': Retry-After is in whole seconds.");
    }

    private static bool TryNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);

    private static string? TextOf(Group group) => group.Success ? group.Value : null;

    [GeneratedRegex(@"\A(?<number>[0-9.]+)(?<unit>ms|s|m|B|KiB|MiB|GiB)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Measure();

    [GeneratedRegex(@"\A(?:(?<method>[A-Z]+)(?: +(?<path>/\S*))?|(?<path>/\S*))\z", RegexOptions.CultureInvariant)]
    private static partial Regex Match();
}
