using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Logging;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Services.LakeFs;

/// <summary>lakeFS's imports, ranges and metaranges.</summary>
/// <param name="connection">The connection.</param>
/// <param name="logger">The logger.</param>
/// <param name="journal">The journal that imports are recorded in; null records nothing.</param>
public sealed class LakeFsClient(IngestConnection connection, ILogger? logger = null, IIngestJournal? journal = null)
{
    private readonly LakeFsRoutes _routes = new(connection, logger ?? NullLogger.Instance);

    private readonly IIngestJournal _journal = journal ?? IngestJournal.Off;

    /// <summary>Makes a client, for a host with a log of its own.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="log">The log.</param>
    /// <param name="journal">The journal that imports are recorded in; null records nothing.</param>
    public LakeFsClient(IngestConnection connection, IngestLog log, IIngestJournal? journal = null)
        : this(connection, log.Logger, journal) { }

    /// <summary>The names of the repositories that this user may see: the first thousand.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    public async Task<IReadOnlyList<string>> ListRepositoriesAsync(CancellationToken cancellationToken) =>
        NamesOf(await _routes.ListRepositoriesAsync(cancellationToken).ConfigureAwait(false));

    /// <summary>The names of the branches of a repository: the first thousand.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public async Task<IReadOnlyList<string>> ListBranchesAsync(string repository, CancellationToken cancellationToken) =>
        NamesOf(await _routes.ListBranchesAsync(repository, cancellationToken).ConfigureAwait(false));

    private static string[] NamesOf(NamesAnswer answer) => [.. (answer.Results ?? []).Select(static result => result?.Id).OfType<string>()];

    /// <summary>
    /// Looks before an import: server, repository, branch and sources, and what the import would delete. Nothing is started.
    /// </summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="countsAll">Whether objects are to be counted also where their deletion is what the destination says.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="IngestException">
    /// <see cref="ErrorId.NotFound"/> for the repository or the branch; <see cref="ErrorId.Rejected"/> where it is read-only, the storage
    /// cannot be imported from, or the server is too old.
    /// </exception>
    /// <remarks>
    /// lakeFS, GET /config/version, /config/storage, /repositories/{repository}, its branch, and refs/{branch}/objects/ls.
    /// </remarks>
    public Task<ImportPlan> PrepareAsync(ImportRequest request, bool countsAll, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        foreach (ImportSource source in request.Sources)
            _routes.Remember(source.Source);
        (ImportRequest understood, IReadOnlyList<IngestException> errors) = ImportDestination.Understand(request);
        return new ImportPreflight(_routes, understood, errors).RunAsync(countsAll, cancellationToken);
    }

