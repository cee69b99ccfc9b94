using System.Runtime.CompilerServices;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Transactions;
using IngestTools.Uploads;

namespace IngestTools.Services.DspIngest;

/// <summary>
/// Bulk ingests as transactions. The server has no id for a run: a project has one run at most, and the mapping's status tells whether it
/// is still running.
/// </summary>
internal sealed class BulkIngestTransactions(BulkIngestRoutes routes, IIngestJournal journal) : ITransactionSource
{
    /// <summary>What is said of a start whose answer was never seen, while the project's lock is held.</summary>
    private const string BusyMessage =
        "The answer to the start was never seen, and the project is busy: with this run, or with a call of somebody else. The mapping "
        + "shows which, when the project is free.";

    public static Transaction Describe(Shortcode shortcode, IngestConnection? connection) =>
        new()
        {
            Id = $"dsp:{shortcode}",
            Kind = TransactionKind.BulkIngest,
            Status = TransactionStatus.Unknown,
            Unit = "files",
            Shortcode = shortcode.Value,
            Connection = connection?.Name,
            Server = connection?.Uri.AbsoluteUri,
        };

    /// <remarks>
    /// DSP-INGEST, GET /projects/{shortcode}/bulk-ingest/mapping.csv: 409 during a run, 200 once it has ended, 404 where there is
    /// nothing.
    /// </remarks>
    public async Task<Transaction> LookAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        Shortcode shortcode = Shortcode.Parse(transaction.Shortcode);
        BulkIngestRun? run = transaction.Expectation as BulkIngestRun;
        Transaction seen = transaction with
        {
            SeenAt = routes.Time.GetUtcNow(),
            Connection = routes.Connection.Name,
            Server = routes.Connection.Uri.AbsoluteUri,
        };
        ProjectState state = await routes.ProbeAsync(shortcode, cancellationToken).ConfigureAwait(false);
        if (run is null && FindStart(shortcode) is { } start)
            return await LookByJournalAsync(shortcode, seen, start, state, cancellationToken).ConfigureAwait(false);
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
                Message =
                    "The project is idle and has a mapping. Which files should be in it is known only where they were uploaded: "
                    + "compare with Get-IngestMapping -Uploaded.",
            },
            (_, not null) => Ended(seen) with
            {
                Status = TransactionStatus.Failed,
                ServerStatus = "404",
                Message =
                    "The run ended without a mapping: it died before its first file, or the project was finalized meanwhile. The "
                    + "server's log says which.",
            },
            _ => Ended(seen) with
            {
                Status = TransactionStatus.Unknown,
                ServerStatus = "404",
                Message = "The project has no mapping: no bulk ingest was started, or it was finalized.",
            },
        };
    }

    public async IAsyncEnumerable<FailedItem> ReadFailedItemsAsync(
        Transaction transaction,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
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
        throw new IngestException(
            ErrorId.CannotCancel,
            $"DSP-INGEST cannot stop a bulk ingest; that of project {transaction.Shortcode} continues to run."
        )
        {
            Service = IngestService.DspIngest,
            Operation = "stop bulk ingest",
            Advice = "Wait for its end with Wait-Transaction.",
            Target = transaction.Id,
        };

    private Transaction Ended(Transaction seen) => seen with { CompletedAt = seen.CompletedAt ?? routes.Time.GetUtcNow() };

    private async Task<Transaction> CompareAsync(
        Shortcode shortcode,
        Transaction seen,
        BulkIngestRun run,
        CancellationToken cancellationToken
    )
    {
        UploadedNames leftOvers;
        try
        {
            leftOvers = await run.CompareAsync(new MappingDownload(routes, shortcode).ReadAsync(cancellationToken), ReadChecksumAsync)
                .ConfigureAwait(false);
            await RecordAsync(shortcode, leftOvers, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.Locked)
        {
            // The run has ended, and before its mapping was read another call took the lock.
            return seen with
            {
                Status = TransactionStatus.Running,
                ServerStatus = "409",
                Message = "The project's lock is held by another call.",
            };
        }

        return Result(shortcode, seen, leftOvers.Count, run.Total, run.Note);

        Task<string?> ReadChecksumAsync(string derivative) => routes.TryGetChecksumAsync(shortcode, derivative, cancellationToken);
    }

    private Transaction Result(Shortcode shortcode, Transaction seen, long leftOver, long total, string? note) =>
        Ended(seen) with
        {
            Status =
                leftOver == 0 ? TransactionStatus.Succeeded
                : leftOver < total ? TransactionStatus.PartlySucceeded
                : TransactionStatus.Failed,
            ServerStatus = "200",
            Completed = total - leftOver,
            Total = total,
            Message =
                leftOver == 0
                    ? note
                    : $"{leftOver:N0} of {Quantity.Of(total, "file")} {(leftOver == 1 ? "was" : "were")} left over. Start-BulkIngest "
                        + $"-Shortcode {shortcode} tries {(leftOver == 1 ? "it" : "them")} again.{(note is null ? "" : " " + note)}",
        };

    /// <summary>The start of this project's run that is recorded and has not been seen ended; null where there is none.</summary>
    private JournaledTransaction? FindStart(Shortcode shortcode) =>
        journal.ReadTransactions(new TransactionQuery { Place = ProjectJournal.PlaceOf(routes, shortcode), Last = 1 })
            is [JournaledTransaction newest]
            ? newest
            : null;

    /// <summary>A run that was started by another process, as far as the journal and the mapping show it.</summary>
    private async Task<Transaction> LookByJournalAsync(
        Shortcode shortcode,
        Transaction seen,
        JournaledTransaction start,
        ProjectState state,
        CancellationToken cancellationToken
    )
    {
        Transaction known = start.Transaction with { SeenAt = seen.SeenAt, Connection = seen.Connection, Server = seen.Server };
        using IPlaceJournal place = journal.OpenPlace(start.Place);
        ProjectJournal project = new(routes, shortcode, journal, place);
        if (state == ProjectState.Locked || await project.RefreshAsync(cancellationToken).ConfigureAwait(false) is not { } now)
            return known with
            {
                Status = TransactionStatus.Running,
                ServerStatus = "409",
                Message = start.State == StartState.Started ? known.Message : BusyMessage,
            };
        if (start.State == StartState.Starting)
            return known with { Status = TransactionStatus.Running, Message = "Another process is starting it." };
        if (start.State != StartState.Started && now.Rows <= (start.Before?.Rows ?? 0))
        {
            return Ended(known) with
            {
                Status = TransactionStatus.Unknown,
                ServerStatus = state == ProjectState.HasMapping ? "200" : "404",
                Message =
                    $"The answer to the start was never seen, and the project's mapping shows no run. Start-BulkIngest -Shortcode "
                    + $"{shortcode} starts it again, and does no harm if it ran.",
            };
        }

        if (now.Rows == 0 && state == ProjectState.NoMapping)
        {
            return Ended(known) with
            {
                Status = TransactionStatus.Unknown,
                ServerStatus = "404",
                Message =
                    "The project has no mapping: the run died before its first file, or the project was finalized meanwhile. The "
                    + "server's log says which.",
            };
        }

        long leftOver = project.RecordLeftOvers(start.LastJob);
        return Result(shortcode, known, leftOver, Math.Max(known.Total ?? 0, leftOver), note: null);
    }

    /// <summary>Records what became of the files of a run.</summary>
    private async Task RecordAsync(Shortcode shortcode, UploadedNames leftOvers, CancellationToken cancellationToken)
    {
        if (!journal.IsOn)
            return;
        using IPlaceJournal place = journal.OpenPlace(ProjectJournal.PlaceOf(routes, shortcode));
        ProjectJournal project = new(routes, shortcode, journal, place);
        await project.RefreshAsync(cancellationToken).ConfigureAwait(false);
        project.RecordLeftOvers(leftOvers.Read());
    }
}
