using System.Runtime.CompilerServices;
using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.LakeFs;

/// <summary>
/// Makes ranges out of a source until the server says that there is no more. The staging token goes back with each request: without it the
/// server would begin a new one, and the keys under the old one would be lost.
/// </summary>
internal sealed class RangeWalk(LakeFsRoutes routes, RangeRequest request)
{
    /// <summary>The advice where a walk breaks off after ranges were made.</summary>
    private const string GoOn =
        "The ranges that were given are good. Go on after them: give the LastKey of the last one as -After, its ContinuationToken, "
        + "and its StagingToken.";

    private string? _stagingToken = NullIfEmpty(request.StagingToken);

    public async IAsyncEnumerable<ImportRange> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await RefuseWithoutRangesAsync(routes, request.Repository, cancellationToken).ConfigureAwait(false);
        ImportRange page = await MakeAsync(request.After, NullIfEmpty(request.ContinuationToken), cancellationToken).ConfigureAwait(false);
        if (!request.FollowsPages)
        {
            yield return page;
            yield break;
        }

        // One range is held back: what an empty one after it tells belongs to it then.
        ImportRange? held = null;
        while (true)
        {
            if (page.Count > 0 && held is not null)
                yield return held;
            held =
                page.Count > 0 ? page
                : held is null ? null
                : Ended(held, page);
            if (!page.HasMore)
                break;
            (ImportRange? next, IngestException? error) = await TryMakeNextAsync(page, cancellationToken).ConfigureAwait(false);
            if (error is not null)
            {
                if (held is null)
                    throw error;
                yield return held;
                throw error.ErrorId == ErrorId.InvalidAnswer ? error : error.With(advice: GoOn);
            }

            page = next!;
        }

        if (held is not null)
            yield return held;
        else
            routes.Logger.LogWarning("There is nothing to import in {Source}: no range was made.", Redaction.Of(request.Source));
    }

    /// <summary>Reports that a server has no ranges, where its version shows that.</summary>
    public static async Task RefuseWithoutRangesAsync(LakeFsRoutes routes, string repository, CancellationToken cancellationToken)
    {
        LakeFsVersion version = await ImportPreflight.ReadVersionAsync(routes, cancellationToken).ConfigureAwait(false);
        if (version.HasRanges == false)
            throw LakeFsErrors.NoRanges(repository, version);
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static ImportRange Ended(ImportRange range, ImportRange after) =>
        range with
        {
            HasMore = after.HasMore,
            LastKey = after.LastKey,
            ContinuationToken = after.ContinuationToken,
            StagingToken = after.StagingToken,
        };

    /// <summary>The next page, or why there is none: the range that is held back has to be given before that is thrown.</summary>
    private async Task<(ImportRange? Page, IngestException? Error)> TryMakeNextAsync(
        ImportRange before,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return (await MakeNextAsync(before, cancellationToken).ConfigureAwait(false), null);
        }
        catch (IngestException e)
        {
            return (null, e);
        }
    }

    private async Task<ImportRange> MakeNextAsync(ImportRange before, CancellationToken cancellationToken)
    {
        ImportRange next = await MakeAsync(before.LastKey, NullIfEmpty(before.ContinuationToken), cancellationToken).ConfigureAwait(false);
        bool stands = next.HasMore && next.LastKey == before.LastKey && next.ContinuationToken == before.ContinuationToken;
        return !stands
            ? next
            : throw new IngestException(
                ErrorId.InvalidAnswer,
                $"The walk of {Redaction.Of(request.Source)} does not get on: the server names the same place again."
            )
            {
                Service = IngestService.LakeFs,
                Operation = "make a range",
                Advice = "The ranges that were made are good. Look at the server's log.",
                Target = Redaction.Of(request.Source),
            };
    }

    private async Task<ImportRange> MakeAsync(string after, string? continuationToken, CancellationToken cancellationToken)
    {
        StageRangeCreation creation = new(request.Source, after, request.Prepend, continuationToken, _stagingToken);
        RangeCreationAnswer answer = await routes.CreateRangeAsync(request.Repository, creation, cancellationToken).ConfigureAwait(false);
        RangeMetadata range = answer.Range!;
        RangePagination? pagination = answer.Pagination;
        _stagingToken = NullIfEmpty(pagination?.StagingToken) ?? _stagingToken;
        return new ImportRange
        {
            Repository = request.Repository,
            Id = range.Id!,
            MinKey = range.MinKey ?? "",
            MaxKey = range.MaxKey ?? "",
            Count = range.Count,
            EstimatedSize = range.EstimatedSize,
            HasMore = pagination?.HasMore == true,
            LastKey = pagination?.LastKey ?? "",
            ContinuationToken = pagination?.ContinuationToken ?? "",
            StagingToken = _stagingToken ?? "",
            Connection = routes.Connection.Name,
            Server = routes.Connection.Server,
        };
    }
}
