using IngestTools.Connections;
using IngestTools.Scheduler.Loads;
using IngestTools.Scheduler.Store;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Runs;

/// <summary>Looks at what was submitted until it has ended. It only looks, so it may be done by anybody at any time, and again.</summary>
internal sealed class RunFollower(RunJournal journal, RunTimeouts timeouts, TimeProvider time)
{
    /// <summary>As they were last seen. The list is never changed, only replaced: who stops them reads it meanwhile.</summary>
    private volatile Transaction[] _seen = [];
    private volatile ITransactionSource? _source;
    private DateTimeOffset _lastGood = time.GetUtcNow();
    private DateTimeOffset? _refusedSince;

    /// <param name="load">The load that was submitted.</param>
    /// <param name="connection">The connection it went over.</param>
    /// <param name="stop">The run was stopped before it was followed: its transactions are stopped, where that is possible.</param>
    /// <param name="cancellationToken">Cancels the polling. The server's work continues.</param>
    public async Task<LoadEnd> FollowAsync(
        ILoad load,
        IngestConnection connection,
        CancellationToken stop,
        CancellationToken cancellationToken
    )
    {
        ITransactionSource source = TransactionSources.For(connection, journal.Log, load.Run.Journal);
        // A stop that finds a source stops all that it finds here, so these come first.
        _seen = journal.Run.TransactionIds.Distinct(StringComparer.Ordinal).Select(load.Resume).ToArray();
        _source = source;
        await journal.WriteAsync(journal.Run with { Status = RunStatus.Running }, cancellationToken);
        if (stop.IsCancellationRequested)
            await StopIfPossibleAsync(cancellationToken);
        TimeSpan longest = source.LongestPause;
        for (TimeSpan pause = PollPause.First; ; pause = PollPause.Next(pause, longest))
        {
            if (await LookAsync(cancellationToken) is { } unknown)
                return unknown;
            if (_seen.All(HasEnded))
                break;
            await Task.Delay(timeouts.PollInterval ?? PollPause.WithJitter(pause), time, cancellationToken);
        }

        foreach (Transaction transaction in _seen)
            await TellAsync(transaction, cancellationToken);
        return EndOf(_seen);
    }

    /// <summary>Stops what runs, where the service can.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_source is not { } source)
            throw new IngestException(ErrorId.Conflict, $"{journal.Run.Id} is just being taken up.")
            {
                Operation = "stop",
                Advice = "Try again in a moment.",
                Target = journal.Run.Id,
            };
        foreach (Transaction transaction in _seen.Where(transaction => !HasEnded(transaction)))
        {
            await source.StopAsync(transaction, cancellationToken);
            journal.Log.LogInformation("{Transaction} was asked to stop.", transaction.Id);
        }
    }

    private async Task StopIfPossibleAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StopAsync(cancellationToken);
        }
        catch (IngestException e)
        {
            journal.Log.LogWarning("What was submitted continues to run. {Reason}", e.Message);
        }
    }

    /// <summary>Looks once at all that go on; an end where it makes no sense to look any longer.</summary>
    private async Task<LoadEnd?> LookAsync(CancellationToken cancellationToken)
    {
        Transaction[] going = _seen.Where(transaction => !HasEnded(transaction)).ToArray();
        if (going.Length == 0)
            return null;
        try
        {
            foreach (Look look in await _source!.LookAsync(going, cancellationToken))
            {
                if (look.Error is not null)
                    throw look.Error;
                _seen = [.. _seen.Select(transaction => transaction.Id == look.Transaction.Id ? look.Transaction : transaction)];
            }

            _lastGood = time.GetUtcNow();
            _refusedSince = null;
            await NoteProgressAsync(cancellationToken);
            return null;
        }
        catch (IngestException e)
        {
            bool passes =
                e.IsTransient
                || e.ErrorId is ErrorId.NotSignedIn or ErrorId.NotAllowed or ErrorId.SecretUnavailable or ErrorId.InsecureConnection;
            DateTimeOffset now = time.GetUtcNow();
            if (!passes)
                _refusedSince ??= now;
            journal.Log.LogWarning("It continues to run, and cannot be read right now. {Reason}", e.Message);
            if ((passes || now - _refusedSince < timeouts.Refusals) && now - _lastGood < timeouts.Outage)
                return null;
            return new LoadEnd(
                RunStatus.Unknown,
                $"It was submitted, and how it ended cannot be found out: {e.Message} Look at it with Get-Transaction "
                    + $"{string.Join(", ", _seen.Select(transaction => transaction.Id))}."
            );
        }
    }

    /// <summary>Writes how far it has come, where that is news.</summary>
    private async Task NoteProgressAsync(CancellationToken cancellationToken)
    {
        StoredRun now = Counted(journal.Run);
        if (now != journal.Run)
            await journal.WriteAsync(now, cancellationToken);
    }

    private StoredRun Counted(StoredRun run) =>
        run with
        {
            Completed = _seen.Any(transaction => transaction.Completed is not null)
                ? _seen.Sum(transaction => transaction.Completed ?? 0)
                : null,
            Total = _seen.All(transaction => transaction.Total is not null) ? _seen.Sum(transaction => transaction.Total) : null,
            Unit = _seen[0].Unit,
            Message = _seen.Length == 1 ? _seen[0].Message : run.Message,
        };

    private async Task TellAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        if (transaction.Status == TransactionStatus.Succeeded)
            return;
        long count = 0;
        try
        {
            await foreach (FailedItem item in _source!.ReadFailedItemsAsync(transaction, cancellationToken))
            {
                if (++count <= TransactionWaiter.MostItemsTold)
                    journal.Log.LogWarning("{Item} failed: {Reason}.", item.Item, item.Reason.TrimEnd('.'));
            }
        }
        catch (IngestException e)
        {
            journal.Log.LogWarning("What failed in {Transaction} cannot be listed: {Reason}", transaction.Id, e.Message);
        }

        if (count > TransactionWaiter.MostItemsTold)
            journal.Log.LogWarning(
                "{Count:N0} failed in {Transaction}, of which {Told} are listed here. All: {Command}",
                count,
                transaction.Id,
                TransactionWaiter.MostItemsTold,
                _source!.ListCommand(transaction)
            );
    }

    /// <summary>One that was only read from its id stands as Unknown, and nobody has looked yet.</summary>
    private static bool HasEnded(Transaction transaction) => transaction is { IsTerminal: true, SeenAt: not null };

    private static LoadEnd EndOf(Transaction[] ended)
    {
        RunStatus[] all = ended.Select(transaction => StatusOf(transaction.Status)).Distinct().ToArray();
        RunStatus status =
            all.Length == 1 ? all[0]
            : all.Contains(RunStatus.Unknown) ? RunStatus.Unknown
            : RunStatus.PartlySucceeded;
        string[] said = ended
            .Where(transaction =>
                transaction.Message is not null && (ended.Length == 1 || transaction.Status != TransactionStatus.Succeeded)
            )
            .Select(transaction => ended.Length == 1 ? transaction.Message! : $"{transaction.Id}: {transaction.Message}")
            .ToArray();
        return new LoadEnd(status, said.Length == 0 ? null : string.Join(' ', said));
    }

    private static RunStatus StatusOf(TransactionStatus status) =>
        status switch
        {
            TransactionStatus.Succeeded => RunStatus.Succeeded,
            TransactionStatus.PartlySucceeded => RunStatus.PartlySucceeded,
            TransactionStatus.Failed => RunStatus.Failed,
            TransactionStatus.Canceled => RunStatus.Canceled,
            _ => RunStatus.Unknown,
        };
}
