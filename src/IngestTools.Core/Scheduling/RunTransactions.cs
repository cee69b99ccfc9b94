using System.Globalization;
using IngestTools.Http;
using IngestTools.Transactions;

namespace IngestTools.Scheduling;

/// <summary>Runs of the daemon as transactions, so that they are waited for, looked at and stopped as all others are.</summary>
/// <param name="client">Asks the daemon.</param>
/// <param name="time">The clock; null for the system's.</param>
public sealed class RunTransactions(SchedulerClient client, TimeProvider? time = null) : ITransactionSource
{
    private const string Scheme = "run:";

    /// <summary>How an id of a run looks, for messages.</summary>
    internal const string IdForm = "run:12";

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>The daemon is on this machine, and a look costs it next to nothing.</summary>
    public TimeSpan LongestPause => TimeSpan.FromSeconds(5);

    /// <summary>Whether an id is that of a run of the daemon.</summary>
    /// <param name="id">A transaction's id.</param>
    public static bool IsRun(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return id.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The number in the daemon's store of a run.</summary>
    /// <param name="id">Its id: <c>run:12</c>, or the number.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is not the id of a run.</exception>
    public static long NumberOf(string id) =>
        long.TryParse(IsRun(id) ? id.AsSpan(Scheme.Length) : id, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw new IngestException(ErrorId.Rejected, $"'{Redaction.EscapeControls(id)}' is not an id of a run.")
            {
                Advice = $"An id looks like {IdForm}: Get-BulkLoadRun lists them.",
                Target = id,
            };

    /// <summary>The run as far as its id tells.</summary>
    /// <param name="id">Its id.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is not the id of a run.</exception>
    public static Transaction Parse(string id) =>
        new()
        {
            Id = Scheme + NumberOf(id).ToString(CultureInfo.InvariantCulture),
            Kind = TransactionKind.BulkLoad,
            Status = TransactionStatus.Unknown,
        };

    /// <summary>A run as a transaction.</summary>
    /// <param name="run">The run.</param>
    /// <param name="seenAt">When it was looked at.</param>
    public static Transaction Describe(BulkLoadRun run, DateTimeOffset seenAt)
    {
        ArgumentNullException.ThrowIfNull(run);
        TransactionStatus status = StatusOf(run.Status);
        return new Transaction
        {
            Id = run.Id,
            Kind = KindOf(run.Kind),
            Status = status,
            Server = run.Server,
            ServerStatus = run.Status.ToString() is var word && word == status.ToString() ? null : word,
            Completed = run.Completed,
            Total = run.Total,
            Unit = run.Unit,
            Message = run.Message,
            SubmittedAt = run.DueAt,
            StartedAt = run.StartedAt,
            CompletedAt = run.CompletedAt,
            SeenAt = seenAt,
            FileName = run.RemoteName,
            Log = run.Log,
        };
    }

    /// <inheritdoc/>
    public async Task<Transaction> LookAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        return Describe(await client.GetRunAsync(transaction.Id, cancellationToken).ConfigureAwait(false), _time.GetUtcNow());
    }

    /// <summary>None: a run's message says what failed, and its transactions name the items.</summary>
    /// <param name="transaction">The run.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public async IAsyncEnumerable<FailedItem> ReadFailedItemsAsync(
        Transaction transaction,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield break;
    }

    /// <inheritdoc/>
    public string ListCommand(Transaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        return $"(Get-BulkLoadRun -Id {transaction.Id}).Log";
    }

    /// <inheritdoc/>
    public async Task<Transaction> StopAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        return Describe(await client.StopRunAsync(transaction.Id, cancellationToken).ConfigureAwait(false), _time.GetUtcNow());
    }

    private static TransactionKind KindOf(LoadKind? kind) =>
        kind switch
        {
            LoadKind.BulkIngest => TransactionKind.BulkIngest,
            LoadKind.Import => TransactionKind.Import,
            LoadKind.LinkingBatch => TransactionKind.LinkingBatch,
            _ => TransactionKind.BulkLoad,
        };

    /// <summary>A run that was missed has done nothing of what it should.</summary>
    private static TransactionStatus StatusOf(RunStatus status) =>
        status switch
        {
            RunStatus.Planned => TransactionStatus.Queued,
            RunStatus.Uploading or RunStatus.Submitting or RunStatus.Submitted or RunStatus.Running => TransactionStatus.Running,
            RunStatus.Succeeded => TransactionStatus.Succeeded,
            RunStatus.PartlySucceeded => TransactionStatus.PartlySucceeded,
            RunStatus.Failed or RunStatus.Missed => TransactionStatus.Failed,
            RunStatus.Canceled => TransactionStatus.Canceled,
            RunStatus.Unknown => TransactionStatus.Unknown,
            _ => throw new ArgumentOutOfRangeException(nameof(status)),
        };
}
