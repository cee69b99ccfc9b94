using System.Text.RegularExpressions;
using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.LakeFs;

/// <summary>
/// Looks before an import starts. All but a missing branch would else come to light minutes later, in the status of an import that failed.
/// </summary>
/// <param name="routes">Asks the server.</param>
/// <param name="request">What is asked for.</param>
/// <param name="destinationErrors">What is wrong with its destinations.</param>
internal sealed class ImportPreflight(LakeFsRoutes routes, ImportRequest request, IReadOnlyList<IngestException> destinationErrors)
{
    private const string Slash = "/";

    /// <summary>A server's rule must not hold the client up.</summary>
    private static readonly TimeSpan RuleTimeout = TimeSpan.FromSeconds(1);

    private string Where => $"{request.Repository}/{request.Branch}";

    /// <param name="countsAll">Whether objects are to be counted also where nobody needs to be asked about them.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public async Task<ImportPlan> RunAsync(bool countsAll, CancellationToken cancellationToken)
    {
        LakeFsVersion version = await ReadVersionAsync(routes, cancellationToken).ConfigureAwait(false);
        ImportDialect dialect = DialectFor(version);
        StorageAnswer? storage = await CheckStorageAsync(cancellationToken).ConfigureAwait(false);
        await CheckRepositoryAsync(cancellationToken).ConfigureAwait(false);
        BranchAnswer branch = await FindBranchAsync(cancellationToken).ConfigureAwait(false);
        IngestException[] errors = [.. destinationErrors, .. CheckSources(dialect, storage), .. CheckNames()];
        bool replaces = dialect == ImportDialect.Released && version.Replaces && errors.Length == 0;
        IReadOnlyList<ImportReplacement> replaced = replaces
            ? await FindReplacedAsync(countsAll, cancellationToken).ConfigureAwait(false)
            : [];
        return new ImportPlan(request, dialect, replaced, errors) { Head = branch.CommitId };
    }

    /// <summary>The server's version. One that the server does not tell, or tells in another way, is no reason to stop.</summary>
    public static async Task<LakeFsVersion> ReadVersionAsync(LakeFsRoutes routes, CancellationToken cancellationToken)
    {
        try
        {
            return new LakeFsVersion(routes.Door.Word((await routes.GetVersionAsync(cancellationToken).ConfigureAwait(false)).Version));
        }
        catch (IngestException e) when (LakeFsErrors.IsOfOnePage(e.ErrorId))
        {
            routes.Logger.LogInformation("The server does not report its version. It is treated as a current one. {Reason}", e.Message);
            return new LakeFsVersion(null);
        }
    }

    private ImportDialect DialectFor(LakeFsVersion version) =>
        request.Dialect switch
        {
            ImportDialect.Auto when !version.IsReleased => throw LakeFsErrors.Refused(
                $"lakeFS {version} is older than v0.101.0, and released versions before that have no imports of this kind.",
                "Give -Dialect Legacy where the server has the early form of imports; else make ranges with New-ImportRange.",
                Where
            ),
            ImportDialect.Auto => ImportDialect.Released,
            var named => named,
        };

