namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>The object store that imports read from. It has addresses, and nothing behind them.</summary>
public sealed class LakeFsObjectStore
{
    private readonly object _gate = new();
    private KeyListing _addresses = KeyListing.Empty;

    internal LakeFsObjectStore() { }

    /// <summary>Adds addresses such as "s3://bucket/prefix/a.parquet".</summary>
    public void Add(LakeFsKeys addresses) => Add([KeySlice.Whole(addresses)]);

    /// <summary>Adds single addresses.</summary>
    public void Add(params string[] addresses) => Add(addresses.Select(LakeFsKeys.One).Select(KeySlice.Whole));

    /// <summary>Forgets all addresses below a prefix.</summary>
    public void Remove(string prefix)
    {
        lock (_gate)
            _addresses = _addresses.WithoutPrefix(prefix);
    }

    /// <summary>The addresses that begin with a source.</summary>
    /// <exception cref="LakeFsWalkException">There is no such bucket.</exception>
    internal KeyListing Find(string source) => Addresses(source).WithPrefix(source);

    /// <summary>
    /// What a walk of a source finds, under the names that it gets: relative to the source's last slash, so that a source without one at
    /// its end keeps the name of its last folder, and finds what else begins like it.
    /// </summary>
    /// <exception cref="LakeFsWalkException">There is no such bucket.</exception>
    internal KeyListing Walk(string source) => Find(source).Renamed(FolderLength(source), "");

    /// <summary>One object under the empty name; nothing when it is not there.</summary>
    /// <exception cref="LakeFsWalkException">There is no such bucket or object.</exception>
    internal KeyListing One(string source)
    {
        KeyListing one = Addresses(source).Only(source);
        return one.Count == 1 ? one.Renamed(source.Length, "") : throw new LakeFsWalkException($"object not found: {source}");
    }

    /// <summary>How many characters of an address are no part of the name that a walk gives it.</summary>
    internal static int FolderLength(string source) => source.LastIndexOf('/') + 1;

    /// <summary>"s3://bucket/" of "s3://bucket/prefix/a".</summary>
    internal static string BucketOf(string source)
    {
        int scheme = source.IndexOf("://", StringComparison.Ordinal);
        int slash = scheme < 0 ? -1 : source.IndexOf('/', scheme + 3);
        return slash < 0 ? source : source[..(slash + 1)];
    }

    private void Add(IEnumerable<KeySlice> addresses)
    {
        lock (_gate)
            _addresses = _addresses.With(new KeyListing(addresses));
    }

    private KeyListing Addresses(string source)
    {
        lock (_gate)
        {
            return _addresses.WithPrefix(BucketOf(source)).Count > 0
                ? _addresses
                : throw new LakeFsWalkException($"NoSuchBucket: the bucket of {source} does not exist");
        }
    }
}

/// <summary>The object store did not let itself be walked; the message is the server's.</summary>
internal sealed class LakeFsWalkException(string message) : Exception(message);
