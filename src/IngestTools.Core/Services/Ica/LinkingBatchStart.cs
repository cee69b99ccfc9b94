using System.Globalization;
using IngestTools.Journal;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.Ica;

/// <summary>
/// Starts a batch. The service has no key by which a repeated start would be known as such, so a start whose answer was lost is not sent
/// again: the batch is looked for among the jobs, since batches have no list.
/// </summary>
internal sealed class LinkingBatchStart(IcaRoutes routes, IIngestJournal journal)
{
    /// <summary>
    /// When the jobs are looked at after a lost answer, each after the one before: a server whose proxy gave up may still be making the
    /// batch.
    /// </summary>
    private static readonly TimeSpan[] SearchPauses =
    [
        TimeSpan.Zero,
        TimeSpan.FromSeconds(1),
        TimeSpan.FromSeconds(2),
        TimeSpan.FromSeconds(4),
        TimeSpan.FromSeconds(8),
    ];

    /// <summary>A server that is slow now must not keep the ids from their owner for longer: to send them again does no harm.</summary>
    private static readonly TimeSpan SearchLimit = TimeSpan.FromSeconds(60);

    /// <summary>The Date of an answer has whole seconds, and a job's time may be of another machine.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(5);

    /// <summary>Jobs in a page.</summary>
    private const int PageSize = 100;

    /// <summary>Among more jobs than this, all newer than the start, none is looked for.</summary>
    private const int MostJobs = 1000;

    /// <exception cref="IngestException"><see cref="ErrorId.OutcomeUnknown"/>: the answer was lost, and the batch was not found. The target
    /// of each error is the ids.</exception>
    public Task<Transaction> RunAsync(LinkingBatchContent content, CancellationToken cancellationToken)
    {
        DateTimeOffset submitted = routes.Time.GetUtcNow();
        JournaledStart start = new()
        {
            Kind = routes.Kind.Kind,
            Place = new JournalPlace(IngestService.Ica, routes.Connection.Uri.AbsoluteUri, content.ProjectId),
            Connection = routes.Connection.Name,
            Transaction = LinkingBatchTransactions.Describe(routes.Kind.Kind, new BatchPath(content.ProjectId, ""), routes.Connection) with
            {
                Id = PendingStarts.NoId,
                BatchId = null,
                Total = content.Count,
                SubmittedAt = submitted,
            },
            ManualCheck =
                $"The answer to the start was never seen. Check among the project's jobs in ICA for a {routes.Kind.Name} of "
                + $"{content.Count:N0} "
                + $"{(content.Count == 1 ? "id" : "ids")} that is newer than {submitted:yyyy-MM-dd HH:mm:ss} UTC. To send the ids "
                + $"again does no harm: what is linked by then ends as ALREADY_LINKED.",
        };
        return journal.StartAsync(start, () => SendAsync(content, submitted, cancellationToken), routes.Logger);
    }

    private async Task<Transaction> SendAsync(LinkingBatchContent content, DateTimeOffset submitted, CancellationToken cancellationToken)
    {
        long sent = routes.Time.GetTimestamp();
        try
        {
            BatchAnswer answer = await routes.CreateAsync(content.ProjectId, content.Body, cancellationToken).ConfigureAwait(false);
            return Describe(content, answer, submitted, null);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.OutcomeUnknown)
        {
            routes.Logger.LogWarning("The answer to the start of a {Name} was lost; it is looked for among the jobs.", routes.Kind.Name);
            (BatchAnswer? found, string? unseen) = await TryFindAsync(content, sent, cancellationToken).ConfigureAwait(false);
            string words = e.ServerMessage ?? e.Message;
            return found is not null
                ? Describe(content, found, submitted, "The answer to the start was lost; the batch was found among the jobs.")
                : throw e.With(
                    message: unseen is null
                        ? $"{Name(content)} was sent and its answer was lost; no job shows that it began: {words}"
                        : $"{Name(content)} was sent and its answer was lost ({words.TrimEnd('.')}); the jobs could not be looked at: "
                            + $"{unseen}",
                    advice: "It was not sent again by itself. To send it again does no harm: what is linked by then ends as "
                        + "ALREADY_LINKED. The target of this error is the ids.",
                    target: content.ReadIds()
                );
        }
        catch (IngestException e)
        {
            throw e.With(message: $"{Name(content)} was not started: {e.Message}", target: content.ReadIds());
        }
    }

    /// <summary>
    /// A batch that was started some time ago, maybe by another process, and whose answer nobody has; null where no job shows it.
    /// </summary>
    /// <exception cref="IngestException">The jobs cannot be looked at, so that nothing is known.</exception>
    public async Task<Transaction?> FindAsync(LinkingBatchContent content, TimeSpan sentAgo, CancellationToken cancellationToken)
    {
        long sent = routes.Time.GetTimestamp() - (long)(sentAgo.TotalSeconds * routes.Time.TimestampFrequency);
        HashSet<string> ids = new(content.ReadIds(), StringComparer.Ordinal);
        HashSet<string> others = new(StringComparer.OrdinalIgnoreCase);
        foreach (TimeSpan pause in SearchPauses)
        {
            await Task.Delay(pause, routes.Time, cancellationToken).ConfigureAwait(false);
            if (await FindAsync(content.ProjectId, ids, sent, others, cancellationToken).ConfigureAwait(false) is { } found)
                return Describe(
                    content,
                    found,
                    routes.Time.GetUtcNow() - sentAgo,
                    "The answer to the start was lost; the batch was found among the jobs."
                );
        }

        return null;
    }

