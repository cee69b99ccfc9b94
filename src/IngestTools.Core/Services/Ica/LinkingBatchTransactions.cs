using System.Runtime.CompilerServices;
using IngestTools.Connections;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.Ica;

/// <summary>Batches as transactions: the job has a batch's status, its items have the outcomes.</summary>
internal sealed class LinkingBatchTransactions(IcaRoutes routes) : ITransactionSource
{
    public static Transaction Describe(TransactionKind kind, BatchPath batch, IngestConnection? connection) =>
        new()
        {
            Id = $"ica:{Uri.EscapeDataString(batch.ProjectId)}/{Uri.EscapeDataString(batch.BatchId)}",
            Kind = kind,
            Status = TransactionStatus.Unknown,
            Unit = "items",
            ProjectId = batch.ProjectId,
            BatchId = batch.BatchId,
            Connection = connection?.Name,
            Server = connection?.Uri.AbsoluteUri,
        };

    /// <remarks>
    /// ICA, GET /api/projects/{projectId}/dataLinkingBatch/{batchId}, which holds the job; the job itself where it does not.
    /// </remarks>
    public async Task<Transaction> LookAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        BatchPath batch = PathOf(transaction);
        BatchAnswer answer = await routes.GetAsync(batch.ProjectId, batch.BatchId, cancellationToken).ConfigureAwait(false);
        JobAnswer? job = answer.Job;
        if (job?.Status is null && (job?.Id ?? transaction.JobId) is { } jobId)
            job = await routes.TryGetJobAsync(jobId, cancellationToken).ConfigureAwait(false);
        Transaction seen = transaction with
        {
            SeenAt = routes.Time.GetUtcNow(),
            Connection = routes.Connection.Name,
            Server = routes.Connection.Uri.AbsoluteUri,
            JobId = job?.Id ?? transaction.JobId,
        };
        if (job?.Status is null)
            return await LookAtItemsAsync(batch, seen, cancellationToken).ConfigureAwait(false);
        TransactionStatus? status = JobStatuses.Of(job.Status);
        if (status is null)
            WarnOnce("job", job.Status);
        seen = seen with
        {
            Status = status ?? TransactionStatus.Running,
            ServerStatus = routes.Door.Word(job.Status),
            SubmittedAt = JobAnswer.TimeOf(job.TimeCreated) ?? transaction.SubmittedAt,
            StartedAt = JobAnswer.TimeOf(job.TimeStarted) ?? transaction.StartedAt,
            Message = routes.Door.Words(job.AdditionalStatusInformation) ?? transaction.Message,
        };
        return seen.IsTerminal
            ? await CountEndedAsync(batch, seen with { CompletedAt = JobAnswer.TimeOf(job.TimeFinished) ?? seen.SeenAt }, cancellationToken)
                .ConfigureAwait(false)
            : await CountGoingAsync(batch, seen, cancellationToken).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<FailedItem> ReadFailedItemsAsync(
        Transaction transaction,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        // What a stopped job left in the middle is of no failing status.
        bool isStopped = transaction.Status == TransactionStatus.Canceled;
        HashSet<string> told = new(StringComparer.Ordinal);
        if (!isStopped)
        {
            await foreach (
                LinkingBatchItem item in ReadNotDoneAsync(transaction, routes.Kind.Failing, cancellationToken).ConfigureAwait(false)
            )
            {
                if (told.Add(KeyOf(item)))
                    yield return FailedItemOf(item);
            }
        }

        // Nor is what a failed job left in the middle, or what has a status that was added to the service since.
        if (told.Count > 0 && told.Count == transaction.Total - transaction.Completed)
            yield break;
        await foreach (LinkingBatchItem item in ReadNotDoneAsync(transaction, [], cancellationToken).ConfigureAwait(false))
        {
            if (told.Add(KeyOf(item)))
                yield return FailedItemOf(item);
        }
    }

    public string ListCommand(Transaction transaction) =>
        $"Get-LinkingBatchItem -ProjectId {transaction.ProjectId} -BatchId {transaction.BatchId} | Where-Object Status -notin "
        + $"{string.Join(", ", routes.Kind.Done)}";

    /// <summary>ICA's jobs can only be read.</summary>
    public Task<Transaction> StopAsync(Transaction transaction, CancellationToken cancellationToken) =>
        throw new IngestException(ErrorId.CannotCancel, $"ICA cannot cancel a {routes.Kind.Name}; {transaction.Id} continues to run.")
        {
            Service = IngestService.Ica,
            Operation = $"stop {routes.Kind.Name}",
            Advice = "Wait for its end with Wait-Transaction. What was linked and should not be can be unlinked in ICA.",
            Target = transaction.Id,
        };

    private static BatchPath PathOf(Transaction transaction) => BatchPath.Of(transaction.ProjectId, transaction.BatchId);

    private async IAsyncEnumerable<LinkingBatchItem> ReadNotDoneAsync(
        Transaction transaction,
        IReadOnlyList<string> statuses,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        BatchItems items = new(routes);
        await foreach (
            LinkingBatchItem item in items
                .ReadAsync(PathOf(transaction), statuses, BatchItems.DefaultPageSize, cancellationToken)
                .ConfigureAwait(false)
        )
        {
            if (routes.Kind.StateOf(item.Status) != ItemState.Done)
                yield return item;
        }
    }

    private static string KeyOf(LinkingBatchItem item) => item.ItemId ?? item.DataId ?? "?";

    private FailedItem FailedItemOf(LinkingBatchItem item) =>
        new(item.DataId ?? item.ItemId ?? "?", ReasonOf(item, routes.Kind.StateOf(item.Status)));

