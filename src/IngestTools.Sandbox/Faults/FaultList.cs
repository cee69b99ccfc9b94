using System.Collections.Concurrent;

namespace IngestTools.Sandbox.Faults;

/// <summary>The faults in force. They can be replaced while the sandbox runs; requests that are stalled already stay so.</summary>
public sealed class FaultList
{
    private readonly ConcurrentDictionary<FaultKind, int> _applied = new();
    private readonly SandboxEnvironment _environment;
    private volatile ArmedFault[] _armed = [];

    internal FaultList(IEnumerable<Fault> faults, SandboxEnvironment environment)
    {
        _environment = environment;
        Replace(faults);
    }

    /// <summary>The faults in force, in the order in which they are tried.</summary>
    public IReadOnlyList<Fault> Current => Array.ConvertAll(_armed, static a => a.Fault);

    /// <summary>Puts these in force instead of the ones before, with fresh counts and the same chance as at the start.</summary>
    public void Replace(IEnumerable<Fault> faults) =>
        _armed = faults.Select((fault, index) => new ArmedFault(fault, _environment.Seed + index)).ToArray();

    /// <summary>Puts these in force instead of the ones before.</summary>
    public void Replace(params Fault[] faults) => Replace(faults.AsEnumerable());

    /// <summary>Lets everything work again.</summary>
    public void Clear() => Replace([]);

    /// <summary>How many requests were hit by a fault of this kind since the sandbox started.</summary>
    public int Applied(FaultKind kind) => _applied.GetValueOrDefault(kind);

    /// <summary>The faults that hit a request, drawn one by one: who stops enumerating leaves the later ones' counts alone.</summary>
    internal IEnumerable<Fault> Draw(HttpRequest request, string path, bool hasBody)
    {
        foreach (ArmedFault armed in _armed)
        {
            if (!armed.Hits(request.Method, path, hasBody))
                continue;
            _applied.AddOrUpdate(armed.Fault.Kind, 1, static (_, count) => count + 1);
            _environment.Changes.Pulse();
            yield return armed.Fault;
        }
    }
}
