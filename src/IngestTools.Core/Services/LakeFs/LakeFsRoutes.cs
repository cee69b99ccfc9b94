using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using IngestTools.Connections;
using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.LakeFs;

/// <summary>lakeFS's routes, one method each; what is made of them is decided elsewhere.</summary>
internal sealed class LakeFsRoutes(IngestConnection connection, ILogger logger)
{
    /// <summary>The most that a listing gives in one answer.</summary>
    public const int MostListed = 1000;

    private readonly string _api = ApiOf(connection.Uri);

    public IngestConnection Connection => connection;

    public ILogger Logger => logger;

    public TimeProvider Time => connection.Time;

    /// <summary>The door for what the server answers.</summary>
    public ServerText Door => connection.Http.Text;

    /// <summary>The base address of the API: users write a server's address with and without it.</summary>
    public static string ApiOf(Uri uri)
    {
        const string ApiPath = "api/v1/";
        string address = uri.AbsoluteUri.TrimEnd('/') + "/";
        return address.EndsWith("/" + ApiPath, StringComparison.Ordinal) ? address : address + ApiPath;
    }

    /// <summary>
    /// What signs the address of a source, or is a password in it, the server may repeat: at once, or in the status of the import.
    /// </summary>
    public void Remember(string source)
    {
        foreach (string secret in Redaction.SecretsOf(source))
            Door.Secrets.Add(secret);
    }

    /// <summary>lakeFS, GET /healthcheck: answers 204 to anybody.</summary>
    public Task GetHealthAsync(CancellationToken cancellationToken) =>
        SendAsync(
            new HttpOperation
            {
                Name = "look at the service",
                Kind = OperationKind.Safe,
                Method = HttpMethod.Get,
                Uri = UriOf("healthcheck"),
                SignsIn = false,
            },
            cancellationToken
        );

    /// <summary>lakeFS, GET /config/version</summary>
    public Task<VersionAnswer> GetVersionAsync(CancellationToken cancellationToken) =>
        GetAsync(
            "look at the version",
            "config/version",
            LakeFsJson.Default.VersionAnswer,
            null,
            cancellationToken,
            LakeFsErrors.OfSettings,
            isFinal: LakeFsErrors.IsOfOnePage
        );

    /// <summary>lakeFS, GET /config/storage</summary>
    public Task<StorageAnswer> GetStorageAsync(CancellationToken cancellationToken) =>
        GetAsync(
            "look at the storage",
            "config/storage",
            LakeFsJson.Default.StorageAnswer,
            null,
            cancellationToken,
            LakeFsErrors.OfSettings
        );

    /// <summary>lakeFS, GET /repositories/{repository}</summary>
    public Task<RepositoryAnswer> GetRepositoryAsync(string repository, CancellationToken cancellationToken) =>
        GetAsync("look at the repository", PathOf(repository), LakeFsJson.Default.RepositoryAnswer, repository, cancellationToken);

    /// <summary>lakeFS, GET /repositories/{repository}/branches/{branch}</summary>
    public Task<BranchAnswer> GetBranchAsync(string repository, string branch, CancellationToken cancellationToken) =>
        GetAsync(
            "look at the branch",
            PathOf(repository, branch),
            LakeFsJson.Default.BranchAnswer,
            $"{repository}/{branch}",
            cancellationToken
        );

    /// <summary>lakeFS, GET /repositories: the first page.</summary>
    public Task<NamesAnswer> ListRepositoriesAsync(CancellationToken cancellationToken) =>
        GetAsync("list repositories", $"repositories?amount={MostListed}", LakeFsJson.Default.NamesAnswer, null, cancellationToken);

    /// <summary>lakeFS, GET /repositories/{repository}/branches: the first page.</summary>
    public Task<NamesAnswer> ListBranchesAsync(string repository, CancellationToken cancellationToken) =>
        GetAsync(
            "list branches",
            $"{PathOf(repository)}/branches?amount={MostListed}",
            LakeFsJson.Default.NamesAnswer,
            repository,
            cancellationToken
        );

    /// <summary>lakeFS, GET /repositories/{repository}/commits/{commitId}</summary>
    public Task<CommitAnswer> GetCommitAsync(string repository, string commit, CancellationToken cancellationToken) =>
        GetAsync(
            "look at the commit",
            $"{PathOf(repository)}/commits/{Escape(commit)}",
            LakeFsJson.Default.CommitAnswer,
            commit,
            cancellationToken
        );

    /// <summary>
    /// lakeFS, GET /repositories/{repository}/refs/{ref}/objects/ls: the first page of what begins so; with a delimiter, what lies deeper
    /// is told once.
    /// </summary>
    public Task<ObjectsAnswer> ListAsync(
        string repository,
        string branch,
        string prefix,
        string delimiter,
        CancellationToken cancellationToken
    )
    {
        string query = string.Create(
            CultureInfo.InvariantCulture,
            $"prefix={Escape(prefix)}&delimiter={Escape(delimiter)}&amount={MostListed}"
        );
        string path = $"{PathOf(repository)}/refs/{Escape(branch)}/objects/ls?{query}";
        return GetAsync("list objects", path, LakeFsJson.Default.ObjectsAnswer, prefix, cancellationToken);
    }

