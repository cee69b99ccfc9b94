using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>What DSP-INGEST knows: its projects, its tokens, and how it behaves.</summary>
public sealed class DspIngestState
{
    private readonly ConcurrentDictionary<string, DspProject> _projects = new(StringComparer.OrdinalIgnoreCase);
    private readonly SandboxEnvironment _environment;

    internal DspIngestState(DspIngestOptions options, SandboxEnvironment environment)
    {
        Options = options;
        _environment = environment;
        Tokens = new DspTokens(options.Token, environment.Clock);
    }

    /// <summary>How the service behaves; may be changed while it runs.</summary>
    public DspIngestOptions Options { get; }

    /// <summary>The bearer tokens that are known.</summary>
    public DspTokens Tokens { get; }

    /// <summary>The projects that were asked for until now.</summary>
    public IReadOnlyCollection<DspProject> Projects => _projects.Values.ToArray();

    /// <summary>The project with this shortcode, in any case; a valid one always exists.</summary>
    /// <exception cref="ArgumentException">It is not four hex digits.</exception>
    public DspProject Project(string shortcode) =>
        TryGetProject(shortcode, out DspProject? project)
            ? project
            : throw new ArgumentException($"'{shortcode}' is not a shortcode of four hex digits.", nameof(shortcode));

    internal bool TryGetProject(string shortcode, [NotNullWhen(true)] out DspProject? project)
    {
        bool isShortcode = shortcode.Length == 4 && shortcode.All(char.IsAsciiHexDigit);
        project = isShortcode
            ? _projects.GetOrAdd(shortcode, static (code, state) => new DspProject(code.ToUpperInvariant(), state.Options, state._environment), this)
            : null;
        return isShortcode;
    }
}
