using System.Globalization;
using IngestTools.Services.Ica;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Loads;

/// <summary>
/// ICA: links the data of a file of ids into a project, batch by batch. The file is a copy that does not change, so the batches are the
/// same each time it is read, and of those that were taken it is enough to know how many.
/// </summary>
internal sealed class LinkingBatchLoad(LoadRun run) : ILoad
{
    private const string Done = "done";

    private const int MostBadIdsTold = 100;

    private readonly IcaClient _client = new(run.Connection, run.Log, run.Journal);
    private readonly Dictionary<string, Transaction> _started = new(StringComparer.Ordinal);
    private string? _path;
    private long _badIds;

    public LoadRun Run => run;

    public bool IsSubmitted => MarkerPart(0) == Done;

    public string WhatToLookAt =>
        $"Look at the jobs of ICA. Start-BulkLoadSchedule '{run.Record.Name}' sends it again, which does no harm: what is linked by "
        + $"then ends as ALREADY_LINKED.";

    /// <summary>Ids that were left out: counted here, or by the node that had the run before.</summary>
    private long BadIds =>
        _badIds > 0 ? _badIds
        : long.TryParse(MarkerPart(1), NumberStyles.None, CultureInfo.InvariantCulture, out long kept) ? kept
        : 0;

    private int BatchesTaken => run.Record.TransactionIds.Count;

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await run.UploadingAsync(null, null, null, cancellationToken);
        _path = await run.GetInputAsync(run.Load.DataIdPath!, cancellationToken);
        await _client.PrepareAsync(cancellationToken);
        // All are read, so that all ids that are none are told.
        int batches = ReadBatches(isTold: true).Count();
        if (batches == 0 && BadIds > 0)
            throw NotOfData($"None of the {BadIds:N0} lines of {run.Load.DataIdPath} is an id of data, so nothing was linked.");
        if (batches == 0)
            run.EndEarly = new LoadEnd(RunStatus.Succeeded, $"{run.Load.DataIdPath} has no ids, so nothing was linked.");
    }

    public async Task SubmitAsync(CancellationToken cancellationToken)
    {
        foreach (LinkingBatchContent batch in ReadBatches(isTold: false).Skip(BatchesTaken))
        {
            run.Pausing.ThrowIfCancellationRequested();
            await RememberAsync(DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture), cancellationToken);
            await run.SubmittingAsync(null, cancellationToken);
            await foreach (LinkingResult result in _client.StartAsync(batch, cancellationToken: cancellationToken))
            {
                if (result.Error is not null)
                    throw result.Error;
                await KeepAsync(result.Transaction!);
            }
        }

        await RememberAsync(Done, cancellationToken);
    }

    /// <summary>
    /// The jobs show a batch that was taken. One that they do not show is sent again: what is linked twice is linked once.
    /// </summary>
    public async Task<Finding> LookIntoAsync(CancellationToken cancellationToken)
    {
        _path ??= await run.GetInputAsync(run.Load.DataIdPath!, cancellationToken);
        if (!DateTimeOffset.TryParse(MarkerPart(0), CultureInfo.InvariantCulture, out DateTimeOffset sent))
            return Finding.Unknown;
        if (ReadBatches(isTold: false).Skip(BatchesTaken).FirstOrDefault() is not { } batch)
            return Finding.Unknown;
        if (await _client.FindBatchAsync(batch, DateTimeOffset.UtcNow - sent, cancellationToken) is not { } found)
            return Finding.NotSubmitted;
        run.RecordFound(found);
        await KeepAsync(found);
        return Finding.Submitted;
    }

    public Transaction Resume(string transactionId) =>
        _started.GetValueOrDefault(transactionId) ?? Transactions.TransactionSources.Parse(transactionId).Transaction;

    public Task FinishAsync(CancellationToken cancellationToken) =>
        BadIds == 0
            ? Task.CompletedTask
            : throw NotOfData($"{BadIds:N0} lines of {run.Load.DataIdPath} are not data ids, and were not sent.");

    private IngestException NotOfData(string message) =>
        new(ErrorId.ItemFailed, message)
        {
            Service = IngestService.Ica,
            Operation = "link",
            Advice = BadIds <= MostBadIdsTold ? "The run's log lists them." : $"The run's log lists the first {MostBadIdsTold}.",
        };

    /// <summary>Keeps how far it is, or when the next batch is sent, and how many ids are none.</summary>
    private Task RememberAsync(string step, CancellationToken cancellationToken) =>
        run.RememberAsync(string.Create(CultureInfo.InvariantCulture, $"{step} {BadIds}"), cancellationToken);

    private string? MarkerPart(int index) => run.Record.Marker?.Split(' ').ElementAtOrDefault(index);

    private async Task KeepAsync(Transaction transaction)
    {
        _started[transaction.Id] = transaction;
        await run.SubmittedAsync(transaction.Id);
    }

    private IEnumerable<LinkingBatchContent> ReadBatches(bool isTold)
    {
        LinkingBatchCollector collector = new(run.Load.ProjectId!, logger: isTold ? run.Log : null);
        _badIds = isTold ? 0 : _badIds;
        foreach (string id in new DataIdFile(_path!).Read())
        {
            IngestException? error = collector.Add(id, out LinkingBatchContent? full);
            if (error is not null && isTold && ++_badIds <= MostBadIdsTold)
                run.Log.LogWarning("{Reason}", error.Message);
            if (full is not null)
                yield return full;
        }

        if (collector.Finish() is { } rest)
            yield return rest;
    }
}