    /// <summary>Starts an import. Its answer comes at once; all that can go wrong later is in the transaction's status.</summary>
    /// <param name="plan">What was prepared.</param>
    /// <param name="cancellationToken">Cancels the request; an import that was started continues.</param>
    /// <exception cref="IngestException">
    /// <see cref="ErrorId.Rejected"/> for a source; <see cref="ErrorId.OutcomeUnknown"/> where the answer was lost: lakeFS lists no
    /// imports, so that it cannot be looked up. <see cref="ErrorId.JournalUnavailable"/>: the start could not be recorded, and nothing was
    /// sent.
    /// </exception>
    /// <remarks>lakeFS, POST /repositories/{repository}/branches/{branch}/import</remarks>
    public async Task<Transaction> StartAsync(ImportPlan plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Errors.Count > 0)
            throw plan.Errors[0];
        ImportRequest request = plan.Request;
        foreach (ImportSource source in request.Sources)
            _routes.Remember(source.Source);
        DateTimeOffset submitted = _routes.Time.GetUtcNow();
        string message = string.IsNullOrEmpty(request.Message) ? ImportRequest.DefaultMessage : request.Message;
        JournaledStart start = new()
        {
            Kind = TransactionKind.Import,
            Place = new JournalPlace(IngestService.LakeFs, connection.Uri.AbsoluteUri, $"{request.Repository}/{request.Branch}"),
            Connection = connection.Name,
            Transaction = ImportTransactions.Describe(
                new ImportId(request.Repository, request.Branch, "", IsLegacy: false),
                connection
            ) with
            {
                Id = PendingStarts.NoId,
                ImportId = null,
                SubmittedAt = submitted,
            },
            ManualCheck =
                $"The answer to the start was never seen, and lakeFS lists no imports. Check whether "
                + $"{request.Repository}/{request.Branch} has a commit with the message "
                + $"'{message}' that is newer than {submitted:yyyy-MM-dd HH:mm:ss} UTC. If it has none, start the import again.",
        };
        return await _journal
            .StartAsync(start, () => SendAsync(plan, message, submitted, cancellationToken), _routes.Logger)
            .ConfigureAwait(false);
    }

    private async Task<Transaction> SendAsync(
        ImportPlan plan,
        string message,
        DateTimeOffset submitted,
        CancellationToken cancellationToken
    )
    {
        ImportRequest request = plan.Request;
        try
        {
            ImportCreationAnswer answer = await _routes.StartAsync(plan, cancellationToken).ConfigureAwait(false);
            ImportId id = new(request.Repository, request.Branch, answer.Id!, plan.Dialect == ImportDialect.Legacy);
            return ImportTransactions.Describe(id, connection) with
            {
                Status = TransactionStatus.Queued,
                SubmittedAt = submitted,
                StartedAt = null,
                SeenAt = _routes.Time.GetUtcNow(),
                MinimumObjects = request.MinimumObjects,
                Expectation = new ImportWatch
                {
                    AnsweredAt = _routes.Time.GetTimestamp(),
                    CommitMessage = message,
                    HeadBefore = id.IsLegacy ? null : plan.Head,
                },
            };
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.OutcomeUnknown)
        {
            throw e.With(
                advice: $"It was not sent again, since a second import would replace and commit again. Look whether "
                    + $"{request.Repository}/{request.Branch} gets a commit with your message; "
                    + "lakeFS lists no imports."
            );
        }
    }

    /// <summary>Imports into a temporary branch, checks the result, and merges only then. Waits until that has ended.</summary>
    /// <param name="plan">What was prepared.</param>
    /// <param name="seen">Takes the import as it was last seen.</param>
    /// <param name="cancellationToken">Cancels the wait; an import that was started continues in its temporary branch, which stays.</param>
    /// <returns>The import as it ended, and why it was not merged.</returns>
    /// <exception cref="IngestException">It could not be started.</exception>
    /// <remarks>
    /// lakeFS, POST /repositories/{repository}/branches, /branches/{branch}/import and /refs/{sourceRef}/merge/{destinationBranch}; DELETE
    /// /branches/{branch}.
    /// </remarks>
    public Task<StagedImportResult> StageAsync(ImportPlan plan, Action<Transaction>? seen, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new StagedImport(this, _routes, _journal, plan).RunAsync(seen, cancellationToken);
    }

    /// <summary>An import that was started earlier, maybe by another process.</summary>
    /// <param name="id">Its id: <c>lakefs:repository/branch/import</c>.</param>
    /// <param name="minimumObjects">The number of objects below which it has failed; null is 1 where objects were deleted.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is not the id of an import.</exception>
    public static Transaction Resume(string id, long? minimumObjects) =>
        TransactionSources.Parse(id).Transaction with
        {
            MinimumObjects = minimumObjects,
        };

    /// <summary>
    /// The commit of an import whose answer was lost, by metadata that no other commit has: lakeFS lists no imports, but their commits
    /// stay.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="branch">The branch.</param>
    /// <param name="name">The name of the metadata.</param>
    /// <param name="value">Its value.</param>
    /// <param name="cancellationToken">Cancels the search.</param>
    /// <returns>The commit's id; null where none of the branch's newest commits has it.</returns>
    /// <remarks>lakeFS, GET /repositories/{repository}/branches/{branch} and /commits/{commitId}, from parent to parent.</remarks>
    public async Task<string?> FindCommitAsync(
        string repository,
        string branch,
        string name,
        string value,
        CancellationToken cancellationToken
    )
    {
        // An import that was started minutes ago lies near the branch's head.
        const int mostCommits = 100;
        string? id = (await _routes.GetBranchAsync(repository, branch, cancellationToken).ConfigureAwait(false)).CommitId;
        for (int i = 0; id is not null && i < mostCommits; i++)
        {
            CommitAnswer commit = await _routes.GetCommitAsync(repository, id, cancellationToken).ConfigureAwait(false);
            if (commit.Metadata?.TryGetValue(name, out string? found) == true && found == value)
                return id;
            id = commit.Parents is [{ } parent, ..] ? parent : null;
        }

        return null;
    }

    /// <summary>Makes ranges out of a source, page by page. Memory does not grow with the number of keys.</summary>
    /// <param name="request">Where to begin, and whether to follow the pages.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.NotFound"/> where the server has no ranges (v0.111 and later);
    /// <see cref="ErrorId.ServerError"/> where the source cannot be walked.</exception>
    /// <remarks>lakeFS v0.65 to v0.110, POST /repositories/{repository}/branches/ranges</remarks>
    public IAsyncEnumerable<ImportRange> CreateRangesAsync(RangeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        _routes.Remember(request.Source);
        return new RangeWalk(_routes, request).RunAsync(cancellationToken);
    }

    /// <summary>Makes a metarange out of ranges. Ranges without keys are left out; the server orders them.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="ranges">The ranges, in any order.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/> where no range has keys, or two overlap;
    /// <see cref="ErrorId.NotFound"/> where the server has no metaranges.</exception>
    /// <remarks>lakeFS v0.65 to v0.110, POST /repositories/{repository}/branches/metaranges</remarks>
    public Task<ImportMetaRange> CreateMetaRangeAsync(
        string repository,
        IReadOnlyList<ImportRange> ranges,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(ranges);
        return new MetaRangeMaker(_routes, repository).RunAsync(ranges, cancellationToken);
    }
}
