using IngestTools.Scheduling;
using IngestTools.Services.LakeFs;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Loads;

/// <summary>lakeFS: imports a source into a branch, and follows the import. Its commit carries the run's own mark.</summary>
internal sealed class ImportLoad(LoadRun run) : ILoad
{
    /// <summary>The metadata by which the commit of a run is found.</summary>
    private const string MarkName = "ingesttools_run";

    /// <summary>An import without an id can only be waited for by its commit: most have one within this time.</summary>
    private static readonly TimeSpan CommitTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan CommitPause = TimeSpan.FromSeconds(2);

    private readonly LakeFsClient _client = new(run.Connection, run.Log, run.Journal);
    private ImportPlan? _plan;
    private Transaction? _started;

    public LoadRun Run => run;

    public string WhatToLookAt =>
        $"lakeFS lists no imports. Look whether {Place} gets a commit with the metadata {MarkName} = {run.Record.DueKey}; if none "
        + $"comes, Start-BulkLoadSchedule '{run.Record.Name}' runs it.";

    private string Place => $"{run.Load.Repository}/{run.Load.Branch}";

    public async Task PrepareAsync(CancellationToken cancellationToken) =>
        _plan = await PlanAsync(_client, run.Load, run.Record.DueKey, run.Log, cancellationToken);

    /// <summary>Looks at all that an import needs, and at what it would replace. Nothing is started.</summary>
    /// <exception cref="IngestException">It cannot be, or would take away what lies beside its destination.</exception>
    public static async Task<ImportPlan> PlanAsync(
        LakeFsClient client,
        LoadDefinition load,
        string mark,
        ILogger log,
        CancellationToken cancellationToken
    )
    {
        ImportRequest request = new()
        {
            Repository = load.Repository!,
            Branch = load.Branch!,
            Sources = [new ImportSource(load.Source!, load.Destination ?? "")],
            Message = load.Message,
            MinimumObjects = load.MinimumObjects,
            Metadata = new Dictionary<string, string> { [MarkName] = mark },
        };
        ImportPlan plan = await client.PrepareAsync(request, countsAll: false, cancellationToken);
        if (plan.Errors.Count > 0)
            throw plan.Errors[0];
        foreach (ImportReplacement replacement in plan.Replacements.Where(replacement => replacement.IsSurprising))
        {
            if (!replacement.IsWholeBranch)
                throw Surprising(load, replacement);
            log.LogWarning("On {Repository}/{Branch} the import replaces {What}.", load.Repository, load.Branch, replacement.Describe());
        }

        return plan;
    }

    public async Task SubmitAsync(CancellationToken cancellationToken)
    {
        await run.SubmittingAsync(null, cancellationToken);
        _started = await _client.StartAsync(_plan!, cancellationToken);
        await run.SubmittedAsync(_started.Id);
    }

    public async Task<Finding> LookIntoAsync(CancellationToken cancellationToken)
    {
        for (TimeSpan waited = TimeSpan.Zero; waited < CommitTimeout; waited += CommitPause)
        {
            if (
                await _client.FindCommitAsync(run.Load.Repository!, run.Load.Branch!, MarkName, run.Record.DueKey, cancellationToken) is
                { } commit
            )
            {
                string found = $"The answer to its start was lost; its commit {commit} is on {Place}.";
                run.EndEarly = new LoadEnd(RunStatus.Succeeded, found);
                run.RecordFound(start => start with { Status = TransactionStatus.Succeeded, CommitId = commit, Message = found });
                return Finding.Submitted;
            }

            await Task.Delay(CommitPause, cancellationToken);
        }

        return Finding.Unknown;
    }

    public Transaction Resume(string transactionId) => _started ?? LakeFsClient.Resume(transactionId, run.Load.MinimumObjects);

    /// <summary>Nobody is there to be asked.</summary>
    private static IngestException Surprising(LoadDefinition load, ImportReplacement replacement) =>
        new(ErrorId.Rejected, $"The import would replace, on {load.Repository}/{load.Branch}, {replacement.Describe()}.")
        {
            Service = IngestService.LakeFs,
            Operation = "import",
            Advice = "Give a -Destination that ends with a slash.",
            Target = load.Destination,
        };
}
