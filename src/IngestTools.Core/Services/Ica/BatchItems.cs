using System.Runtime.CompilerServices;

namespace IngestTools.Services.Ica;

/// <summary>Reads the items of a batch page by page, one page in memory at a time.</summary>
internal sealed class BatchItems(IcaRoutes routes)
{
    /// <summary>What other clients of the service use; its documentation names neither a default nor a limit.</summary>
    public const int DefaultPageSize = 1000;

    /// <exception cref="IngestException">A page could not be had; the message says after how many items.
    /// <see cref="ErrorId.InvalidAnswer"/>: the pages go round in a circle.</exception>
    public async IAsyncEnumerable<LinkingBatchItem> ReadAsync(
        BatchPath batch,
        IReadOnlyList<string> statuses,
        int pageSize,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        HashSet<string> tokens = new(StringComparer.Ordinal);
        long given = 0;
        string? token = null;
        do
        {
            Page<ItemAnswer> page = await ReadPageAsync(batch, statuses, pageSize, token, given, cancellationToken).ConfigureAwait(false);
            foreach (ItemAnswer item in page.Items!)
            {
                given++;
                yield return Describe(batch, item);
            }

            // The last page has no token, a null one, or an empty one.
            token = string.IsNullOrEmpty(page.NextPageToken) ? null : page.NextPageToken;
            if (token is not null && !tokens.Add(token))
                throw Circle(batch, given);
        } while (token is not null);
    }

    public async Task<LinkingBatchItem> GetAsync(BatchPath batch, string itemId, CancellationToken cancellationToken) =>
        Describe(batch, await routes.GetItemAsync(batch.ProjectId, batch.BatchId, itemId, cancellationToken).ConfigureAwait(false));

    private async Task<Page<ItemAnswer>> ReadPageAsync(
        BatchPath batch,
        IReadOnlyList<string> statuses,
        int pageSize,
        string? token,
        long given,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await routes.ListItemsAsync(batch, statuses, pageSize, token, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (token is not null)
        {
            throw e.With(
                message: $"The items of batch {batch.BatchId} broke off after {given:N0} items: {e.Message}",
                advice: "What was read until there is right. Read again for the rest."
            );
        }
    }

    private LinkingBatchItem Describe(BatchPath batch, ItemAnswer item) =>
        new()
        {
            ProjectId = batch.ProjectId,
            BatchId = batch.BatchId,
            ItemId = item.Id,
            DataId = item.Request?.DataId,
            Status = routes.Door.Word(item.Processing?.Status),
            Reason = routes.Door.Words(item.Processing?.AdditionalStatusInformation),
            Connection = routes.Connection.Name,
            Server = routes.Connection.Server,
        };

    private static IngestException Circle(BatchPath batch, long given) =>
        new(
            ErrorId.InvalidAnswer,
            $"The pages of the items of batch {batch.BatchId} go round in a circle: after {given:N0} items the server named a page "
                + $"that was read before."
        )
        {
            Service = IngestService.Ica,
            Operation = "list items",
            Advice = "What was read until there is right, and may not be all. Try again later, or with another -PageSize.",
            Target = batch.BatchId,
        };
}
