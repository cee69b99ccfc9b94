using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using IngestTools.Sandbox.Control;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Sandbox.Services.Ica;
using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Sandbox.Services.Voss;

namespace IngestTools.Sandbox.NamedOptions;

/// <summary>
/// Options that were given by name: "dsp:ingestMs=5". The names of a service are those that its control route takes as JSON.
/// </summary>
internal sealed class OptionSet
{
    private static readonly (string Group, Type Settings)[] Groups =
    [
        ("", typeof(SandboxSettings)),
        ("dsp", typeof(DspIngestSettings)),
        ("ica", typeof(IcaSettings)),
        ("lakefs", typeof(LakeFsSettings)),
        ("voss", typeof(VossSettings)),
    ];

    private readonly Dictionary<string, JsonObject> _given = new(StringComparer.Ordinal);

    /// <summary>Every option there is.</summary>
    public static IReadOnlyList<NamedOption> All { get; } =
    [
        .. Groups.SelectMany(static g =>
            g.Settings.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(p => new NamedOption(g.Group, p))
        ),
    ];

    /// <summary>A table of the options, for --help.</summary>
    public static string Help => string.Join('\n', All.Select(static o => $"  {o.Name + '=' + o.Values, -46} {o.Description}"));

    /// <summary>Adds NAME=VALUE. A name is the same in upper and lower case.</summary>
    /// <exception cref="FormatException">There is no such option, or it cannot have this value.</exception>
    public void Add(string text)
    {
        string[] sides = text.Split('=', 2);
        string name = sides[0].Trim();
        NamedOption option = All.FirstOrDefault(o => o.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? throw Unknown(name);
        if (!_given.TryGetValue(option.Group, out JsonObject? settings))
            _given[option.Group] = settings = [];
        option.AddTo(settings, sides.ElementAtOrDefault(1));
    }

    /// <summary>What was given of one group.</summary>
    public T Read<T>()
        where T : new()
    {
        string group = Groups.First(static g => g.Settings == typeof(T)).Group;
        return _given.TryGetValue(group, out JsonObject? settings) ? settings.Deserialize<T>(ControlBody.Strict)! : new T();
    }

    /// <summary>The options with the same start, or all of them.</summary>
    private static FormatException Unknown(string name)
    {
        string group = name.Split(':')[0];
        bool hasGroup = name.Contains(':', StringComparison.Ordinal);
        NamedOption[] near = [.. All.Where(o => hasGroup && o.Group.Equals(group, StringComparison.OrdinalIgnoreCase))];
        IEnumerable<string> names = (near.Length > 0 ? near : All).Select(static o => o.Name);
        return new FormatException($"unknown option '{name}'; the options are {string.Join(", ", names)}");
    }
}
