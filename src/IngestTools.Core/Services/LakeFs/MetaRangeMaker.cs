using System.Text;

namespace IngestTools.Services.LakeFs;

/// <summary>Makes a metarange out of ranges, and finds what the server would only answer with a failure of its own.</summary>
internal sealed class MetaRangeMaker(LakeFsRoutes routes, string repository)
{
    public async Task<ImportMetaRange> RunAsync(IReadOnlyList<ImportRange> ranges, CancellationToken cancellationToken)
    {
        ImportRange[] used = [.. ranges.Where(range => range.Count > 0)];
        if (used.Length == 0)
            throw Refused(
                "No range has a key, and a metarange needs one that has.",
                "Make ranges with New-ImportRange -All from a source that has objects.",
                repository
            );
        RefuseOverlaps(used);
        await RangeWalk.RefuseWithoutRangesAsync(routes, repository, cancellationToken).ConfigureAwait(false);
        MetaRangeCreation creation = new([
            .. used.Select(range => new RangeMetadata(range.Id, range.MinKey, range.MaxKey, range.Count, range.EstimatedSize)),
        ]);
        MetaRangeCreationAnswer answer = await routes.CreateMetaRangeAsync(repository, creation, cancellationToken).ConfigureAwait(false);
        return new ImportMetaRange
        {
            Repository = repository,
            Id = answer.Id!,
            Ranges = used.Length,
            Count = used.Sum(range => range.Count),
            Connection = routes.Connection.Name,
            Server = routes.Connection.Server,
        };
    }

    private static void RefuseOverlaps(ImportRange[] ranges)
    {
        ImportRange[] ordered = [.. ranges.OrderBy(range => range.MinKey, KeyOrder.Instance)];
        for (int i = 1; i < ordered.Length; i++)
        {
            (ImportRange before, ImportRange next) = (ordered[i - 1], ordered[i]);
            if (before.Id == next.Id)
                throw Refused($"The range {next.Id} is given twice.", "Give each range once.", next);
            if (KeyOrder.Instance.Compare(before.MaxKey, next.MinKey) >= 0)
            {
                throw Refused(
                    $"The ranges {before.Id} (to '{before.MaxKey}') and {next.Id} (from '{next.MinKey}') overlap, and no metarange "
                        + $"can hold both.",
                    "Make the ranges of different sources with different -Prepend.",
                    next
                );
            }
        }
    }

    private static IngestException Refused(string message, string advice, object target) =>
        new(ErrorId.Rejected, message)
        {
            Service = IngestService.LakeFs,
            Operation = "make a metarange",
            Advice = advice,
            Target = target,
        };

    /// <summary>
    /// lakeFS orders keys by their bytes in UTF-8, which is the order of their code points and not that of .NET's characters.
    /// </summary>
    private sealed class KeyOrder : IComparer<string>
    {
        public static readonly KeyOrder Instance = new();

        public int Compare(string? x, string? y) =>
            Encoding.UTF8.GetBytes(x ?? "").AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y ?? ""));
    }
}
