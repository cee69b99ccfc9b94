using System.Collections.Concurrent;

namespace IngestTools.Sandbox.Services.Ica;

/// <summary>What ICA knows: its projects, its tokens, and how it behaves.</summary>
public sealed class IcaState
{
    private readonly ConcurrentDictionary<string, IcaProject> _projects = new(StringComparer.Ordinal);
    private readonly SandboxEnvironment _environment;

    internal IcaState(IcaOptions options, SandboxEnvironment environment)
    {
        Options = options;
        _environment = environment;
        Tokens = new IcaTokens(options.Token, environment.Clock);
    }

    /// <summary>How the service behaves; may be changed while it runs.</summary>
    public IcaOptions Options { get; }

    /// <summary>The tokens that are known.</summary>
    public IcaTokens Tokens { get; }

    /// <summary>All batches, oldest first.</summary>
    public IReadOnlyList<IcaBatch> Batches => _projects.Values.SelectMany(static p => p.Batches).OrderBy(static b => b.Created).ToArray();

    internal DateTimeOffset Now => _environment.Clock.GetUtcNow();

    /// <summary>The projects that were used, by id.</summary>
    public IReadOnlyList<IcaProject> Projects => _projects.Values.OrderBy(static p => p.Id, StringComparer.Ordinal).ToArray();

    /// <summary>The project with this id; one that was not used yet is made.</summary>
    public IcaProject Project(string id) =>
        _projects.GetOrAdd(id, static (code, state) => new IcaProject(code, state.Options, state._environment.Clock), this);
}
