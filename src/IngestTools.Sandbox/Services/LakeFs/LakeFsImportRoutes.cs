using IngestTools.Sandbox.Http;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>The five import operations, in the dialect that is set.</summary>
internal sealed class LakeFsImportRoutes(LakeFsState state, LakeFsAuthorization authorization)
{
    private LakeFsOptions Options => state.Options;

    private bool IsLegacy => Options.Dialect == LakeFsDialect.Legacy;

    private LakeFsVersion Version => new(Options.Version);

    public async Task<bool> TryAnswerAsync(LakeFsRequest request, string[] route)
    {
        Task? answering = (request.Method, route) switch
        {
            ("POST", ["repositories", var repository, "branches", "ranges"]) when HasRanges => IngestRangeAsync(request, repository),
            ("POST", ["repositories", var repository, "branches", "metaranges"]) when HasRanges => CreateMetaRangeAsync(
                request,
                repository
            ),
            ("PUT", ["repositories", var repository, "branches", var branch, "update_token"]) when HasRanges => UpdateTokenAsync(
                request,
                repository,
                branch
            ),
            ("POST", ["repositories", var repository, "branches", var branch, "import"]) when HasImport => StartAsync(
                request,
                repository,
                branch
            ),
            ("GET", ["repositories", var repository, "branches", _, "import"]) when HasImport => TellAsync(request, repository),
            ("DELETE", ["repositories", var repository, "branches", _, "import"]) when HasImport => CancelAsync(request, repository),
            _ => null,
        };
        if (answering is null)
            return false;
        await answering;
        return true;
    }

    private bool HasRanges => IsLegacy || Version.HasRanges;

    private bool HasImport => IsLegacy || Version.HasImport;

    private async Task StartAsync(LakeFsRequest request, string repositoryName, string branchName)
    {
        ImportOrder order = IsLegacy
            ? OrderOf(await request.ReadAsync<LegacyImportBody>())
            : OrderOf(await request.ReadAsync<ImportBody>());
        Admit(request);
        authorization.Require("fs:WriteObject", "fs:CreateCommit", "fs:ImportFromStorage");
        LakeFsRepository repository = state.Repository(repositoryName);
        LakeFsBranch branch = repository.Branch(branchName);
        if (!Options.SupportsImport)
            throw new LakeFsRefusal(Status403Forbidden, "import is not supported for this storage");
        foreach (ImportLocation path in order.Paths)
            Check(path, repository);
        if (order.Metadata is { Count: 0 } && Version.DiesOfEmptyMetadata)
        {
            request.Context.Abort();
            return;
        }
        LakeFsImport import = state.StartImport(repository, branch, order);
        await request.AnswerAsync(IsLegacy ? Status201Created : Status202Accepted, new { import.Id });
    }

    private void Check(ImportLocation path, LakeFsRepository repository)
    {
        if (path.Type is not (LakeFsImport.CommonPrefix or LakeFsImport.Object))
            throw new LakeFsRefusal(Status400BadRequest, $"invalid import type: {path.Type}");
        string own = LakeFsImport.Below(repository.StorageNamespace);
        string source = path.Path;
        // An object beside the storage may begin like it; a prefix that does would take the storage in.
        bool overlaps =
            LakeFsImport.Below(source).StartsWith(own, StringComparison.Ordinal)
            || (path.Type == LakeFsImport.CommonPrefix && own.StartsWith(source, StringComparison.Ordinal));
        if (overlaps && Version.RefusesOwnStorage)
            throw new LakeFsRefusal(
                Status400BadRequest,
                $"import source {source} overlaps the repository's storage namespace: invalid import source"
            );
    }

    private async Task TellAsync(LakeFsRequest request, string repositoryName)
    {
        if (Options.RefusesGetWithBody && request.HasBody)
        {
            await Answer.Text(
                request.Context,
                Status403Forbidden,
                "<html><head><title>ERROR: The request could not be satisfied</title></head></html>",
                "text/html"
            );
            return;
        }
        string id = await IdAsync(request);
        Admit(request);
        authorization.Require("fs:ReadBranch");
        (_, ImportRecord record) = state.FindRecord(state.Repository(repositoryName), id) ?? throw NotFound(id);
        await request.AnswerAsync(Status200OK, StatusOf(record));
    }

    private async Task CancelAsync(LakeFsRequest request, string repositoryName)
    {
        string id = await IdAsync(request);
        Admit(request);
        authorization.Require("fs:ImportCancel");
        (LakeFsImport import, _) = state.FindRecord(state.Repository(repositoryName), id) ?? throw NotFound(id);
        await Options.BeforeCancel();
        if (!import.TryCancel())
            throw new LakeFsRefusal(Status409Conflict, "import already completed: conflict found");
        await request.AnswerAsync(Status204NoContent);
    }

    private static LakeFsRefusal NotFound(string id) => new(Status404NotFound, $"import {id}: not found");

    private async Task<string> IdAsync(LakeFsRequest request) =>
        IsLegacy
            ? (await request.ReadAsync<LegacyIdBody>()).ImportId
            : request.Query("id")
                ?? throw new LakeFsRefusal(Status400BadRequest, "parameter \"id\" in query has an error: value is required but missing");

    private Dictionary<string, object> StatusOf(ImportRecord record)
    {
        Dictionary<string, object> status = new()
        {
            ["completed"] = record.Completed,
            ["update_time"] = record.UpdateTime,
            [IsLegacy ? "import_progress" : "ingested_objects"] = record.Objects,
        };
        Add("import_branch", record.ImportBranch);
        Add("metarange_id", record.MetaRangeId);
        Add("commit", record.Commit);
        Add("error", record.Error);
        return status;

        void Add(string name, object? value)
        {
            if (value is not null)
                status[name] = value;
        }
    }

    private async Task IngestRangeAsync(LakeFsRequest request, string repositoryName)
    {
        RangeBody body = await request.ReadAsync<RangeBody>();
        Admit(request);
        authorization.Require("fs:ImportFromStorage");
        await request.AnswerAsync(Status201Created, state.Repository(repositoryName).Ranges.Write(body, state.Store, Options));
    }

    private async Task CreateMetaRangeAsync(LakeFsRequest request, string repositoryName)
    {
        MetaRangeBody body = await request.ReadAsync<MetaRangeBody>();
        Admit(request);
        authorization.Require("fs:CreateMetaRange");
        await request.AnswerAsync(Status201Created, new { Id = state.Repository(repositoryName).Ranges.WriteMeta(body) });
    }

    private async Task UpdateTokenAsync(LakeFsRequest request, string repositoryName, string branch)
    {
        StagingTokenBody body = await request.ReadAsync<StagingTokenBody>();
        Admit(request);
        LakeFsRepository repository = state.Repository(repositoryName);
        repository.Branch(branch).Stage(repository.Ranges.Staged(body.StagingToken));
        await request.AnswerAsync(Status204NoContent);
    }

    private void Admit(LakeFsRequest request)
    {
        request.GiveId();
        authorization.Admit(request.Context);
    }

    private static ImportOrder OrderOf(ImportBody body) => new(body.Paths, body.Commit.Message, body.Commit.Metadata, body.Force);

    private static ImportOrder OrderOf(LegacyImportBody body) =>
        new(
            [
                new ImportLocation
                {
                    Type = LakeFsImport.CommonPrefix,
                    Path = body.SourceUri,
                    Destination = body.Prepend,
                },
            ],
            body.CommitMessage,
            body.Metadata,
            Force: false
        );
}
