using System.Globalization;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>A node of the hierarchy.</summary>
/// <param name="Pkid">24 hexadecimal digits.</param>
/// <param name="Path">The names from the root on, with dots between: "sys.hcs.Provider".</param>
public sealed record VossHierarchyNode(string Pkid, string Path)
{
    /// <summary>The node's own name.</summary>
    public string Name => Path[(Path.LastIndexOf('.') + 1)..];

    /// <summary>Whether this is the node with that path, or one below it.</summary>
    public bool IsWithin(string path) => Path == path || Path.StartsWith(path + ".", StringComparison.Ordinal);
}

/// <summary>The nodes, by pkid and by path.</summary>
internal sealed class VossHierarchies(IEnumerable<string> paths)
{
    private const string PkidStart = "1c055772c0deab00da";

    public IReadOnlyList<VossHierarchyNode> All { get; } =
        paths
            .Select(static (path, i) => new VossHierarchyNode(PkidStart + (i + 1).ToString("x6", CultureInfo.InvariantCulture), path))
            .ToArray();

    /// <summary>The node that a request names by its pkid or its path; null where there is none.</summary>
    public VossHierarchyNode? Find(string name) => All.FirstOrDefault(node => node.Path == name || node.Pkid == name);
}
