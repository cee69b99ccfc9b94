using System.Globalization;
using IngestTools.Http;
using IngestTools.Journal;
using IngestTools.Transactions;

namespace IngestTools.Services.Voss;

/// <summary>
/// Starts a load, or the making of a schedule. The server keeps workbooks by name and loads whatever has the name, as often as it is asked;
/// so what is known here of the workbook is checked before.
/// </summary>
internal sealed class BulkLoadStart(VossRoutes routes, IIngestJournal journal, BulkLoadRequest request, TransactionKind kind)
{
    private readonly Hierarchy _hierarchy = Hierarchy.Parse(request.Hierarchy);

    /// <summary>The hierarchy that the rows go to.</summary>
    public Hierarchy Hierarchy => _hierarchy;

    private string Server => routes.Connection.Uri.AbsoluteUri;

    private JournalPlace Place => new(IngestService.Voss, Server, _hierarchy.Value);

    private bool IsLoad => kind == TransactionKind.BulkLoad;

    /// <summary>Records the start, checks it, and sends it.</summary>
    /// <param name="planned">The transaction as far as it is known before.</param>
    /// <param name="send">Sends the request.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="IngestException">
    /// <see cref="ErrorId.NameCollision"/>: another workbook has the name now. <see cref="ErrorId.AlreadyDone"/>: the same content was
    /// loaded before. And those of the request.
    /// </exception>
    public async Task<Transaction> RunAsync(Transaction planned, Func<Task<Transaction>> send, CancellationToken cancellationToken)
    {
        UploadedWorkbook? newest = FindNewest();
        RefuseReplaced(newest);
        string? sha256 = request.Sha256 ?? newest?.Sha256;
        JournaledStart start = new()
        {
            Kind = kind,
            Place = Place,
            Connection = routes.Connection.Name,
            Transaction = planned with { Id = PendingStarts.NoId },
            Sha256 = sha256,
            ManualCheck =
                $"The answer to the start was never seen. Check in VOSS's transaction "
                + $"log{(IsLoad ? "" : " and its list of schedules")} for a detail with '{Name}'. "
                + $"If there is none, start it again{(IsLoad ? " with -Again" : "")}.",
        };
        return await journal.StartAsync(start, send, routes.Logger, AdmitNewestAsync).ConfigureAwait(false);

        async Task AdmitNewestAsync(long key)
        {
            await AdmitAsync(key, sha256, cancellationToken).ConfigureAwait(false);
            // It takes requests to find out how earlier loads ended, and the workbook may have been replaced meanwhile.
            UploadedWorkbook? now = FindNewest();
            RefuseReplaced(now);
            if (request.Path is null && now?.Sha256 != newest?.Sha256)
            {
                throw Error(
                    ErrorId.NameCollision,
                    $"'{Name}' is not loaded: another workbook was uploaded under this name while the start was checked.",
                    "Start it again."
                );
            }
        }
    }

    private string Name => Redaction.EscapeControls(request.FileName);

    /// <summary>The workbook that has the name now, as far as it is known; null where it was uploaded from elsewhere.</summary>
    private UploadedWorkbook? FindNewest()
    {
        // The session also knows what was sent without the journal.
        UploadedWorkbook? inSession = UploadedWorkbooks.Of(routes.Connection).Find(request.FileName);
        if (journal.FindUpload(IngestService.Voss, Server, request.FileName) is not { } upload)
            return inSession;
        UploadedWorkbook inJournal = new(upload.File?.Path, upload.File?.Sha256, upload.SentAt);
        return inSession?.SentAt > inJournal.SentAt ? inSession : inJournal;
    }

    private void RefuseReplaced(UploadedWorkbook? newest)
    {
        if (newest is null || request.Path is null)
            return;
        bool isSame =
            request.Sha256 is not null && newest.Sha256 is not null ? request.Sha256 == newest.Sha256 : request.Path == newest.Path;
        if (isSame)
            return;
        string other = newest.Path is null || newest.Path == request.Path ? "a later version of it" : Redaction.EscapeControls(newest.Path);
        throw Error(
            ErrorId.NameCollision,
            $"{Redaction.EscapeControls(request.Path)} is not loaded: {other} was uploaded after it under the same name, '{Name}', so "
                + $"that the server would load that one.",
            "Upload both with -UniqueName of Send-IngestFile, and load them then."
        );
    }

