using System.Runtime.CompilerServices;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Logging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Services.Ica;

/// <summary>ICA's linking batches: make them, and read the outcomes of their items.</summary>
/// <param name="connection">The connection.</param>
/// <param name="logger">The logger.</param>
/// <param name="journal">The journal that batches are recorded in; null records nothing.</param>
public sealed class IcaClient(IngestConnection connection, ILogger? logger = null, IIngestJournal? journal = null)
{
    /// <summary>The variable in which users of ICA's own tools keep the project they work in.</summary>
    public const string ProjectVariable = "ICAV2_PROJECT_ID";

    private readonly IcaRoutes _routes = new(connection, BatchOperation.Linking, logger ?? NullLogger.Instance);

    private readonly IIngestJournal _journal = journal ?? IngestJournal.Off;

    /// <summary>Makes a client, for a host with a log of its own.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="log">The log.</param>
    /// <param name="journal">The journal that batches are recorded in; null records nothing.</param>
    public IcaClient(IngestConnection connection, IngestLog log, IIngestJournal? journal = null)
        : this(connection, log.Logger, journal) { }

    /// <summary>The projects that this user may see, with their names by id: the first thousand.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    public async Task<IReadOnlyDictionary<string, string>> ListProjectsAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, string> names = new(StringComparer.Ordinal);
        foreach (ProjectAnswer project in (await _routes.ListProjectsAsync(cancellationToken).ConfigureAwait(false)).Items!)
        {
            if (project.Id is not null)
                names[project.Id] = project.Name ?? project.Id;
        }

