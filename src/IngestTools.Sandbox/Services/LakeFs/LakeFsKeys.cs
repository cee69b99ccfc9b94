using System.Globalization;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>
/// A run of addresses in ascending order that are made when they are asked for: ten million take no more memory than one.
/// </summary>
public sealed class LakeFsKeys
{
    /// <summary>Digits enough for ten million numbers, so that their order as text is their order as numbers.</summary>
    private const int Digits = 8;

    private readonly string _prefix;
    private readonly string _suffix;
    private readonly bool _isNumbered;

    private LakeFsKeys(string prefix, long count, string suffix, bool isNumbered)
    {
        _prefix = prefix;
        _suffix = suffix;
        _isNumbered = isNumbered;
        Count = count;
    }

    /// <summary>How many there are.</summary>
    public long Count { get; }

    /// <summary>One address as it is.</summary>
    public static LakeFsKeys One(string address) => new(address, 1, "", isNumbered: false);

    /// <summary>Addresses like "s3://bucket/prefix/00000042.parquet", from number 0 on.</summary>
    /// <param name="prefix">What comes before the number.</param>
    /// <param name="count">How many, at most a hundred million.</param>
    /// <param name="suffix">What comes after the number.</param>
    public static LakeFsKeys Numbered(string prefix, long count, string suffix = ".parquet")
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, (long)Math.Pow(10, Digits));
        return new LakeFsKeys(prefix, count, suffix, isNumbered: true);
    }

    /// <summary>The address at a place in the order, from 0 on.</summary>
    public string this[long index] =>
        _isNumbered ? string.Concat(_prefix, index.ToString("D8", CultureInfo.InvariantCulture), _suffix) : _prefix;
}

/// <summary>A part of a run under other names: as many characters are cut off its addresses, and others put before.</summary>
internal sealed record KeySlice(LakeFsKeys Keys, long From, long To, int Cut, string Prepend)
{
    public long Count => To - From;

    public string First => this[From];

    public string Last => this[To - 1];

    public string this[long index] => string.Concat(Prepend, Keys[index].AsSpan(Cut));

    public string AddressAt(long index) => Keys[index];

    public static KeySlice Whole(LakeFsKeys keys) => new(keys, 0, keys.Count, 0, "");

    /// <summary>The place of the first name that is not before <paramref name="name"/>.</summary>
    public long LowerBound(string name) => Search(own => string.CompareOrdinal(own, name) >= 0);

    /// <summary>The place of the first name after <paramref name="name"/>.</summary>
    public long UpperBound(string name) => Search(own => string.CompareOrdinal(own, name) > 0);

    /// <summary>The places of the names that begin with <paramref name="prefix"/>: in an ascending run they lie together.</summary>
    public (long From, long To) Prefixed(string prefix)
    {
        long from = LowerBound(prefix);
        return (from, Search(own => string.CompareOrdinal(own, prefix) >= 0 && !own.StartsWith(prefix, StringComparison.Ordinal)));
    }

    private long Search(Func<string, bool> isThere)
    {
        (long low, long high) = (From, To);
        while (low < high)
        {
            long middle = low + (high - low) / 2;
            if (isThere(this[middle]))
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }
}
