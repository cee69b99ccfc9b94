namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>A branch: its last commit with what that holds, and what was staged since.</summary>
public sealed class LakeFsBranch
{
    private readonly object _gate = new();
    private KeyListing _content;
    private KeyListing _staged = KeyListing.Empty;
    private LakeFsCommit _head;

    internal LakeFsBranch(string name, LakeFsCommit head, KeyListing content)
    {
        Name = name;
        _head = head;
        _content = content;
    }

    /// <summary>The branch's name.</summary>
    public string Name { get; }

    /// <summary>The last commit.</summary>
    public LakeFsCommit Head
    {
        get
        {
            lock (_gate)
                return _head;
        }
    }

    /// <summary>How many objects the last commit holds.</summary>
    public long Count => Content.Count;

    /// <summary>Whether something was staged that no commit holds yet; such a branch takes no import.</summary>
    public bool IsDirty
    {
        get
        {
            lock (_gate)
                return _staged.Count > 0;
        }
    }

    /// <summary>The keys of the last commit, in order. They are made as they are asked for.</summary>
    public IEnumerable<string> Keys => Content.From("").Select(static k => k.Key);

    internal KeyListing Content
    {
        get
        {
            lock (_gate)
                return _content;
        }
    }

    /// <summary>Stages keys without a commit.</summary>
    public void Stage(params string[] keys) => Stage(new KeyListing(keys.Select(LakeFsKeys.One).Select(KeySlice.Whole)));

    internal void Stage(KeyListing keys)
    {
        lock (_gate)
            _staged = _staged.With(keys);
    }

    /// <summary>Makes a commit the head; <paramref name="change"/> makes its content out of the last one's and what was staged.</summary>
    internal void Commit(LakeFsCommit commit, Func<KeyListing, KeyListing, KeyListing> change)
    {
        lock (_gate)
        {
            _content = change(_content, _staged);
            _staged = KeyListing.Empty;
            _head = commit;
        }
    }
}
