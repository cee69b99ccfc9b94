namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>Compares and merges what commits hold, name by name. An object is the same where its address is.</summary>
internal static class KeyMerge
{
    /// <summary>What is on the right and not on the left, the other way round, or different.</summary>
    public static IEnumerable<DifferingObject> Compare(KeyListing left, KeyListing right)
    {
        foreach ((string name, string? before, string? after) in Together(left, right))
        {
            if (before != after)
                yield return new DifferingObject(
                    before is null ? "added"
                        : after is null ? "removed"
                        : "changed",
                    name
                );
        }
    }

    public static bool IsSame(KeyListing one, KeyListing other) => !Compare(one, other).Any();

    /// <summary>The target with what changed from the base to the source; null where both changed one object in different ways.</summary>
    public static KeyListing? Merge(KeyListing origin, KeyListing source, KeyListing target)
    {
        if (IsSame(origin, target))
            return source;
        Dictionary<string, (string? Before, string? After)> changed = Together(origin, source)
            .Where(one => one.Left != one.Right)
            .ToDictionary(one => one.Name, one => (one.Left, one.Right));
        bool isConflict = Together(origin, target)
            .Any(one => one.Left != one.Right && changed.TryGetValue(one.Name, out var change) && change.After != one.Right);
        if (isConflict)
            return null;
        KeyListing merged = target;
        foreach (string removed in changed.Where(one => one.Value.After is null).Select(one => one.Key))
            merged = new KeyListing(
                merged.Slices.SelectMany(slice =>
                    new[] { slice with { To = slice.LowerBound(removed) }, slice with { From = slice.UpperBound(removed) } }
                )
            );
        return new KeyListing(
            merged.Slices.Concat(changed.Where(one => one.Value.After is not null).SelectMany(one => source.Only(one.Key).Slices))
        );
    }

    private static IEnumerable<(string Name, string? Left, string? Right)> Together(KeyListing left, KeyListing right)
    {
        using IEnumerator<KeyValuePair<string, string>> lefts = left.From("").GetEnumerator();
        using IEnumerator<KeyValuePair<string, string>> rights = right.From("").GetEnumerator();
        bool hasLeft = lefts.MoveNext();
        bool hasRight = rights.MoveNext();
        while (hasLeft || hasRight)
        {
            int order =
                !hasLeft ? 1
                : !hasRight ? -1
                : string.CompareOrdinal(lefts.Current.Key, rights.Current.Key);
            yield return (
                order <= 0 ? lefts.Current.Key : rights.Current.Key,
                order <= 0 ? lefts.Current.Value : null,
                order >= 0 ? rights.Current.Value : null
            );
            if (order <= 0)
                hasLeft = lefts.MoveNext();
            if (order >= 0)
                hasRight = rights.MoveNext();
        }
    }
}
