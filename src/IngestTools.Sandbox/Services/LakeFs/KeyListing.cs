namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>
/// Names in ascending order out of several slices, none of them held: an object store's addresses, a range's keys, or all that a commit
/// holds. Where two slices have the same name, the later slice's counts.
/// </summary>
internal sealed class KeyListing
{
    public static readonly KeyListing Empty = new([]);

    private readonly KeySlice[] _slices;

    /// <summary>Whether each slice ends before the next begins: then a page is found by arithmetic, without a look at each name.</summary>
    private readonly bool _isDisjoint;
    private readonly Lazy<long> _count;

    public KeyListing(IEnumerable<KeySlice> slices)
    {
        KeySlice[] all = slices.Where(static s => s.Count > 0).ToArray();
        KeySlice[] ordered = all.OrderBy(static s => s.First, StringComparer.Ordinal).ToArray();
        _isDisjoint = ordered.Zip(ordered.Skip(1)).All(static pair => string.CompareOrdinal(pair.First.Last, pair.Second.First) < 0);
        _slices = _isDisjoint ? ordered : all;
        _count = new Lazy<long>(() => _isDisjoint ? _slices.Sum(static s => s.Count) : EnumerateFrom("", isAfter: false).LongCount());
    }

    public IReadOnlyList<KeySlice> Slices => _slices;

    public long Count => _count.Value;

    public string First => _slices.Select(static s => s.First).Min(StringComparer.Ordinal)!;

    public string Last => _slices.Select(static s => s.Last).Max(StringComparer.Ordinal)!;

    /// <summary>These names and those; those count where both have one.</summary>
    public KeyListing With(KeyListing newer) => new(_slices.Concat(newer._slices));

    public KeyListing WithPrefix(string prefix) =>
        new(
            _slices.Select(slice =>
            {
                (long from, long to) = slice.Prefixed(prefix);
                return slice with { From = from, To = to };
            })
        );

    public KeyListing WithoutPrefix(string prefix) =>
        new(
            _slices.SelectMany(slice =>
            {
                (long from, long to) = slice.Prefixed(prefix);
                return new[] { slice with { To = from }, slice with { From = to } };
            })
        );

    /// <summary>The names with a prefix replaced: the first characters cut, and the new prefix added.</summary>
    public KeyListing Renamed(int cut, string prepend) => new(_slices.Select(s => s with { Cut = s.Cut + cut, Prepend = prepend }));

    /// <summary>This one name, where it is there.</summary>
    public KeyListing Only(string name) => new(_slices.Select(s => s with { From = s.LowerBound(name), To = s.UpperBound(name) }));

    /// <summary>All names after one, with their addresses.</summary>
    public IEnumerable<KeyValuePair<string, string>> After(string name) => EnumerateFrom(name, isAfter: true);

    /// <summary>All names from one on, with their addresses.</summary>
    public IEnumerable<KeyValuePair<string, string>> From(string name) => EnumerateFrom(name, isAfter: false);

    /// <summary>The next <paramref name="most"/> names after one; null begins with the first, which may be the empty name.</summary>
    public KeyListing Page(string? after, int most)
    {
        KeySlice[] rest = _slices
            .Select(s => s with { From = after is null ? s.From : s.UpperBound(after) })
            .Where(static s => s.Count > 0)
            .ToArray();
        if (_isDisjoint)
            return new KeyListing(TakeFirst(rest, most));
        string? last = null;
        foreach ((string name, _) in new KeyListing(rest).From("").Take(most))
            last = name;
        return last is null ? Empty : new KeyListing(rest.Select(s => s with { To = s.UpperBound(last) }));
    }

    private static IEnumerable<KeySlice> TakeFirst(KeySlice[] slices, long most)
    {
        foreach (KeySlice slice in slices)
        {
            long taken = Math.Min(most, slice.Count);
            yield return slice with
            {
                To = slice.From + taken,
            };
            most -= taken;
        }
    }

    private IEnumerable<KeyValuePair<string, string>> EnumerateFrom(string start, bool isAfter)
    {
        // Of equal names the one with the greatest rank, the latest, comes first.
        PriorityQueue<(KeySlice Slice, int Rank, long At), (string Name, int Rank)> next = new(NameOrder.Instance);
        for (int rank = 0; rank < _slices.Length; rank++)
            Enqueue(_slices[rank], rank, isAfter ? _slices[rank].UpperBound(start) : _slices[rank].LowerBound(start));
        string? previous = null;
        while (next.TryDequeue(out var one, out var key))
        {
            if (key.Name != previous)
                yield return new KeyValuePair<string, string>(previous = key.Name, one.Slice.AddressAt(one.At));
            Enqueue(one.Slice, one.Rank, one.At + 1);
        }

        void Enqueue(KeySlice slice, int rank, long at)
        {
            if (at < slice.To)
                next.Enqueue((slice, rank, at), (slice[at], rank));
        }
    }

    private sealed class NameOrder : IComparer<(string Name, int Rank)>
    {
        public static readonly NameOrder Instance = new();

        public int Compare((string Name, int Rank) x, (string Name, int Rank) y) =>
            string.CompareOrdinal(x.Name, y.Name) is not 0 and var order ? order : y.Rank.CompareTo(x.Rank);
    }
}