    private async Task<StorageAnswer?> CheckStorageAsync(CancellationToken cancellationToken)
    {
        StorageAnswer storage;
        try
        {
            storage = await routes.GetStorageAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (LakeFsErrors.IsOfOnePage(e.ErrorId))
        {
            routes.Logger.LogInformation(
                "The server does not report its storage, so sources are not checked before the start. {Reason}",
                e.Message
            );
            return null;
        }

        return storage.ImportSupport != false
            ? storage
            : throw LakeFsErrors.Refused(
                $"This lakeFS cannot import from its storage ({routes.Door.Word(storage.BlockstoreType)}).",
                "Imports need an object store such as S3, GCS or Azure behind lakeFS.",
                Where
            );
    }

    private async Task CheckRepositoryAsync(CancellationToken cancellationToken)
    {
        RepositoryAnswer? repository = null;
        try
        {
            repository = await routes.GetRepositoryAsync(request.Repository, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotFound)
        {
            throw e.With(
                message: $"There is no repository '{request.Repository}': {e.ServerMessage ?? e.Message}",
                advice: "Check -Repository."
            );
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotAllowed)
        {
            // An import needs no right to look at the repository.
            routes.Logger.LogInformation(
                "The repository cannot be read. The server reports at the end whether it is read-only. {Reason}",
                e.Message
            );
        }

        if (repository?.ReadOnly == true && !request.AllowReadOnly)
        {
            throw LakeFsErrors.Refused(
                $"The repository '{request.Repository}' is read-only, so that the import would fail at its end.",
                "Give -AllowReadOnly to write to it all the same.",
                request.Repository
            );
        }
    }

    private async Task<BranchAnswer> FindBranchAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await routes.GetBranchAsync(request.Repository, request.Branch, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotFound)
        {
            throw e.With(
                message: $"The repository '{request.Repository}' has no branch '{request.Branch}': {e.ServerMessage ?? e.Message}",
                advice: "Check -Branch. An import makes no branches."
            );
        }
    }

    private IEnumerable<IngestException> CheckSources(ImportDialect dialect, StorageAnswer? storage)
    {
        if (dialect == ImportDialect.Legacy && request.Sources.Count != 1)
        {
            yield return LakeFsErrors.Refused(
                $"An import in the legacy dialect has one source, and these are {request.Sources.Count:N0}.",
                "Start an import for each, one after the other.",
                Where
            );
        }

        foreach (ImportSource source in request.Sources)
        {
            if (WhatIsWrong(source, dialect, storage) is { } wrong)
                yield return wrong;
            else if (source.Type == ImportSourceType.CommonPrefix && ImportSource.IsOpen(source.Source))
            {
                routes.Logger.LogWarning(
                    "{Source} does not end with a slash: all that begins so is imported, and keeps the last part of this name. For "
                        + "one object give -SourceType Object.",
                    Redaction.Of(source.Source)
                );
            }
        }
    }

    /// <summary>Two objects of one name would overwrite each other, and nobody could say which stays.</summary>
    private IEnumerable<IngestException> CheckNames()
    {
        foreach (
            IGrouping<string, ImportSource> same in request
                .Sources.Where(source => source.Type == ImportSourceType.Object)
                .GroupBy(source => source.FullDestination)
                .Where(group => group.Count() > 1)
        )
        {
            ImportSource[] both = [.. same.Take(2)];
            yield return LakeFsErrors.Refused(
                $"'{Redaction.Of(both[0].Source)}' and '{Redaction.Of(both[1].Source)}' would both become '{Redaction.Of(same.Key)}'.",
                "Give each object a Destination of its own, or leave one out.",
                Redaction.Of(both[1].Source)
            );
        }
    }

    private static IngestException? WhatIsWrong(ImportSource source, ImportDialect dialect, StorageAnswer? storage)
    {
        string shown = Redaction.Of(source.Source);
        if (string.IsNullOrWhiteSpace(source.Source))
            return LakeFsErrors.Refused(
                "A source is empty.",
                "Give each row a Source; an import without it would delete what it should have brought.",
                shown
            );
        if (
            !Uri.TryCreate(source.Source, UriKind.Absolute, out Uri? uri)
            || uri.IsFile != source.Source.StartsWith("file:", StringComparison.OrdinalIgnoreCase)
        )
            return LakeFsErrors.Refused(
                $"'{shown}' is not an address in an object store.",
                "Write it as s3://bucket/prefix/, gs://.., https://.. or local://.. .",
                shown
            );
        if (dialect == ImportDialect.Legacy && source.Type == ImportSourceType.Object)
            return LakeFsErrors.Refused(
                $"'{shown}' cannot be imported as one object: the legacy dialect knows prefixes only.",
                "Leave -SourceType out, or use a server of v0.101 or later.",
                shown
            );
        if (source.Type == ImportSourceType.Object && source.Source.EndsWith(Slash, StringComparison.Ordinal))
            return LakeFsErrors.Refused(
                $"'{shown}' ends with a slash, so it is not an object.",
                "Leave -SourceType out to import what is under it.",
                shown
            );
        // Before v0.101 there was one rule for namespaces and sources.
        string? rule = storage?.ImportValidityRegex ?? storage?.NamespaceRegex;
        return rule is null || Fits(rule, source.Source)
            ? null
            : LakeFsErrors.Refused(
                $"'{shown}' does not fit the storage of this server ({ServerText.Shorten(storage!.BlockstoreType)}), whose sources "
                    + $"look like {ServerText.Shorten(rule)}.",
                "A server imports from the kind of object store that it keeps its own objects in.",
                shown
            );
    }

    /// <summary>A rule that .NET cannot read is the server's to apply.</summary>
    private static bool Fits(string rule, string source)
    {
        try
        {
            return Regex.IsMatch(source, rule, RegexOptions.CultureInvariant, RuleTimeout);
        }
        catch (Exception e) when (e is ArgumentException or RegexMatchTimeoutException)
        {
            return true;
        }
    }

    private async Task<IReadOnlyList<ImportReplacement>> FindReplacedAsync(bool countsAll, CancellationToken cancellationToken)
    {
        List<ImportReplacement> found = [];
        foreach (ImportSource source in request.Sources.DistinctBy(source => source.FullDestination))
        {
            string destination = source.FullDestination;
            // What ends with a slash deletes what it says. To look at it takes time that only matters where somebody reads the count.
            if (countsAll || destination.Length == 0 || ImportSource.IsOpen(destination))
                found.Add(await FindReplacedAsync(source, destination, cancellationToken).ConfigureAwait(false));
        }

        return found;
    }

    private async Task<ImportReplacement> FindReplacedAsync(ImportSource source, string destination, CancellationToken cancellationToken)
    {
        try
        {
            ObjectsAnswer all = await routes
                .ListAsync(request.Repository, request.Branch, destination, "", cancellationToken)
                .ConfigureAwait(false);
            ImportReplacement replacement = new(destination)
            {
                Objects = all.Results?.Count ?? 0,
                HasMore = all.Pagination?.HasMore == true,
            };
            return ImportSource.IsOpen(destination)
                ? replacement with
                {
                    Siblings = await FindSiblingsAsync(source, destination, cancellationToken).ConfigureAwait(false),
                }
                : replacement;
        }
        catch (IngestException e) when (e.ErrorId is ErrorId.NotAllowed or ErrorId.NotFound)
        {
            routes.Logger.LogInformation("What the import would replace cannot be listed. {Reason}", e.Message);
            return new ImportReplacement(destination) { Siblings = ImportSource.IsOpen(destination) ? null : [] };
        }
    }

    /// <summary>What begins like the destination and is not what the destination names: the object itself, or the folder.</summary>
    private async Task<IReadOnlyList<string>> FindSiblingsAsync(
        ImportSource source,
        string destination,
        CancellationToken cancellationToken
    )
    {
        ObjectsAnswer beside = await routes
            .ListAsync(request.Repository, request.Branch, destination, Slash, cancellationToken)
            .ConfigureAwait(false);
        string own = source.Type == ImportSourceType.Object ? destination : destination + Slash;
        return [.. (beside.Results ?? []).Select(result => result.Path).OfType<string>().Where(path => path != own)];
    }
}