    private string Name(LinkingBatchContent content) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"A {routes.Kind.Name} of {content.Count:N0} {(content.Count == 1 ? "id" : "ids")} for project {content.ProjectId}"
        );

    private Transaction Describe(LinkingBatchContent content, BatchAnswer answer, DateTimeOffset submitted, string? message)
    {
        // What one start was told of is not what another one lost, even if the ids are the same.
        routes.Connection.Memory.TryAdd(StartedKey(answer.Id!), answer.Id!);
        TransactionStatus status =
            JobStatuses.Of(answer.Job?.Status) is TransactionStatus.Queued ? TransactionStatus.Queued : TransactionStatus.Running;
        return LinkingBatchTransactions.Describe(routes.Kind.Kind, new BatchPath(content.ProjectId, answer.Id!), routes.Connection) with
        {
            Status = status,
            ServerStatus = answer.Job?.Status,
            JobId = answer.Job?.Id,
            Completed = 0,
            Total = content.Count,
            SubmittedAt = JobAnswer.TimeOf(answer.Job?.TimeCreated) ?? submitted,
            SeenAt = routes.Time.GetUtcNow(),
            Message = message,
        };
    }

    private static string StartedKey(string batchId) => $"started batch {batchId.ToUpperInvariant()}";

    /// <summary>
    /// The batch whose start was not answered; null where no job shows it, with the reason if the jobs could not be looked at.
    /// </summary>
    private async Task<(BatchAnswer? Found, string? Unseen)> TryFindAsync(
        LinkingBatchContent content,
        long sent,
        CancellationToken cancellationToken
    )
    {
        using CancellationTokenSource limit = new(SearchLimit, routes.Time);
        using CancellationTokenSource search = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        bool isSeen = false;
        string reason = $"the server did not answer within {SearchLimit.TotalSeconds:N0} s.";
        HashSet<string> ids = new(content.ReadIds(), StringComparer.Ordinal);
        HashSet<string> others = new(StringComparer.OrdinalIgnoreCase);
        foreach (TimeSpan pause in SearchPauses)
        {
            try
            {
                await Task.Delay(pause, routes.Time, search.Token).ConfigureAwait(false);
                if (await FindAsync(content.ProjectId, ids, sent, others, search.Token).ConfigureAwait(false) is { } found)
                    return (found, null);
                isSeen = true;
            }
            catch (IngestException e)
            {
                reason = e.Message;
                routes.Logger.LogInformation("The jobs could not be looked at: {Reason}", reason);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                routes.Logger.LogInformation("The search among the jobs was given up after {Limit}.", SearchLimit);
                break;
            }
        }

        return (null, isSeen ? null : reason);
    }

    private async Task<BatchAnswer?> FindAsync(
        string projectId,
        HashSet<string> ids,
        long sent,
        HashSet<string> others,
        CancellationToken cancellationToken
    )
    {
        for (int offset = 0; offset < MostJobs; offset += PageSize)
        {
            Page<JobAnswer> page = await routes.ListJobsAsync(offset, PageSize, cancellationToken).ConfigureAwait(false);
            // By the server's clock: this machine's may differ.
            DateTimeOffset since = (page.ServerTime ?? routes.Time.GetUtcNow()) - routes.Time.GetElapsedTime(sent) - ClockTolerance;
            foreach (JobAnswer job in page.Items!)
            {
                if (JobAnswer.TimeOf(job.TimeCreated) < since)
                    return null;
                bool isOfProject = string.Equals(job.Project?.Id ?? projectId, projectId, StringComparison.OrdinalIgnoreCase);
                bool mayBeIt =
                    isOfProject
                    && job.SubjectId is not null
                    && !others.Contains(job.SubjectId)
                    && !routes.Connection.Memory.ContainsKey(StartedKey(job.SubjectId));
                if (
                    mayBeIt
                    && await TryGetAsync(new BatchPath(projectId, job.SubjectId!), ids, others, cancellationToken).ConfigureAwait(false)
                        is { } found
                )
                    return found;
            }

            if (page.Items.Length < PageSize)
                return null;
        }

        return null;
    }

    /// <summary>
    /// The batch, if it is one of this kind and its items are those that were sent. One that certainly is another is not looked at again.
    /// </summary>
    private async Task<BatchAnswer?> TryGetAsync(
        BatchPath batch,
        HashSet<string> ids,
        HashSet<string> others,
        CancellationToken cancellationToken
    )
    {
        try
        {
            BatchAnswer answer = await routes.GetAsync(batch.ProjectId, batch.BatchId, cancellationToken).ConfigureAwait(false);
            int? same = await CompareAsync(batch, ids, cancellationToken).ConfigureAwait(false);
            if (same == ids.Count)
                return answer;
            // A batch that was just made may not have all of its items yet.
            if (same is not null)
                return null;
        }
        catch (IngestException e) when (e.ErrorId is ErrorId.NotFound or ErrorId.Rejected or ErrorId.NotAllowed)
        {
            // The subject of another kind of job.
        }

        others.Add(batch.BatchId);
        return null;
    }

    /// <summary>
    /// How many of the ids a batch has; null where it has another one. All of its items are read: batches of one list often begin alike.
    /// </summary>
    private async Task<int?> CompareAsync(BatchPath batch, HashSet<string> ids, CancellationToken cancellationToken)
    {
        HashSet<string> same = new(StringComparer.Ordinal);
        await foreach (
            LinkingBatchItem item in new BatchItems(routes)
                .ReadAsync(batch, [], BatchItems.DefaultPageSize, cancellationToken)
                .ConfigureAwait(false)
        )
        {
            if (item.DataId is not { } id || !ids.Contains(id))
                return null;
            same.Add(id);
        }

        return same.Count;
    }
}