    /// <summary>lakeFS, GET /repositories/{repository}/refs/{leftRef}/diff/{rightRef}: the first page of what differs.</summary>
    public Task<DiffAnswer> DiffAsync(string repository, string left, string right, CancellationToken cancellationToken)
    {
        string query = string.Create(CultureInfo.InvariantCulture, $"type=two_dot&amount={MostListed}");
        return GetAsync(
            "compare commits",
            $"{PathOf(repository)}/refs/{Escape(left)}/diff/{Escape(right)}?{query}",
            LakeFsJson.Default.DiffAnswer,
            right,
            cancellationToken
        );
    }

    /// <summary>
    /// lakeFS, POST /repositories/{repository}/branches. The name is made up for one call: one that is there was made by the attempt
    /// before.
    /// </summary>
    public async Task CreateBranchAsync(string repository, string branch, string source, CancellationToken cancellationToken)
    {
        HttpOperation operation = Change(
            HttpMethod.Post,
            $"{PathOf(repository)}/branches",
            "make a branch",
            $"{repository}/{branch}",
            _ => JsonBody.Of(new BranchCreation(branch, source), LakeFsJson.Default.BranchCreation)
        );
        try
        {
            await SendAsync(operation, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.Conflict)
        {
            Logger.LogDebug("The branch {Branch} is there. {Reason}", branch, e.Message);
        }
    }

    /// <summary>lakeFS, DELETE /repositories/{repository}/branches/{branch}</summary>
    public async Task DeleteBranchAsync(string repository, string branch, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(
                    Change(HttpMethod.Delete, PathOf(repository, branch), "delete a branch", $"{repository}/{branch}", _ => null),
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotFound)
        {
            Logger.LogDebug("The branch {Branch} is gone. {Reason}", branch, e.Message);
        }
    }

    /// <summary>
    /// lakeFS, POST /repositories/{repository}/refs/{sourceRef}/merge/{destinationBranch}: the commit's id. A merge that is repeated
    /// changes nothing.
    /// </summary>
    public async Task<string> MergeAsync(
        string repository,
        string source,
        string destination,
        MergeCreation merge,
        CancellationToken cancellationToken
    )
    {
        string path = $"{PathOf(repository)}/refs/{Escape(source)}/merge/{Escape(destination)}";
        HttpOperation operation = Change(
            HttpMethod.Post,
            path,
            "merge",
            $"{repository}/{destination}",
            _ => JsonBody.Of(merge, LakeFsJson.Default.MergeCreation)
        );
        MergeAnswer answer = await SendAsync(
                operation,
                LakeFsJson.Default.MergeAnswer,
                static answer => string.IsNullOrEmpty(answer.Reference) ? "no commit" : null,
                cancellationToken
            )
            .ConfigureAwait(false);
        return answer.Reference!;
    }

    /// <summary>
    /// lakeFS, POST /repositories/{repository}/branches/{branch}/import. Sent once: a second import would replace what the first brought,
    /// and commit again.
    /// </summary>
    public Task<ImportCreationAnswer> StartAsync(ImportPlan plan, CancellationToken cancellationToken)
    {
        ImportRequest request = plan.Request;
        string message = string.IsNullOrEmpty(request.Message) ? ImportRequest.DefaultMessage : request.Message;
        IReadOnlyDictionary<string, string>? metadata = request.Metadata is { Count: > 0 } given ? given : null;
        Func<StallTimeout?, HttpContent> content =
            plan.Dialect == ImportDialect.Legacy
                ? _ =>
                    JsonBody.Of(
                        new LegacyImportCreation(request.Sources[0].Source, request.Sources[0].Destination, message, metadata),
                        LakeFsJson.Default.LegacyImportCreation
                    )
                : _ =>
                    JsonBody.Of(
                        new ImportCreation(
                            [.. request.Sources.Select(LocationOf)],
                            new CommitCreation(message, metadata),
                            request.AllowReadOnly ? true : null
                        ),
                        LakeFsJson.Default.ImportCreation
                    );
        HttpOperation operation = new()
        {
            Name = "start import",
            Kind = OperationKind.Once,
            Method = HttpMethod.Post,
            Uri = UriOf(PathOf(request.Repository, request.Branch) + "/import"),
            Accept = JsonBody.MediaType,
            Target = $"{request.Repository}/{request.Branch}",
            Content = content,
            Refine = LakeFsErrors.OfStart(request),
        };
        return SendAsync(
            operation,
            LakeFsJson.Default.ImportCreationAnswer,
            static answer => string.IsNullOrEmpty(answer.Id) ? "no id" : null,
            cancellationToken
        );
    }

    /// <summary>lakeFS, GET /repositories/{repository}/branches/{branch}/import</summary>
    public Task<ImportStatusAnswer> GetStatusAsync(ImportId id, CancellationToken cancellationToken) =>
        SendAsync(
            About(HttpMethod.Get, OperationKind.Safe, "look at the import", id),
            LakeFsJson.Default.ImportStatusAnswer,
            static answer => answer.Completed is null ? "no word whether the import completed" : null,
            cancellationToken
        );

    /// <summary>lakeFS, DELETE /repositories/{repository}/branches/{branch}/import: says that it should end, not that it has.</summary>
    public Task CancelAsync(ImportId id, CancellationToken cancellationToken) =>
        SendAsync(About(HttpMethod.Delete, OperationKind.Repeatable, "cancel the import", id), cancellationToken);

    /// <summary>
    /// lakeFS v0.65 to v0.110, POST /repositories/{repository}/branches/ranges. A range that is made twice is the same range.
    /// </summary>
    public Task<RangeCreationAnswer> CreateRangeAsync(string repository, StageRangeCreation creation, CancellationToken cancellationToken)
    {
        HttpOperation operation = Create(
            repository,
            "ranges",
            "make a range",
            Redaction.Of(creation.FromSourceUri),
            _ => JsonBody.Of(creation, LakeFsJson.Default.StageRangeCreation)
        );
        return SendAsync(
            operation,
            LakeFsJson.Default.RangeCreationAnswer,
            static answer => answer.Range?.Id is null ? "no range" : null,
            cancellationToken
        );
    }

    /// <summary>
    /// lakeFS v0.65 to v0.110, POST /repositories/{repository}/branches/metaranges. A metarange that is made twice is the same metarange.
    /// </summary>
    public Task<MetaRangeCreationAnswer> CreateMetaRangeAsync(
        string repository,
        MetaRangeCreation creation,
        CancellationToken cancellationToken
    )
    {
        HttpOperation operation = Create(
            repository,
            "metaranges",
            "make a metarange",
            repository,
            _ => JsonBody.Of(creation, LakeFsJson.Default.MetaRangeCreation)
        );
        return SendAsync(
            operation,
            LakeFsJson.Default.MetaRangeCreationAnswer,
            static answer => string.IsNullOrEmpty(answer.Id) ? "no id" : null,
            cancellationToken
        );
    }

    private static string Escape(string text) => Uri.EscapeDataString(text);

    private static string PathOf(string repository) => $"repositories/{Escape(repository)}";

    private static string PathOf(string repository, string branch) => $"{PathOf(repository)}/branches/{Escape(branch)}";

    private static ImportLocation LocationOf(ImportSource source) =>
        new(source.Type == ImportSourceType.Object ? "object" : "common_prefix", source.Source, source.FullDestination);

    private Uri UriOf(string path) => new(_api + path);

    private HttpOperation Change(HttpMethod method, string path, string name, object target, Func<StallTimeout?, HttpContent?> content) =>
        new()
        {
            Name = name,
            Kind = OperationKind.Repeatable,
            Method = method,
            Uri = UriOf(path),
            Accept = JsonBody.MediaType,
            Target = target,
            Content = content,
        };

    private HttpOperation Create(string repository, string what, string name, object target, Func<StallTimeout?, HttpContent> content) =>
        new()
        {
            Name = name,
            Kind = OperationKind.Repeatable,
            Method = HttpMethod.Post,
            Uri = UriOf($"{PathOf(repository)}/branches/{what}"),
            Accept = JsonBody.MediaType,
            Target = target,
            BringsKeys = true,
            Content = content,
            Refine = LakeFsErrors.OfRanges(repository),
        };

    private HttpOperation About(HttpMethod method, OperationKind kind, string name, ImportId id)
    {
        string path = PathOf(id.Repository, id.Branch) + "/import";
        return new HttpOperation
        {
            Name = name,
            Kind = kind,
            Method = method,
            Uri = UriOf(id.IsLegacy ? path : $"{path}?id={Escape(id.Import)}"),
            Accept = JsonBody.MediaType,
            Target = id.ToString(),
            Content = _ => id.IsLegacy ? JsonBody.Of(new LegacyImportId(id.Import), LakeFsJson.Default.LegacyImportId) : null,
            Refine = LakeFsErrors.OfImport(id),
        };
    }

    private Task<T> GetAsync<T>(
        string name,
        string path,
        JsonTypeInfo<T> type,
        object? target,
        CancellationToken cancellationToken,
        Func<IngestException, IngestException>? refine = null,
        Func<ErrorId, bool>? isFinal = null
    )
        where T : class
    {
        HttpOperation operation = new()
        {
            Name = name,
            Kind = OperationKind.Safe,
            Method = HttpMethod.Get,
            Uri = UriOf(path),
            Accept = JsonBody.MediaType,
            Target = target,
            Refine = refine,
            IsFinal = isFinal,
        };
        return SendAsync(operation, type, null, cancellationToken);
    }

    private Task<T> SendAsync<T>(
        HttpOperation operation,
        JsonTypeInfo<T> type,
        Func<T, string?>? whatIsWrong,
        CancellationToken cancellationToken
    )
        where T : class => connection.Http.SendJsonAsync(operation, type, whatIsWrong, logger, cancellationToken);

    private Task<object> SendAsync(HttpOperation operation, CancellationToken cancellationToken) =>
        connection.Http.SendAsync(operation, static (_, _) => ValueTask.FromResult(new object()), logger, cancellationToken);
}