    private static string ReasonOf(LinkingBatchItem item, ItemState state)
    {
        string words = item.Reason is null ? "" : $": {item.Reason.TrimEnd('.')}";
        return state switch
        {
            ItemState.Going => $"the job ended and left it {item.Status}{words}",
            ItemState.Unknown => $"the server says {item.Status ?? "nothing"}, which this version does not know{words}",
            _ when item.Status == BatchOperation.Failed => item.Reason?.TrimEnd('.') ?? "the server gives no reason",
            _ => $"{item.Status}{words}",
        };
    }

    /// <summary>Only items show how far a batch is. Where they cannot be counted, the batch is still polled.</summary>
    private async Task<Transaction> CountGoingAsync(BatchPath batch, Transaction seen, CancellationToken cancellationToken)
    {
        long? total = seen.Total ?? await TryCountAsync(batch, [], cancellationToken).ConfigureAwait(false);
        long? going =
            total is null || seen.Status == TransactionStatus.Queued
                ? total
                : await TryCountAsync(batch, routes.Kind.Going, cancellationToken).ConfigureAwait(false);
        return seen with { Total = total, Completed = total - going };
    }

    private async Task<Transaction> CountEndedAsync(BatchPath batch, Transaction seen, CancellationToken cancellationToken)
    {
        long? total = seen.Total ?? await TryCountAsync(batch, [], cancellationToken).ConfigureAwait(false);
        long? done;
        bool isAllDone = false;
        if (seen.Status == TransactionStatus.Succeeded)
        {
            // A job may succeed with a folder of which a part was linked.
            long? failing = await TryCountAsync(batch, routes.Kind.Failing, cancellationToken).ConfigureAwait(false);
            isAllDone = !(
                failing > 0 || (failing is null && await HasAnyAsync(batch, routes.Kind.Failing, cancellationToken).ConfigureAwait(false))
            );
            done = isAllDone ? total : total - failing;
        }
        else
        {
            done = await TryCountAsync(batch, routes.Kind.Done, cancellationToken).ConfigureAwait(false);
        }

        string? count =
            isAllDone || total is null || done is null ? null : $"{total - done:N0} of {total:N0} items were not {routes.Kind.Verb}.";
        return seen with
        {
            Status = seen.Status == TransactionStatus.Succeeded && !isAllDone ? TransactionStatus.PartlySucceeded : seen.Status,
            Total = total,
            Completed = done,
            Message = count is null || seen.Message is null ? count ?? seen.Message : $"{count} {seen.Message}",
        };
    }

    /// <summary>A batch without a job ends when each of its items has.</summary>
    private async Task<Transaction> LookAtItemsAsync(BatchPath batch, Transaction seen, CancellationToken cancellationToken)
    {
        Transaction going = seen with { Status = TransactionStatus.Running, ServerStatus = null };
        long? left = await TryCountAsync(batch, routes.Kind.Going, cancellationToken).ConfigureAwait(false);
        if (left > 0)
            return going with { Completed = seen.Total - left };
        Dictionary<ItemState, long> counts = [];
        await foreach (
            LinkingBatchItem item in new BatchItems(routes)
                .ReadAsync(batch, [], BatchItems.DefaultPageSize, cancellationToken)
                .ConfigureAwait(false)
        )
        {
            ItemState state = routes.Kind.StateOf(item.Status);
            counts[state] = counts.GetValueOrDefault(state) + 1;
            if (state == ItemState.Unknown)
                WarnOnce("item", item.Status);
        }

        long done = counts.GetValueOrDefault(ItemState.Done);
        long failed = counts.GetValueOrDefault(ItemState.Failed);
        long total = counts.Values.Sum();
        if (total == 0 || total < seen.Total || done + failed < total)
            return going with { Completed = done + failed };
        return seen with
        {
            Status =
                failed == 0 ? TransactionStatus.Succeeded
                : done == 0 ? TransactionStatus.Failed
                : TransactionStatus.PartlySucceeded,
            ServerStatus = null,
            Completed = done,
            Total = total,
            CompletedAt = seen.CompletedAt ?? seen.SeenAt,
            Message =
                failed == 0
                    ? "The server reports no job; all items have ended."
                    : $"{failed:N0} of {total:N0} items were not {routes.Kind.Verb}. The server tells of no job.",
        };
    }

    /// <summary>
    /// Whether a batch has such items. Not to know it is not to know whether the batch succeeded, so what goes wrong is thrown.
    /// </summary>
    private async Task<bool> HasAnyAsync(BatchPath batch, IReadOnlyList<string> statuses, CancellationToken cancellationToken)
    {
        Page<ItemAnswer> page = await routes.ListItemsAsync(batch, statuses, 1, null, cancellationToken).ConfigureAwait(false);
        return page.Items!.Length > 0;
    }

    private async Task<long?> TryCountAsync(BatchPath batch, IReadOnlyList<string> statuses, CancellationToken cancellationToken)
    {
        try
        {
            return await routes.CountItemsAsync(batch, statuses, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            routes.Logger.LogInformation("The items of batch {BatchId} could not be counted: {Reason}", batch.BatchId, e.Message);
            return null;
        }
    }

    private void WarnOnce(string what, string? word)
    {
        string shown = routes.Door.Word(word) ?? "nothing";
        if (routes.Connection.Memory.TryAdd($"unknown state of {what} {shown}", shown))
            routes.Logger.LogWarning(
                "ICA reports a state of a {What} that this version does not know: {Word}. It is treated as running.",
                what,
                shown
            );
    }
}
