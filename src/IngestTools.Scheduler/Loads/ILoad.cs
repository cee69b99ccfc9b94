using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Loads;

/// <summary>What a kind of load does in each step of a run. One is made for each run, and again when a run is taken up.</summary>
internal interface ILoad
{
    /// <summary>
    /// Does what may be done any number of times: reads the input, uploads. Where there is nothing to load, <see cref="LoadRun.EndEarly"/>
    /// is told.
    /// </summary>
    Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Submits what is not submitted yet, each between <see cref="LoadRun.SubmittingAsync"/> and <see cref="LoadRun.SubmittedAsync"/>.
    /// </summary>
    Task SubmitAsync(CancellationToken cancellationToken);

    /// <summary>Whether all is submitted.</summary>
    bool IsSubmitted => Run.Record.TransactionIds.Count > 0;

    /// <summary>
    /// Asks the server what became of a request whose answer nobody has. Where it was taken, <see cref="LoadRun.SubmittedAsync"/> is told.
    /// </summary>
    Task<Finding> LookIntoAsync(CancellationToken cancellationToken);

    /// <summary>A transaction with what is remembered of it.</summary>
    Transaction Resume(string transactionId) => Transactions.TransactionSources.Parse(transactionId).Transaction;

    /// <summary>Does what is to be done when all has ended. It may be done again.</summary>
    Task FinishAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>What somebody can look at where it cannot be known what the server did.</summary>
    string WhatToLookAt { get; }

    /// <summary>The run it is for.</summary>
    LoadRun Run { get; }
}

/// <summary>What a look at the server found about a request whose answer was lost.</summary>
internal enum Finding
{
    /// <summary>It took it; its transaction is noted.</summary>
    Submitted,

    /// <summary>It did not, or sending it again changes nothing.</summary>
    NotSubmitted,

    /// <summary>It does not tell.</summary>
    Unknown,
}

/// <summary>How a load ended.</summary>
/// <param name="Status">Where its run stands then.</param>
/// <param name="Message">What there is to say about it, for a person.</param>
internal sealed record LoadEnd(RunStatus Status, string? Message);

/// <summary>A run, as a load sees it.</summary>
internal sealed class LoadRun(RunJournal journal, ISpool spool, IngestConnection connection, IIngestJournal sent)
{
    public LoadDefinition Load => Record.Load;

    public StoredRun Record => journal.Run;

    public IngestConnection Connection => connection;

    /// <summary>What this account sent and started before.</summary>
    public IIngestJournal Journal => sent;

    public ILogger Log => journal.Log;

    /// <summary>How it ends where there is nothing to submit, and why; null where there is something.</summary>
    public LoadEnd? EndEarly { get; set; }

    /// <summary>What fails now is not tried again in this run.</summary>
    public bool IsLastTry { get; set; }

    /// <summary>The newest earlier run of the schedule that had items of the same path; null where none had.</summary>
    public Task<StoredRun?> FindEarlierWithItemsAsync(CancellationToken cancellationToken) =>
        journal.FindEarlierWithItemsAsync(cancellationToken);

    /// <summary>The input: the copy that was made at registration, else the path that was given.</summary>
    public Task<string> GetInputAsync(string path, CancellationToken cancellationToken) =>
        Record.Spool is { } name ? spool.GetAsync(name, cancellationToken) : Task.FromResult(path);

    /// <summary>The run is to pause: its daemon ends, or somebody stops it.</summary>
    public CancellationToken Pausing { get; init; }

    /// <summary>Files are being sent. A run of which a part was submitted stays submitted.</summary>
    public Task UploadingAsync(long? done, long? total, string? unit, CancellationToken cancellationToken) =>
        journal.WriteAsync(
            Record with
            {
                Status = Record.StatusBeforeSubmitting,
                Completed = done,
                Total = total,
                Unit = unit,
            },
            cancellationToken
        );

    /// <summary>Keeps what has to be remembered. It is kept before the next step begins.</summary>
    public Task RememberAsync(string marker, CancellationToken cancellationToken) => journal.RememberAsync(marker, cancellationToken);

    /// <summary>Notes that now comes what must not be done twice. A stop that came meanwhile is in time.</summary>
    /// <param name="remoteName">The name by which it can be looked for.</param>
    /// <param name="cancellationToken">Ends the note, and with it the run here.</param>
    /// <exception cref="OperationCanceledException">It is to pause, and nothing was sent.</exception>
    public async Task SubmittingAsync(string? remoteName, CancellationToken cancellationToken)
    {
        await journal.WriteAsync(
            Record with
            {
                Status = RunStatus.Submitting,
                RemoteName = remoteName ?? Record.RemoteName,
            },
            cancellationToken
        );
        if (!Pausing.IsCancellationRequested)
            return;
        await journal.WriteAsync(Record with { Status = Record.StatusBeforeSubmitting }, cancellationToken);
        Pausing.ThrowIfCancellationRequested();
    }

    /// <summary>Records in the journal what a start of this run became whose answer was not seen.</summary>
    /// <param name="found">The transaction that was found.</param>
    public void RecordFound(Transaction found) => RecordFound(_ => found);

    /// <inheritdoc cref="RecordFound(Transaction)"/>
    /// <param name="describe">Makes the transaction that was found of what is known of its start.</param>
    public void RecordFound(Func<Transaction, Transaction> describe) =>
        Resolve(static _ => true, start => sent.EndStart(start.Key, describe(start.Transaction)));

    /// <summary>Records in the journal that the server did not take a start of this run whose answer was not seen.</summary>
    public void RecordNotTaken() => Resolve(static start => start.State == StartState.Lost, start => sent.CancelStart(start.Key));

    /// <summary>Notes what the server took. Nothing cancels that: who ends meanwhile waits for it as long as it can.</summary>
    public async Task SubmittedAsync(string transactionId)
    {
        // Told first: where the store cannot be written, the daemon's log has it.
        Log.LogInformation("Submitted: {Transaction}.", transactionId);
        await journal.WriteAsync(
            Record with
            {
                Status = RunStatus.Submitted,
                TransactionIds = [.. Record.TransactionIds, transactionId],
                Completed = null,
                Total = null,
            },
            CancellationToken.None
        );
    }

    /// <summary>
    /// A run that is on its way is not held up by a journal that cannot be written: what it lacks is listed as a start whose answer was not
    /// seen.
    /// </summary>
    private void Resolve(Func<JournaledTransaction, bool> isMeant, Action<JournaledTransaction> record)
    {
        try
        {
            foreach (
                JournaledTransaction start in sent.ReadTransactions(new TransactionQuery { Run = Record.DueKey })
                    .Where(start => start.State is StartState.Starting or StartState.Lost)
                    .Where(isMeant)
            )
                record(start);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.JournalUnavailable)
        {
            Log.LogWarning("What became of the start could not be recorded: {Reason}", e.Message);
        }
    }
}
