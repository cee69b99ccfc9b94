using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>A repository: its branches, its imports, and the ranges and metaranges that were written for it.</summary>
public sealed class LakeFsRepository
{
    private const string HexDigits = "0123456789abcdef";
    private const int IdLength = 64;

    private readonly ConcurrentDictionary<string, LakeFsBranch> _branches = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, LakeFsImport> _imports = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, LakeFsCommit> _commits = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, KeyListing> _contents = new(StringComparer.Ordinal);
    private readonly SandboxEnvironment _environment;

    internal LakeFsRepository(string name, string storageNamespace, bool isReadOnly, SandboxEnvironment environment)
    {
        Name = name;
        StorageNamespace = storageNamespace;
        IsReadOnly = isReadOnly;
        _environment = environment;
        Created = environment.Clock.GetUtcNow();
        Root = NewCommit([], "Repository created", NewId(), null);
        Ranges = new LakeFsRanges(this);
        AddBranch(DefaultBranch);
    }

    /// <summary>The branch that every repository has.</summary>
    public const string DefaultBranch = "main";

    /// <summary>The repository's name.</summary>
    public string Name { get; }

    /// <summary>Where the repository keeps its own objects.</summary>
    public string StorageNamespace { get; }

    /// <summary>Whether only a forced import may change it.</summary>
    public bool IsReadOnly { get; }

    /// <summary>The branches.</summary>
    public IReadOnlyCollection<LakeFsBranch> Branches => _branches.Values.OrderBy(static b => b.Name, StringComparer.Ordinal).ToArray();

    /// <summary>The imports that were started, in no order.</summary>
    public IReadOnlyCollection<LakeFsImport> Imports => _imports.Values.ToArray();

    /// <summary>The staging tokens that ranges gave out, each with how many keys wait under it.</summary>
    public IReadOnlyDictionary<string, long> StagingTokens => Ranges.StagingTokens;

    internal DateTimeOffset Created { get; }

    internal LakeFsCommit Root { get; }

    internal LakeFsRanges Ranges { get; }

    /// <summary>A branch that is there.</summary>
    public LakeFsBranch Branch(string name) =>
        _branches.TryGetValue(name, out LakeFsBranch? branch)
            ? branch
            : throw new LakeFsRefusal(Status404NotFound, $"branch '{name}' not found");

    /// <summary>Adds a branch that holds these keys; with none it is empty.</summary>
    public LakeFsBranch AddBranch(string name, params string[] keys)
    {
        KeyListing content = new(keys.Select(LakeFsKeys.One).Select(KeySlice.Whole));
        LakeFsCommit head = keys.Length == 0 ? Root : NewCommit([Root.Id], "Objects of the sandbox", Root.MetaRangeId, null);
        Keep(head, content);
        return _branches[name] = new LakeFsBranch(name, head, content);
    }

    internal LakeFsBranch AddBranch(string name, string source)
    {
        LakeFsBranch? origin = _branches.GetValueOrDefault(source);
        if (origin is null && source != Root.Id)
            throw new LakeFsRefusal(Status404NotFound, $"reference '{source}' not found");
        LakeFsBranch branch = new(name, origin?.Head ?? Root, origin?.Content ?? KeyListing.Empty);
        return _branches.TryAdd(name, branch) ? branch : throw new LakeFsRefusal(Status409Conflict, $"branch '{name}' already exists");
    }

    internal void DeleteBranch(string name)
    {
        if (name == DefaultBranch)
            throw new LakeFsRefusal(Status403Forbidden, "cannot delete repository default branch");
        if (!_branches.TryRemove(name, out _))
            throw new LakeFsRefusal(Status404NotFound, $"branch '{name}' not found");
    }

    /// <summary>Keeps what a commit holds.</summary>
    internal void Keep(LakeFsCommit commit, KeyListing content) => _contents[commit.Id] = content;

    /// <summary>What a branch or a commit holds.</summary>
    internal KeyListing ContentOf(string reference) =>
        _branches.TryGetValue(reference, out LakeFsBranch? branch) ? branch.Content
        : _contents.TryGetValue(reference, out KeyListing? content) ? content
        : reference == Root.Id ? KeyListing.Empty
        : throw new LakeFsRefusal(Status404NotFound, $"reference '{reference}' not found");

    /// <summary>The newest commit that two commits come from.</summary>
    internal string BaseOf(LakeFsCommit one, LakeFsCommit other)
    {
        HashSet<string> ancestors = [.. Ancestors(one)];
        return Ancestors(other).FirstOrDefault(ancestors.Contains) ?? Root.Id;
    }

    private IEnumerable<string> Ancestors(LakeFsCommit commit)
    {
        Queue<string> next = new([commit.Id]);
        HashSet<string> seen = [];
        while (next.TryDequeue(out string? id))
        {
            if (!seen.Add(id))
                continue;
            yield return id;
            foreach (string parent in _commits[id].Parents)
                next.Enqueue(parent);
        }
    }

    internal bool TryGetBranch(string name, [NotNullWhen(true)] out LakeFsBranch? branch) => _branches.TryGetValue(name, out branch);

    internal LakeFsImport? FindImport(string id) => _imports.GetValueOrDefault(id);

    internal void Add(LakeFsImport import) => _imports[import.Id] = import;

    internal void Forget(LakeFsImport import) => _imports.TryRemove(import.Id, out _);

    internal string NewId() => _environment.NextString(HexDigits, IdLength);

    internal LakeFsCommit Commit(string id) =>
        _commits.TryGetValue(id, out LakeFsCommit? commit) ? commit : throw new LakeFsRefusal(Status404NotFound, "commit not found");

    internal LakeFsCommit NewCommit(
        IReadOnlyList<string> parents,
        string message,
        string metaRange,
        IReadOnlyDictionary<string, string>? metadata
    )
    {
        string id = NewId();
        return _commits[id] = new LakeFsCommit(
            id,
            parents,
            "sandbox",
            message,
            _environment.Clock.GetUtcNow().ToUnixTimeSeconds(),
            metaRange,
            metadata
        );
    }
}

/// <summary>A request is answered with an error; the message is the server's.</summary>
internal sealed class LakeFsRefusal(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}