    /// <summary>
    /// Refuses what was loaded before, or is being loaded. Older records alone count, so that of two that start the same at once one goes
    /// through.
    /// </summary>
    private async Task AdmitAsync(long key, string? sha256, CancellationToken cancellationToken)
    {
        if (!IsLoad || sha256 is null)
            return;
        TransactionQuery same = new()
        {
            Place = Place,
            Sha256 = sha256,
            IncludesEnded = true,
        };
        List<JournaledTransaction> loads =
        [
            .. journal.ReadTransactions(same).Where(t => t.Key < key && t.Transaction.Kind == TransactionKind.BulkLoad),
        ];
        // The user wants a schedule to load the same content each time it is due. From its first load on, only a load that is under way
        // prevents the next one.
        bool isRepeated = loads.Exists(IsOfSameSchedule);
        foreach (JournaledTransaction earlier in loads.Where(load => !IsOfSameSchedule(load)))
        {
            if (request.Again)
                Settle(earlier);
            else if (
                await FindRefusalAsync(earlier, cancellationToken).ConfigureAwait(false) is var (why, isUnderWay)
                && (isUnderWay || !isRepeated)
            )
                throw AlreadyDone(earlier, why);
        }
    }

    private bool IsOfSameSchedule(JournaledTransaction earlier) =>
        journal.Origin is { } origin && earlier.Origin?.Schedule == origin.Schedule;

    /// <summary>The user has looked at a start whose answer was never seen, and decided. A schedule has not looked.</summary>
    private void Settle(JournaledTransaction earlier)
    {
        if (earlier.State == StartState.Lost && journal.Origin is null)
            journal.EndStart(earlier.Key, earlier.Describe());
    }

    /// <summary>
    /// Why a load forbids another one of the same content, and whether it is under way; null where it does not, since it failed or was
    /// canceled.
    /// </summary>
    private async Task<(string Why, bool IsUnderWay)?> FindRefusalAsync(JournaledTransaction earlier, CancellationToken cancellationToken)
    {
        Transaction seen =
            earlier.State == StartState.Started
                ? await TryLookAsync(earlier.Transaction, cancellationToken).ConfigureAwait(false)
                : earlier.Describe();
        return (earlier.State, seen.Status) switch
        {
            (StartState.Lost, _) => ("was sent before, and its answer was never seen", false),
            (StartState.Starting, _) => ("is being started by another process", true),
            (_, TransactionStatus.Failed or TransactionStatus.Canceled) => null,
            (_, TransactionStatus.Succeeded) => ("was loaded before", false),
            (_, TransactionStatus.PartlySucceeded) => ("was loaded before, in part", false),
            (_, TransactionStatus.Queued or TransactionStatus.Running) => ("is being loaded", true),
            _ => ("was started before, and how it ended is not known", false),
        };
    }

    /// <summary>It may have failed since it was last seen. Where that cannot be found out, it stands as it was.</summary>
    private async Task<Transaction> TryLookAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        try
        {
            return await TransactionSources
                .For(routes.Connection, routes.Logger, journal)
                .LookAsync(transaction, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotFound)
        {
            return transaction with { Status = TransactionStatus.Unknown };
        }
        catch (IngestException)
        {
            return transaction;
        }
    }

    private IngestException AlreadyDone(JournaledTransaction earlier, string why)
    {
        string when = earlier.Transaction.SubmittedAt is { } submitted
            ? string.Create(CultureInfo.InvariantCulture, $" on {submitted.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC")
            : "";
        return Error(
            ErrorId.AlreadyDone,
            $"'{Name}' is not loaded into {_hierarchy}: a workbook of the same content {why} ({earlier.Transaction.Id}{when}).",
            earlier.State == StartState.Lost
                ? $"{earlier.ManualCheck}"
                : $"Get-Transaction {earlier.Transaction.Id} shows how it stands. To load it once more, use "
                    + $"-Again{(journal.Origin is null ? "" : " of Register-BulkLoadSchedule")}."
        );
    }

    private IngestException Error(ErrorId errorId, string message, string advice) =>
        new(errorId, message)
        {
            Service = IngestService.Voss,
            Operation = IsLoad ? "start bulk load" : "schedule bulk load",
            Advice = advice,
            Target = request.FileName,
        };
}
