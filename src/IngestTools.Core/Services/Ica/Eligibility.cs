namespace IngestTools.Services.Ica;

/// <summary>Asks, before a batch is sent, which of its ids can be linked.</summary>
internal sealed class Eligibility(IcaRoutes routes)
{
    /// <summary>Ids go into the address: a hundred make 4 KB of it, and proxies on the way often take no more than 8.</summary>
    private const int IdsInRequest = 100;

    /// <summary>Enough to hide latency without flooding the server.</summary>
    private const int MostRequestsAtOnce = 4;

    /// <summary>The ids that the service lists as eligible.</summary>
    public async Task<HashSet<string>> FindAsync(string projectId, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        HashSet<string> eligible = new(StringComparer.Ordinal);
        ParallelOptions how = new() { MaxDegreeOfParallelism = MostRequestsAtOnce, CancellationToken = cancellationToken };
        await Parallel
            .ForEachAsync(
                ids.Chunk(IdsInRequest),
                how,
                async (part, token) =>
                {
                    List<string> found = await FindPartAsync(projectId, part, token).ConfigureAwait(false);
                    lock (eligible)
                        eligible.UnionWith(found);
                }
            )
            .ConfigureAwait(false);
        return eligible;
    }

    private async Task<List<string>> FindPartAsync(string projectId, string[] ids, CancellationToken cancellationToken)
    {
        List<string> found = new(ids.Length);
        HashSet<string> tokens = new(StringComparer.Ordinal);
        string? token = null;
        do
        {
            Page<DataAnswer> page = await routes.ListEligibleAsync(projectId, ids, token, cancellationToken).ConfigureAwait(false);
            found.AddRange(page.Items!.Select(data => data.Id).OfType<string>());
            token = string.IsNullOrEmpty(page.NextPageToken) ? null : page.NextPageToken;
            if (token is not null && !tokens.Add(token))
                throw Circle(projectId, found.Count);
        } while (token is not null);
        return found;
    }

    private static IngestException Circle(string projectId, int count) =>
        new(
            ErrorId.InvalidAnswer,
            $"The pages of the data that is eligible for project {projectId} go round in a circle: after {count:N0} ids the server "
                + $"named a page that was read before."
        )
        {
            Service = IngestService.Ica,
            Operation = "list eligible data",
            Advice = "Try again later, or without asking first.",
            Target = projectId,
        };
}
