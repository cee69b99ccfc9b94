using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using IngestTools.Connections;
using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.Ica;

/// <summary>ICA's routes for one kind of batch, one method each; what is made of them is decided elsewhere.</summary>
internal sealed class IcaRoutes(IngestConnection connection, BatchOperation kind, ILogger logger)
{
    public IngestConnection Connection => connection;

    public BatchOperation Kind => kind;

    public ILogger Logger => logger;

    public TimeProvider Time => connection.Time;

    /// <summary>The door for what the server answers.</summary>
    public ServerText Door => connection.Http.Text;

    /// <summary>
    /// ICA, POST /api/projects/{projectId}/dataLinkingBatch and similar routes. It has no Idempotency-Key: twice is two batches.
    /// </summary>
    /// <param name="projectId">The project.</param>
    /// <param name="body">The JSON of the items.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<BatchAnswer> CreateAsync(string projectId, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        HttpOperation operation = new()
        {
            Name = $"start {kind.Name}",
            Kind = OperationKind.Once,
            Method = HttpMethod.Post,
            Uri = BatchUri(projectId, ""),
            Accept = kind.CreateMedia,
            Content = _ => ContentOf(body, kind.CreateMedia),
            Refine = Refine,
        };
        return connection.Http.SendJsonAsync(operation, IcaJson.Default.BatchAnswer, CheckBatch, logger, cancellationToken);
    }

    /// <summary>ICA, GET /api/projects/{projectId}/dataLinkingBatch/{batchId}</summary>
    public Task<BatchAnswer> GetAsync(string projectId, string batchId, CancellationToken cancellationToken) =>
        SendAsync(
            Get($"get {kind.Name}", BatchUri(projectId, $"/{Uri.EscapeDataString(batchId)}"), kind.BatchMedia, batchId),
            IcaJson.Default.BatchAnswer,
            CheckBatch,
            cancellationToken
        );

    /// <summary>ICA, GET /api/jobs/{jobId}; null where the server does not know it.</summary>
    public async Task<JobAnswer?> TryGetJobAsync(string jobId, CancellationToken cancellationToken)
    {
        try
        {
            HttpOperation operation = Get("get job", ApiUri($"jobs/{Uri.EscapeDataString(jobId)}"), BatchOperation.CommonMedia, jobId);
            return await SendAsync(operation, IcaJson.Default.JobAnswer, null, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotFound)
        {
            return null;
        }
    }

    /// <summary>ICA, GET /api/jobs: the newest first. There is no list of batches, and no filter but the status.</summary>
    /// <param name="offset">Rows to leave out.</param>
    /// <param name="size">Rows in the page.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<Page<JobAnswer>> ListJobsAsync(int offset, int size, CancellationToken cancellationToken) =>
        SendAsync(
            Get(
                "list jobs",
                ApiUri(string.Create(CultureInfo.InvariantCulture, $"jobs?sort=timeCreated%20desc&pageOffset={offset}&pageSize={size}")),
                BatchOperation.CommonMedia,
                null
            ),
            IcaJson.Default.PageJobAnswer,
            CheckPage,
            cancellationToken
        );

    /// <summary>ICA, GET /api/projects/{projectId}/dataLinkingBatch/{batchId}/items/{itemId}</summary>
    public Task<ItemAnswer> GetItemAsync(string projectId, string batchId, string itemId, CancellationToken cancellationToken) =>
        SendAsync(
            Get(
                "get item",
                BatchUri(projectId, $"/{Uri.EscapeDataString(batchId)}/items/{Uri.EscapeDataString(itemId)}"),
                kind.ItemsMedia,
                itemId
            ),
            IcaJson.Default.ItemAnswer,
            null,
            cancellationToken
        );

    /// <summary>
    /// ICA, GET /api/projects/{projectId}/dataLinkingBatch/{batchId}/items: a page by cursor, which is complete and has each item once.
    /// </summary>
    public Task<Page<ItemAnswer>> ListItemsAsync(
        BatchPath batch,
        IReadOnlyList<string> statuses,
        int size,
        string? token,
        CancellationToken cancellationToken
    ) =>
        SendAsync(
            ItemsOperation(
                batch,
                statuses,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"pageSize={size}{(token is null ? "" : $"&pageToken={Uri.EscapeDataString(token)}")}"
                )
            ),
            IcaJson.Default.PageItemAnswer,
            CheckPage,
            cancellationToken
        );

    /// <summary>How many items have one of these statuses; null where the server does not say. Only a page by offset has it.</summary>
    public async Task<long?> CountItemsAsync(BatchPath batch, IReadOnlyList<string> statuses, CancellationToken cancellationToken) =>
        (
            await SendAsync(
                    ItemsOperation(batch, statuses, "pageOffset=0&pageSize=1"),
                    IcaJson.Default.PageItemAnswer,
                    CheckPage,
                    cancellationToken
                )
                .ConfigureAwait(false)
        ).TotalItemCount;

    /// <summary>ICA, GET /api/projects/{projectId}/data/eligibleForLinking: of these ids, those that can be linked.</summary>
    public Task<Page<DataAnswer>> ListEligibleAsync(
        string projectId,
        IReadOnlyList<string> ids,
        string? token,
        CancellationToken cancellationToken
    )
    {
        StringBuilder query = new($"projects/{Uri.EscapeDataString(projectId)}/data/eligibleForLinking");
        query.Append(CultureInfo.InvariantCulture, $"?pageSize={ids.Count}");
        foreach (string id in ids)
            query.Append("&id=").Append(Uri.EscapeDataString(id));
        if (token is not null)
            query.Append("&pageToken=").Append(Uri.EscapeDataString(token));
        return SendAsync(
            Get("list eligible data", ApiUri(query.ToString()), BatchOperation.CommonMedia, null),
            IcaJson.Default.PageDataAnswer,
            CheckPage,
            cancellationToken
        );
    }

    /// <summary>ICA, GET /api/projects: the first page.</summary>
    public Task<Page<ProjectAnswer>> ListProjectsAsync(CancellationToken cancellationToken) =>
        SendAsync(
            Get("list projects", ApiUri("projects?pageSize=1000"), BatchOperation.CommonMedia, null),
            IcaJson.Default.PageProjectAnswer,
            CheckPage,
            cancellationToken
        );

    /// <summary>Looks whether a project may be seen.</summary>
    public Task ProbeProjectAsync(string projectId, CancellationToken cancellationToken) =>
        SendAsync(
            Get(
                "list eligible data",
                ApiUri($"projects/{Uri.EscapeDataString(projectId)}/data/eligibleForLinking?pageSize=1"),
                BatchOperation.CommonMedia,
                projectId
            ),
            IcaJson.Default.PageDataAnswer,
            CheckPage,
            cancellationToken
        );

    /// <summary>What ICA's answers mean beyond their status.</summary>
    public static IngestException Refine(IngestException error) =>
        error.ErrorId switch
        {
            // Its own errors are JSON with a code. Without one it was not ICA that answered.
            ErrorId.NotFound when error.Code is null => error.With(
                advice: "The server does not know this address. Check that -Uri is ICA's own and ends with /ica/rest, such as "
                    + "https://ica.illumina.com/ica/rest."
            ),
            ErrorId.NotFound => error.With(advice: "Check the ids, and whether this user may see the project."),
            ErrorId.NotAllowed => error.With(
                advice: "The sign-in is good, and has no right to this. Linking needs a project role with the right to link data, and "
                    + "a source project that shares its data."
            ),
            _ => error,
        };

    private Task<T> SendAsync<T>(
        HttpOperation operation,
        JsonTypeInfo<T> type,
        Func<T, string?>? whatIsWrong,
        CancellationToken cancellationToken
    )
        where T : class
    {
        AnswerReader read = JsonBody.Reader(connection.Http, operation, type, whatIsWrong);
        return connection.Http.SendAsync<T>(operation, ReadAsync, logger, cancellationToken);

        async ValueTask<object> ReadAsync(HttpResponseMessage response, CancellationToken reading)
        {
            object answer = await read(response, reading).ConfigureAwait(false);
            return answer is Page<JobAnswer> page ? page with { ServerTime = response.Headers.Date } : answer;
        }
    }

    private HttpOperation ItemsOperation(BatchPath batch, IReadOnlyList<string> statuses, string paging)
    {
        string route = $"/{Uri.EscapeDataString(batch.BatchId)}/items";
        if (kind.SearchesItems)
        {
            byte[] body = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new ItemSearch(statuses), IcaJson.Default.ItemSearch);
            return Get(
                "search items",
                BatchUri(batch.ProjectId, $"{route}:search?{paging}"),
                kind.ItemsMedia,
                batch.BatchId,
                HttpMethod.Post,
                _ => ContentOf(body, kind.ItemsMedia)
            );
        }

        string filter = string.Concat(statuses.Select(status => $"&status={Uri.EscapeDataString(status)}"));
        return Get("list items", BatchUri(batch.ProjectId, $"{route}?{paging}{filter}"), kind.ItemsMedia, batch.BatchId);
    }

    /// <summary>Something that only reads.</summary>
    private static HttpOperation Get(
        string name,
        Uri uri,
        string accept,
        object? target,
        HttpMethod? method = null,
        Func<StallTimeout?, HttpContent?>? content = null
    ) =>
        new()
        {
            Name = name,
            Kind = OperationKind.Safe,
            Method = method ?? HttpMethod.Get,
            Uri = uri,
            Accept = accept,
            Content = content ?? (static _ => null),
            Refine = Refine,
            Target = target,
        };

    private Uri BatchUri(string projectId, string rest) => ApiUri($"projects/{Uri.EscapeDataString(projectId)}/{kind.Segment}{rest}");

    private Uri ApiUri(string route) => new($"{connection.Uri.AbsoluteUri}api/{route}");

    /// <summary>Without a charset: the service compares the type with the version it knows.</summary>
    private static ReadOnlyMemoryContent ContentOf(ReadOnlyMemory<byte> body, string mediaType)
    {
        ReadOnlyMemoryContent content = new(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        return content;
    }

    private static string? CheckBatch(BatchAnswer batch) => string.IsNullOrEmpty(batch.Id) ? "a batch without an id" : null;

    private static string? CheckPage<T>(Page<T> page) =>
        page.Items is null ? "a page without items"
        : Array.Exists(page.Items, static item => item is null) ? "a page with an item that is null"
        : null;
}

/// <summary>Which batch is meant.</summary>
/// <param name="ProjectId">The project.</param>
/// <param name="BatchId">The batch.</param>
internal readonly record struct BatchPath(string ProjectId, string BatchId)
{
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: one of them cannot be an id.</exception>
    public static BatchPath Of(string? projectId, string? batchId) => new(IcaIds.Project(projectId), IcaIds.Uuid(batchId, "batch"));
}
