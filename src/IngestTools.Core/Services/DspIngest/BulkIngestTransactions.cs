using System.Runtime.CompilerServices;
using IngestTools.Transactions;
using IngestTools.Uploads;

namespace IngestTools.Services.DspIngest;

/// <summary>Bulk ingests as transactions. The server has no id for a run: a project has one run at most, and the mapping's status tells whether it goes on.</summary>
internal sealed class BulkIngestTransactions(BulkIngestRoutes routes) : ITransactionSource
{
    public static Transaction Describe(Shortcode shortcode, string? connection) => new()
    {
        Id = $"dsp:{shortcode}",
        Kind = TransactionKind.BulkIngest,
        Status = TransactionStatus.Unknown,
        Unit = "files",
        Shortcode = shortcode.Value,
        Connection = connection,
    };

    /// <remarks>DSP-INGEST, GET /projects/{shortcode}/bulk-ingest/mapping.csv: 409 while a run goes on, 200 once it has ended, 404 where there is nothing.</remarks>
    public async Task<Transaction> LookAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        Shortcode shortcode = Shortcode.Parse(transaction.Shortcode);
        BulkIngestRun? run = transaction.Expectation as BulkIngestRun;
        Transaction seen = transaction with { SeenAt = routes.Time.GetUtcNow(), Connection = routes.Connection.Name };
        ProjectState state = await routes.ProbeAsync(shortcode, cancellationToken).ConfigureAwait(false);
        return (state, run) switch
        {
            (ProjectState.Locked, _) => seen with
            {
                Status = TransactionStatus.Running,
                ServerStatus = "409",
                Message = run is null ? "The project's lock is held: by a bulk ingest, or by a short call such as an upload." : run.Note,
            },
            (ProjectState.HasMapping, not null) => await CompareAsync(shortcode, seen, run, cancellationToken).ConfigureAwait(false),
            (ProjectState.HasMapping, null) => Ended(seen) with
            {
                Status = TransactionStatus.Succeeded,
                ServerStatus = "200",
                Message = "The project is idle and has a mapping. Which files should be in it is known only where they were uploaded: compare with Get-IngestMapping -Uploaded.",
            },
            (_, not null) => Ended(seen) with
            {
                Status = TransactionStatus.Failed,
                ServerStatus = "404",
                Message = "The run ended without a mapping: it died before its first file, or the project was finalized meanwhile. The server's log says which.",
            },
            _ => Ended(seen) with
            {
                Status = TransactionStatus.Unknown,
                ServerStatus = "404",
                Message = "The project has no mapping: no bulk ingest was started, or it was finalized.",
            },
        };
    }

    public async IAsyncEnumerable<FailedItem> ReadFailedItemsAsync(Transaction transaction, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (transaction.Expectation is not BulkIngestRun { LeftOvers: { } leftOvers })
            yield break;
        foreach (string name in leftOvers.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return new FailedItem(name, "it was left over; the server's log says why, no route does");
        }

        await Task.CompletedTask.ConfigureAwait(false);
    }

    public string ListCommand(Transaction transaction) =>
        $"Get-IngestMapping -Shortcode {transaction.Shortcode} -Uploaded $results | Where-Object -Not Ingested";

    /// <summary>DSP-INGEST has no way to stop a run.</summary>
    public Task<Transaction> StopAsync(Transaction transaction, CancellationToken cancellationToken) =>
        throw new IngestException(ErrorId.CannotCancel, $"DSP-INGEST cannot stop a bulk ingest; that of project {transaction.Shortcode} goes on.")
        {
            Service = IngestService.DspIngest,
            Operation = "stop bulk ingest",
            Advice = "Wait for its end with Wait-Transaction.",
            Target = transaction.Id,
        };

    private Transaction Ended(Transaction seen) => seen with { CompletedAt = seen.CompletedAt ?? routes.Time.GetUtcNow() };

    private async Task<Transaction> CompareAsync(Shortcode shortcode, Transaction seen, BulkIngestRun run, CancellationToken cancellationToken)
    {
        UploadedNames leftOvers;
        try
        {
            leftOvers = await run.CompareAsync(new MappingDownload(routes, shortcode).ReadAsync(cancellationToken)).ConfigureAwait(false);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.Locked)
        {
            // The run has ended, and before its mapping was read another call took the lock.
            return seen with { Status = TransactionStatus.Running, ServerStatus = "409", Message = "The project's lock is held by another call." };
        }

        long leftOver = leftOvers.Count;
        long ingested = run.Uploads.Count - leftOver;
        string? message = leftOver == 0
            ? run.Note
            : $"{leftOver:N0} of {run.Uploads.Count:N0} files were left over. Start-BulkIngest -Shortcode {shortcode} tries them again.{(run.Note is null ? "" : " " + run.Note)}";
        return Ended(seen) with
        {
            Status = leftOver == 0 ? TransactionStatus.Succeeded : ingested > 0 ? TransactionStatus.PartlySucceeded : TransactionStatus.Failed,
            ServerStatus = "200",
            Completed = ingested,
            Total = run.Uploads.Count,
            Message = message,
        };
    }
}
