using System.Runtime.CompilerServices;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.Voss;

/// <summary>
/// Bulk loads and schedules as transactions. A wait polls, many at once; a look at one follows its parts down to the rows that failed.
/// </summary>
internal sealed class BulkLoadTransactions(VossRoutes routes, IIngestJournal journal) : ITransactionSource
{
    private readonly TransactionPolls _polls = new(routes);

    public bool LooksTogether => true;

    public static Transaction Describe(string pkid, IngestConnection? connection = null) =>
        new()
        {
            Id = $"voss:{Uri.EscapeDataString(pkid)}",
            Kind = TransactionKind.BulkLoad,
            Status = TransactionStatus.Unknown,
            Unit = "rows",
            TransactionId = pkid,
            Connection = connection?.Name,
            Server = connection?.Uri.AbsoluteUri,
        };

    /// <remarks>VOSS Automate, GET /api/tool/Transaction/[pkid]/, and the same for the parts of it that hold rows.</remarks>
    public async Task<Transaction> LookAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        BulkLoadReport report = await BulkLoadReport.ReadAsync(routes, PkidOf(transaction), cancellationToken).ConfigureAwait(false);
        Transaction seen = Describe(transaction, report.Answer);
        return OfKind(seen, report.Parts.Select(part => part.Action).ToArray()) with
        {
            Completed = seen.Total is null && report.RowsLoaded > 0 ? report.RowsLoaded : seen.Completed,
            SubTransactions = report.Parts,
            Log = report.Log,
        };
    }

    /// <summary>A transaction of which only the id was known turns out to be the making of a schedule.</summary>
    private static Transaction OfKind(Transaction transaction, IReadOnlyCollection<string?> actions) =>
        BulkLoadReport.MakesSchedule(actions) ? transaction with { Kind = TransactionKind.Schedule, Unit = null } : transaction;

    /// <remarks>
    /// VOSS Automate, GET /api/tool/Transaction/poll/; an ended transaction is then read itself, since a poll does not say how it ended.
    /// </remarks>
    public async Task<IReadOnlyList<Look>> LookAsync(IReadOnlyList<Transaction> transactions, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transactions);
        IReadOnlyDictionary<string, PollResult> polled = await _polls
            .PollAsync(transactions.Select(t => new PollTarget(PkidOf(t), t.Hierarchy)).ToArray(), cancellationToken)
            .ConfigureAwait(false);
        List<Look> looks = new(transactions.Count);
        foreach (Transaction transaction in transactions)
            looks.Add(await LookAsync(transaction, polled[PkidOf(transaction)], cancellationToken).ConfigureAwait(false));
        return looks;
    }

    /// <summary>
    /// The rows that failed, in their order; of many, the reasons of the first are read and of the others their state alone.
    /// </summary>
    public async IAsyncEnumerable<FailedItem> ReadFailedItemsAsync(
        Transaction transaction,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        BulkLoadReport report = await BulkLoadReport.ReadAsync(routes, PkidOf(transaction), cancellationToken).ConfigureAwait(false);
        foreach (SubTransaction row in report.FailedRows)
        {
            if (!VossStatus.IsCanceled(row.Message))
                yield return new FailedItem(
                    NameOf(row),
                    row.Message?.TrimEnd('.', ' ') ?? $"the server says {row.ServerStatus}, and no reason"
                );
        }
    }

    public string ListCommand(Transaction transaction) =>
        $"(Get-Transaction {transaction.Id}).SubTransactions | Where-Object Status -eq Failed";

    /// <remarks>VOSS Automate documents no address to cancel at; a transaction offers what can be done with it.</remarks>
    public async Task<Transaction> StopAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        const string Cancel = "cancel";
        string pkid = PkidOf(transaction);
        TransactionAnswer answer = await routes.ReadTransactionAsync(pkid, cancellationToken).ConfigureAwait(false);
        Transaction seen = Describe(transaction, answer);
        if (seen.IsTerminal)
            throw CannotCancel(
                seen,
                $"{seen.Id} has ended as {seen.Status}; there is nothing to stop.",
                "Get-Transaction shows how it ended."
            );
        if (
            answer.Actions.FirstOrDefault(action => action.Key.StartsWith(Cancel, StringComparison.OrdinalIgnoreCase)).Value
            is not { } action
        )
            throw CannotCancel(
                seen,
                $"VOSS offers no action to cancel {seen.Id}. It continues to run.",
                "Cancel it in VOSS's portal, in the transaction's own view."
            );
        await routes.ActAsync(pkid, Cancel, action, cancellationToken).ConfigureAwait(false);
        TransactionAnswer after = await routes.ReadTransactionAsync(pkid, cancellationToken).ConfigureAwait(false);
        return Describe(transaction, after);
    }

    private static string PkidOf(Transaction transaction) => transaction.TransactionId!;

    private static string NameOf(SubTransaction row)
    {
        string? place = new RowPlace(row.Sheet, row.Row).Describe();
        return (place, row.Detail) switch
        {
            (null, null) => $"{row.Action ?? "Transaction"} {row.TransactionId}",
            (null, { } detail) => $"{row.Action} ({detail})".Trim(),
            _ => place,
        };
    }

    private static IngestException CannotCancel(Transaction transaction, string message, string advice) =>
        new(ErrorId.CannotCancel, message)
        {
            Service = IngestService.Voss,
            Operation = "cancel",
            Advice = advice,
            Target = transaction.Id,
        };

    private async Task<Look> LookAsync(Transaction transaction, PollResult result, CancellationToken cancellationToken)
    {
        if (result.Error is { } error)
            return new Look(transaction, error);
        TransactionStatus status = StatusOf(transaction, result.Entry!.Status);
        Transaction seen = transaction with
        {
            Status = status,
            ServerStatus = routes.Door.Word(result.Entry.Status),
            Connection = routes.Connection.Name,
            Server = routes.Connection.Uri.AbsoluteUri,
            SeenAt = routes.Time.GetUtcNow(),
        };
        if (!seen.IsTerminal)
            return new Look(seen);
        try
        {
            TransactionContent content = new(BulkLoadReport.TellsKind);
            TransactionAnswer answer = await routes
                .ReadTransactionAsync(PkidOf(transaction), content, cancellationToken)
                .ConfigureAwait(false);
            return new Look(OfKind(Describe(transaction, answer), content.Parts.Select(part => part.Action).ToArray()));
        }
        catch (IngestException e)
        {
            return new Look(transaction, e);
        }
    }

    private Transaction Describe(Transaction transaction, TransactionAnswer answer)
    {
        RowCount? rows = VossStatus.RowsOf(answer.Detail);
        TransactionStatus status = VossStatus.OfLoad(StatusOf(transaction, answer.Status), answer.Message, rows);
        DateTimeOffset now = routes.Time.GetUtcNow();
        Transaction seen = transaction with
        {
            Status = status,
            ServerStatus = answer.Status,
            Completed = rows?.Succeeded ?? transaction.Completed,
            Total = rows?.Total ?? transaction.Total,
            // That the schedule was made says less than when it will run.
            Message =
                transaction.ScheduledFor is not null && status == TransactionStatus.Succeeded
                    ? transaction.Message
                    : MessageOf(answer) ?? transaction.Message,
            Hierarchy = transaction.Hierarchy ?? answer.Hierarchy,
            SubmittedAt = answer.SubmittedTime ?? transaction.SubmittedAt,
            StartedAt = answer.StartedTime ?? transaction.StartedAt,
            Connection = routes.Connection.Name,
            Server = routes.Connection.Uri.AbsoluteUri,
            SeenAt = now,
        };
        if (!seen.IsTerminal)
            return seen;
        seen = seen with { CompletedAt = answer.CompletedTime ?? transaction.CompletedAt ?? now };
        RecordFile(seen);
        return seen;
    }

    /// <summary>
    /// Records what became of the workbook of a load that was started from here. While the load waits in the queue, its file must stay as
    /// it is.
    /// </summary>
    private void RecordFile(Transaction ended)
    {
        if (ended.Kind != TransactionKind.BulkLoad || ended.Status == TransactionStatus.Unknown || ended.FileName is null)
            return;
        string server = routes.Connection.Uri.AbsoluteUri;
        if (
            journal.ReadTransactions(
                new TransactionQuery
                {
                    Id = ended.Id,
                    Server = server,
                    IncludesEnded = true,
                    Last = 1,
                }
            )
            is not [{ Sha256: { } loaded }]
        )
            return;
        if (
            journal.FindUpload(IngestService.Voss, server, ended.FileName) is not { File: { State: FileState.Sent } file } upload
            || file.Sha256 != loaded
        )
            return;
        bool isLoaded = ended.Status is TransactionStatus.Succeeded or TransactionStatus.PartlySucceeded;
        using IPlaceJournal place = journal.OpenPlace(upload.Place);
        place.Write([file with { State = isLoaded ? FileState.Ingested : FileState.LeftOver }]);
    }

    private static string? MessageOf(TransactionAnswer answer) =>
        (answer.Message, answer.Detail) switch
        {
            (null, var detail) => detail,
            (var message, null) => message,
            var (message, detail) => $"{message.TrimEnd('.', ' ')}. {detail}",
        };

    /// <summary>A word that nobody knows never ends a wait.</summary>
    private TransactionStatus StatusOf(Transaction transaction, string? word)
    {
        if (VossStatus.Of(word) is { } known)
            return known;
        string shown = routes.Door.Word(word) ?? "nothing";
        if (routes.Connection.Memory.TryAdd($"voss status {shown}", shown))
            routes.Logger.LogWarning(
                "VOSS reports the status '{Status}' for {Id}, which is not known. It is treated as running.",
                shown,
                transaction.Id
            );
        return TransactionStatus.Running;
    }
}
