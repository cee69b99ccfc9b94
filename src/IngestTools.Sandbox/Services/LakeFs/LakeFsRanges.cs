using System.Collections.Concurrent;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>The ranges and metaranges of a repository, and what out of order was staged beside them.</summary>
internal sealed class LakeFsRanges(LakeFsRepository repository)
{
    /// <summary>What an entry takes in a range, more or less.</summary>
    private const int EntryBytes = 128;

    private readonly ConcurrentDictionary<string, KeyListing> _ranges = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, KeyListing> _metaRanges = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, KeyListing> _staged = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, long> StagingTokens => _staged.ToDictionary(static s => s.Key, static s => s.Value.Count);

    /// <summary>Writes the next range of a source. A full one says that there is more, also where nothing is left.</summary>
    public RangeAnswer Write(RangeBody body, LakeFsObjectStore store, LakeFsOptions options)
    {
        string bucket = LakeFsObjectStore.BucketOf(body.FromSourceUri);
        if (options.WalkFails(body.FromSourceUri) is { } words)
            throw new LakeFsWalkException(words);
        string after = body.ContinuationToken is { Length: > 0 } token ? token : body.After;
        // The store's own addresses mark the place, not the names that they get.
        KeyListing page = store.Find(body.FromSourceUri).Page(after.Length == 0 ? null : bucket + after, options.RangeSize);
        bool hasMore = page.Count == options.RangeSize;
        string last = hasMore ? page.Last[bucket.Length..] : "";

        int staged = hasMore ? Math.Min(options.StagedPerRange, options.RangeSize) : 0;
        string? stagingToken = body.StagingToken is { Length: > 0 } given ? given : null;
        KeyListing named = page.Renamed(LakeFsObjectStore.FolderLength(body.FromSourceUri), LakeFsImport.Below(body.Prepend));
        KeyListing written = named.Page(null, (int)page.Count - staged);
        if (staged > 0)
        {
            // Without its token a request begins a new staging area, and the one before is lost to it.
            stagingToken ??= $"st-{repository.NewId()[..16]}";
            KeyListing rest = written.Count == 0 ? named : named.Page(written.Last, staged);
            _staged.AddOrUpdate(stagingToken, rest, (_, before) => before.With(rest));
        }
        return new RangeAnswer(Keep(written), new RangePagination(hasMore, last, last, stagingToken ?? ""));
    }

    /// <summary>The server orders the ranges itself, and looks no further than at what they say of themselves.</summary>
    public string WriteMeta(MetaRangeBody body)
    {
        if (body.Ranges.Count == 0)
            throw new LakeFsRefusal(Status400BadRequest, "request body has an error: ranges: minimum number of items is 1");
        LakeFsRange[] ordered = body.Ranges.OrderBy(static r => r.MinKey, StringComparer.Ordinal).ToArray();
        foreach ((LakeFsRange before, LakeFsRange next) in ordered.Zip(ordered.Skip(1)))
        {
            if (string.CompareOrdinal(before.MaxKey, next.MinKey) >= 0)
                throw new LakeFsRefusal(
                    Status500InternalServerError,
                    "writing metarange: keys should be written in ascending order: unsorted keys"
                );
        }
        string id = repository.NewId();
        _metaRanges[id] = new KeyListing(ordered.SelectMany(r => _ranges.GetValueOrDefault(r.Id, KeyListing.Empty).Slices));
        return id;
    }

    public KeyListing Meta(string id) =>
        _metaRanges.TryGetValue(id, out KeyListing? keys) ? keys : throw new LakeFsRefusal(Status404NotFound, $"metarange {id} not found");

    public KeyListing Staged(string token) =>
        _staged.TryRemove(token, out KeyListing? keys) ? keys : throw new LakeFsRefusal(Status404NotFound, "staging token not found");

    /// <summary>A commit's metarange can be asked for later.</summary>
    public string KeepMeta(KeyListing content)
    {
        string id = repository.NewId();
        _metaRanges[id] = content;
        return id;
    }

    private LakeFsRange Keep(KeyListing keys)
    {
        string id = repository.NewId();
        _ranges[id] = keys;
        return keys.Count == 0
            ? new LakeFsRange(id, "", "", 0, 0)
            : new LakeFsRange(id, keys.First, keys.Last, keys.Count, keys.Count * EntryBytes);
    }
}

internal sealed record RangeAnswer(LakeFsRange Range, RangePagination Pagination);

internal sealed record RangePagination(bool HasMore, string LastKey, string ContinuationToken, string StagingToken);
