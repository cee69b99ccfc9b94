using System.Globalization;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>Repositories, branches, commits and listings: what is asked before an import and looked at after it.</summary>
internal sealed class LakeFsRepositoryRoutes(LakeFsState state, LakeFsAuthorization authorization)
{
    private const int UsualAmount = 100;
    private const int MostAmount = 1000;

    /// <summary>The MD5 of nothing: there is nothing behind an address.</summary>
    private const string EmptyChecksum = "d41d8cd98f00b204e9800998ecf8427e";

    public async Task<bool> TryAnswerAsync(LakeFsRequest request, string[] route)
    {
        Task? answering = (request.Method, route) switch
        {
            ("GET", ["repositories"]) => ListAsync(request, () => state.Repositories, static r => r.Name, Describe),
            ("GET", ["repositories", var repository]) => TellAsync(request, () => Describe(state.Repository(repository))),
            ("GET", ["repositories", var repository, "branches"]) => ListAsync(
                request,
                () => state.Repository(repository).Branches,
                static b => b.Name,
                Describe
            ),
            ("POST", ["repositories", var repository, "branches"]) => AddBranchAsync(request, repository),
            ("GET", ["repositories", var repository, "branches", var branch]) => TellAsync(
                request,
                () => Describe(state.Repository(repository).Branch(branch))
            ),
            ("DELETE", ["repositories", var repository, "branches", var branch]) => DeleteBranchAsync(request, repository, branch),
            ("POST", ["repositories", var repository, "refs", var source, "merge", var target]) => MergeAsync(
                request,
                repository,
                source,
                target
            ),
            ("GET", ["repositories", var repository, "refs", var left, "diff", var right]) => CompareAsync(
                request,
                repository,
                left,
                right
            ),
            ("POST", ["repositories", var repository, "branches", var branch, "commits"]) => CommitAsync(request, repository, branch),
            ("GET", ["repositories", var repository, "commits", var id]) => TellAsync(
                request,
                () => state.Repository(repository).Commit(id)
            ),
            ("GET", ["repositories", var repository, "refs", var branch, "objects", "ls"]) => ListObjectsAsync(request, repository, branch),
            _ => null,
        };
        if (answering is null)
            return false;
        await answering;
        return true;
    }

    private Task TellAsync(LakeFsRequest request, Func<object> value)
    {
        Admit(request);
        return request.AnswerAsync(Status200OK, value());
    }

    private Task ListAsync<T>(LakeFsRequest request, Func<IEnumerable<T>> all, Func<T, string> nameOf, Func<T, object> describe)
    {
        Admit(request);
        (string prefix, string after, int amount) = PageOf(request);
        T[] found = all()
            .Where(one => nameOf(one).StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(nameOf(one), after) > 0)
            .Take(amount + 1)
            .ToArray();
        return AnswerPageAsync(request, found, amount, nameOf, describe);
    }

    private async Task AddBranchAsync(LakeFsRequest request, string repository)
    {
        BranchBody body = await request.ReadAsync<BranchBody>();
        Admit(request);
        authorization.Require("fs:CreateBranch");
        await request.AnswerAsync(Status201Created, state.Repository(repository).AddBranch(body.Name, body.Source).Head.Id);
    }

    private async Task DeleteBranchAsync(LakeFsRequest request, string repository, string branch)
    {
        Admit(request);
        authorization.Require("fs:DeleteBranch");
        state.Repository(repository).DeleteBranch(branch);
        await request.AnswerAsync(Status204NoContent);
    }

    /// <summary>
    /// Brings what changed on one branch since they parted to another. Where both changed one object otherwise, neither is taken.
    /// </summary>
    private async Task MergeAsync(LakeFsRequest request, string repositoryName, string sourceName, string targetName)
    {
        MergeBody body = await request.ReadAsync<MergeBody>();
        Admit(request);
        authorization.Require("fs:CreateCommit");
        LakeFsRepository repository = state.Repository(repositoryName);
        LakeFsBranch source = repository.Branch(sourceName);
        LakeFsBranch target = repository.Branch(targetName);
        if (repository.IsReadOnly)
            throw new LakeFsRefusal(Status403Forbidden, "read-only repository");
        if (target.IsDirty)
            throw new LakeFsRefusal(Status400BadRequest, "merge: uncommitted changes (dirty branch)");
        if (state.Options.HookAborts is { } hook)
            throw new LakeFsRefusal(Status412PreconditionFailed, $"merge: pre-merge hook aborted, {hook}");
        KeyListing merged =
            KeyMerge.Merge(repository.ContentOf(repository.BaseOf(source.Head, target.Head)), source.Content, target.Content)
            ?? throw new LakeFsRefusal(Status409Conflict, "merge: conflict found");
        if (KeyMerge.IsSame(merged, target.Content))
            throw new LakeFsRefusal(Status400BadRequest, "merge: no changes");
        LakeFsCommit commit = repository.NewCommit(
            [target.Head.Id, source.Head.Id],
            body.Message ?? $"Merge '{sourceName}' into '{targetName}'",
            repository.Ranges.KeepMeta(merged),
            body.Metadata
        );
        target.Commit(commit, (_, _) => merged);
        repository.Keep(commit, merged);
        await request.AnswerAsync(Status200OK, new { Reference = commit.Id });
    }