        return names;
    }

    /// <summary>The project where none is named: what <see cref="ProjectVariable"/> says; null where it says nothing.</summary>
    public static string? DefaultProjectId => Environment.GetEnvironmentVariable(ProjectVariable) is { Length: > 0 } id ? id : null;

    /// <summary>
    /// Signs in while ids are still collected, so that the first batch need not wait for it. That it fails shows when a batch is sent.
    /// </summary>
    /// <param name="cancellationToken">Ends the sign-in.</param>
    public async Task PrepareAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await connection.Http.SignInAsync(_routes.Logger, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            _routes.Logger.LogDebug("Signing in ahead failed: {Reason}", e.Message);
        }
    }

    /// <summary>
    /// Links data into a project, in as many batches as it takes: a batch leaves as soon as it is full, while ids still come.
    /// </summary>
    /// <param name="projectId">The project that the data is to be linked into.</param>
    /// <param name="dataIds">The ids, taken as they come. Each is sent once.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Stops sending; batches that were started continue.</param>
    /// <returns>Each batch that was started, and each error: of an id that cannot be one, of an id that is not eligible, of a batch that
    /// was not started.</returns>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is no project's id.</exception>
    /// <remarks>ICA, POST /api/projects/{projectId}/dataLinkingBatch</remarks>
    public async IAsyncEnumerable<LinkingResult> LinkAsync(
        string projectId,
        IAsyncEnumerable<string> dataIds,
        LinkingOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(dataIds);
        LinkingOptions how = options ?? new LinkingOptions();
        LinkingBatchCollector collector = new(projectId, how.BatchSize, _routes.Logger);
        await foreach (string id in dataIds.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (collector.Add(id, out LinkingBatchContent? full) is { } error)
                yield return new LinkingResult(error);
            if (full is null)
                continue;
            await foreach (LinkingResult result in StartAsync(full, how.ChecksEligible, cancellationToken).ConfigureAwait(false))
                yield return result;
        }

        if (collector.Finish() is not { } rest)
            yield break;
        await foreach (LinkingResult result in StartAsync(rest, how.ChecksEligible, cancellationToken).ConfigureAwait(false))
            yield return result;
    }

    /// <summary>Starts one batch. What goes wrong is a result, not thrown, so that it does not hide the other batches.</summary>
    /// <param name="content">The ids.</param>
    /// <param name="checksEligible">Whether the service is asked first which ids can be linked; the others are errors, and are left
    /// out.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <remarks>ICA, POST /api/projects/{projectId}/dataLinkingBatch and GET /api/projects/{projectId}/data/eligibleForLinking</remarks>
    public async IAsyncEnumerable<LinkingResult> StartAsync(
        LinkingBatchContent content,
        bool checksEligible = false,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(content);
        if (checksEligible)
        {
            (LinkingBatchContent? eligible, IReadOnlyList<IngestException> errors) = await CheckAsync(content, cancellationToken)
                .ConfigureAwait(false);
            foreach (IngestException error in errors)
                yield return new LinkingResult(error);
            if (eligible is null)
                yield break;
            content = eligible;
        }

        yield return await TryStartAsync(content, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Looks among the jobs for a batch whose start was not answered, maybe in another process.</summary>
    /// <param name="content">The ids.</param>
    /// <param name="sentAgo">How long ago it was sent at most.</param>
    /// <param name="cancellationToken">Cancels the search.</param>
    /// <returns>The batch; null where no job shows it.</returns>
    /// <exception cref="IngestException">The jobs cannot be looked at, so that nothing is known.</exception>
    /// <remarks>ICA, GET /api/jobs, and the items of the batches that they are of.</remarks>
    public Task<Transaction?> FindBatchAsync(LinkingBatchContent content, TimeSpan sentAgo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        return new LinkingBatchStart(_routes, _journal).FindAsync(content, sentAgo, cancellationToken);
    }

    /// <summary>The items of a batch, as they come. A page that cannot be had is an error that says after how many items.</summary>
    /// <param name="projectId">The project.</param>
    /// <param name="batchId">The batch.</param>
    /// <param name="statuses">Only those of these statuses, in upper case; empty for all.</param>
    /// <param name="pageSize">How many items to ask for at once; null for 1000.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.NotFound"/>, <see cref="ErrorId.InvalidAnswer"/> and others.</exception>
    /// <remarks>ICA, GET /api/projects/{projectId}/dataLinkingBatch/{batchId}/items</remarks>
    public IAsyncEnumerable<LinkingBatchItem> ReadItemsAsync(
        string projectId,
        string batchId,
        IReadOnlyList<string>? statuses = null,
        int? pageSize = null,
        CancellationToken cancellationToken = default
    ) =>
        new BatchItems(_routes).ReadAsync(
            BatchPath.Of(projectId, batchId),
            statuses ?? [],
            pageSize ?? BatchItems.DefaultPageSize,
            cancellationToken
        );

    /// <summary>One item.</summary>
    /// <param name="projectId">The project.</param>
    /// <param name="batchId">The batch.</param>
    /// <param name="itemId">The item.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.NotFound"/> and others.</exception>
    /// <remarks>ICA, GET /api/projects/{projectId}/dataLinkingBatch/{batchId}/items/{itemId}</remarks>
    public Task<LinkingBatchItem> GetItemAsync(
        string projectId,
        string batchId,
        string itemId,
        CancellationToken cancellationToken = default
    ) => new BatchItems(_routes).GetAsync(BatchPath.Of(projectId, batchId), IcaIds.Uuid(itemId, "item"), cancellationToken);

    private async Task<LinkingResult> TryStartAsync(LinkingBatchContent content, CancellationToken cancellationToken)
    {
        try
        {
            return new LinkingResult(
                await new LinkingBatchStart(_routes, _journal).RunAsync(content, cancellationToken).ConfigureAwait(false)
            );
        }
        catch (IngestException e)
        {
            return new LinkingResult(e.ErrorId == ErrorId.JournalUnavailable ? e.With(target: content.ReadIds()) : e);
        }
    }

    /// <summary>Where the service cannot be asked, nothing of the batch is sent: the user wanted to know first.</summary>
    private async Task<(LinkingBatchContent? Eligible, IReadOnlyList<IngestException> Errors)> CheckAsync(
        LinkingBatchContent content,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<string> ids = content.ReadIds();
        HashSet<string> eligible;
        try
        {
            eligible = await new Eligibility(_routes).FindAsync(content.ProjectId, ids, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            return (
                null,
                [
                    e.With(
                        message: $"A batch of {ids.Count:N0} ids for project {content.ProjectId} was not sent, for its ids could not "
                            + $"be checked: {e.Message}",
                        target: ids
                    ),
                ]
            );
        }

        List<IngestException> errors = ids.Where(id => !eligible.Contains(id)).Select(id => NotEligible(content.ProjectId, id)).ToList();
        if (errors.Count == 0)
            return (content, errors);
        return (errors.Count == ids.Count ? null : LinkingBatchContent.Of(content.ProjectId, ids.Where(eligible.Contains)), errors);
    }

    private static IngestException NotEligible(string projectId, string id) =>
        new(
            ErrorId.Rejected,
            $"{Http.Redaction.EscapeControls(id)} cannot be linked into project {projectId} and was not sent: ICA does not list it as "
                + $"eligible."
        )
        {
            Service = IngestService.Ica,
            Operation = "list eligible data",
            Advice = "It does not exist, you may not see it, its project does not share its data, or it is in the project already.",
            Target = id,
        };
}

/// <summary>How data is linked.</summary>
public sealed record LinkingOptions
{
    /// <summary>How many ids make a batch.</summary>
    public int BatchSize { get; init; } = LinkingBatchCollector.DefaultBatchSize;

    /// <summary>Whether the service is asked first which ids can be linked; the others are not sent.</summary>
    public bool ChecksEligible { get; init; }
}

/// <summary>A batch that was started, or an error.</summary>
public sealed record LinkingResult
{
    internal LinkingResult(Transaction transaction) => Transaction = transaction;

    internal LinkingResult(IngestException error) => Error = error;

    /// <summary>The batch; null where this is an error.</summary>
    public Transaction? Transaction { get; }

    /// <summary>What went wrong; its target is the id, or the ids of the batch that was not started.</summary>
    public IngestException? Error { get; }
}
