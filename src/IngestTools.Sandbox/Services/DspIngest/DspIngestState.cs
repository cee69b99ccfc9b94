using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>What DSP-INGEST knows: its projects, its tokens, and how it behaves.</summary>
public sealed class DspIngestState
{
    private readonly ConcurrentDictionary<string, Lazy<DspProject>> _projects = new(StringComparer.OrdinalIgnoreCase);
    private readonly SandboxEnvironment _environment;
    private readonly Func<string, Lazy<DspProject>> _newProject;

    internal DspIngestState(DspIngestOptions options, SandboxEnvironment environment)
    {
        Options = options;
        _environment = environment;
        // Lazy: of two first requests for a project one makes it, and the other waits for that.
        _newProject = code => new Lazy<DspProject>(() => NewProject(code.ToUpperInvariant()));
        Tokens = new DspTokens(options.Token, environment.Clock);
    }

    /// <summary>How the service behaves; may be changed while it runs.</summary>
    public DspIngestOptions Options { get; }

    /// <summary>The bearer tokens that are known.</summary>
    public DspTokens Tokens { get; }

    /// <summary>The projects that were asked for until now.</summary>
    public IReadOnlyCollection<DspProject> Projects => _projects.Values.Select(static p => p.Value).ToArray();

    /// <summary>The project with this shortcode, in any case; a valid one always exists.</summary>
    /// <exception cref="ArgumentException">It is not four hex digits.</exception>
    public DspProject Project(string shortcode) =>
        TryGetProject(shortcode, out DspProject? project)
            ? project
            : throw new ArgumentException($"'{shortcode}' is not a shortcode of four hex digits.", nameof(shortcode));

    internal bool TryGetProject(string shortcode, [NotNullWhen(true)] out DspProject? project)
    {
        bool isShortcode = shortcode.Length == 4 && shortcode.All(char.IsAsciiHexDigit);
        project = isShortcode ? _projects.GetOrAdd(shortcode, _newProject).Value : null;
        return isShortcode;
    }

    private DspProject NewProject(string shortcode)
    {
        IDspFileStore store = _environment.DataFolder is { } folder
            ? new DiskFileStore(Path.Combine(folder, "dsp-ingest", shortcode))
            : new ForgetfulFileStore();
        return new DspProject(shortcode, Options, _environment, store);
    }
}