    private Task CompareAsync(LakeFsRequest request, string repositoryName, string left, string right)
    {
        Admit(request);
        authorization.Require("fs:ListObjects");
        LakeFsRepository repository = state.Repository(repositoryName);
        (string prefix, string after, int amount) = PageOf(request);
        DifferingObject[] found = KeyMerge
            .Compare(repository.ContentOf(left), repository.ContentOf(right))
            .Where(entry => entry.Path.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(entry.Path, after) > 0)
            .Take(amount + 1)
            .ToArray();
        return AnswerPageAsync(request, found, amount, static o => o.Path, static o => o);
    }

    /// <summary>With a source metarange the branch then holds that and nothing else.</summary>
    private async Task CommitAsync(LakeFsRequest request, string repositoryName, string branchName)
    {
        CommitBody body = await request.ReadAsync<CommitBody>();
        Admit(request);
        authorization.Require("fs:CreateCommit");
        LakeFsRepository repository = state.Repository(repositoryName);
        LakeFsBranch branch = repository.Branch(branchName);
        if (repository.IsReadOnly)
            throw new LakeFsRefusal(Status403Forbidden, "read-only repository");

        string? metaRange = request.Query("source_metarange");
        KeyListing? source = metaRange is { Length: > 0 } ? repository.Ranges.Meta(metaRange) : null;
        if (source is not null && branch.IsDirty)
            throw new LakeFsRefusal(Status400BadRequest, "source metarange: branch has uncommitted changes (dirty branch)");
        if (source is null && !branch.IsDirty)
            throw new LakeFsRefusal(Status400BadRequest, "commit: no changes");
        LakeFsCommit commit = repository.NewCommit([branch.Head.Id], body.Message, metaRange ?? repository.NewId(), body.Metadata);
        branch.Commit(commit, (content, staged) => source ?? content.With(staged));
        repository.Keep(commit, branch.Content);
        await request.AnswerAsync(Status201Created, commit);
    }

    private Task ListObjectsAsync(LakeFsRequest request, string repository, string branch)
    {
        Admit(request);
        authorization.Require("fs:ListObjects");
        (string prefix, string after, int amount) = PageOf(request);
        KeyListing content = state.Repository(repository).Branch(branch).Content.WithPrefix(prefix);
        ListedObject[] found = Listed(content, prefix, after, request.Query("delimiter") ?? "").Take(amount + 1).ToArray();
        return AnswerPageAsync(request, found, amount, static o => o.Path, static o => o);
    }

    /// <summary>What lies deeper than a delimiter is listed once, under the name up to there.</summary>
    private static IEnumerable<ListedObject> Listed(KeyListing content, string prefix, string after, string delimiter)
    {
        IEnumerator<KeyValuePair<string, string>> keys = content.After(after).GetEnumerator();
        while (keys.MoveNext())
        {
            (string key, string address) = keys.Current;
            int end = delimiter.Length == 0 ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
            if (end < 0)
            {
                yield return new ListedObject(key, LakeFsImport.Object, address);
                continue;
            }
            string folder = key[..(end + delimiter.Length)];
            if (string.CompareOrdinal(folder, after) > 0)
                yield return new ListedObject(folder, LakeFsImport.CommonPrefix, "");
            keys.Dispose();
            // No key comes after all that begin with the folder and before this.
            keys = content.After(folder + char.MaxValue).GetEnumerator();
        }
        keys.Dispose();
    }

    private static (string Prefix, string After, int Amount) PageOf(LakeFsRequest request)
    {
        bool isNumber = int.TryParse(request.Query("amount"), NumberStyles.None, CultureInfo.InvariantCulture, out int amount);
        return (
            request.Query("prefix") ?? "",
            request.Query("after") ?? "",
            isNumber && amount > 0 ? Math.Min(amount, MostAmount) : UsualAmount
        );
    }

    private static Task AnswerPageAsync<T>(LakeFsRequest request, T[] found, int amount, Func<T, string> nameOf, Func<T, object> describe)
    {
        bool hasMore = found.Length > amount;
        T[] page = hasMore ? found[..amount] : found;
        return request.AnswerAsync(
            Status200OK,
            new
            {
                Pagination = new
                {
                    HasMore = hasMore,
                    NextOffset = hasMore ? nameOf(page[^1]) : "",
                    Results = page.Length,
                    MaxPerPage = MostAmount,
                },
                Results = page.Select(describe),
            }
        );
    }

    private object Describe(LakeFsRepository repository) =>
        new
        {
            Id = repository.Name,
            CreationDate = repository.Created.ToUnixTimeSeconds(),
            LakeFsRepository.DefaultBranch,
            repository.StorageNamespace,
            ReadOnly = new LakeFsVersion(state.Options.Version).HasReadOnly ? repository.IsReadOnly : (bool?)null,
        };

    private static object Describe(LakeFsBranch branch) => new { Id = branch.Name, CommitId = branch.Head.Id };

    private void Admit(LakeFsRequest request)
    {
        request.GiveId();
        authorization.Admit(request.Context);
    }

    private sealed record ListedObject(
        string Path,
        string PathType,
        string PhysicalAddress,
        string Checksum = EmptyChecksum,
        long SizeBytes = 0,
        long Mtime = 0
    );
}
