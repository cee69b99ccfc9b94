using System.Globalization;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Scheduler.Loads;
using IngestTools.Scheduler.Store;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Runs;

/// <summary>
/// Takes one run from where it stands to its end: prepare, submit once, follow. A run that was taken up after a crash begins in the middle:
/// what is only prepared is prepared again, what may have been submitted is looked into, what was submitted is followed.
/// </summary>
internal sealed class RunWorker : IDisposable
{
    private readonly RunJournal _journal;
    private readonly ISpool _spool;
    private readonly SavedConnections _connections;
    private readonly RunTimeouts _timeouts;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly RunFollower _follower;
    private readonly bool _isTakenUp;

    /// <summary>Set while it is looked into what became of a request whose answer nobody has.</summary>
    private volatile bool _looks;

    /// <summary>Nothing more will be submitted: from here it is only followed.</summary>
    private volatile bool _isSubmitted;

    private DateTimeOffset _looksSince;
    private IngestException? _cause;
    private IngestException? _trouble;

    public RunWorker(
        StoredRun run,
        bool isTakenUp,
        SchedulerStore store,
        ISpool spool,
        SavedConnections connections,
        RunTimeouts timeouts,
        TimeProvider time,
        ILogger logger
    )
    {
        _journal = new RunJournal(store, run, connections.HostOf, timeouts.Lease, time, logger);
        _isTakenUp = isTakenUp;
        if (run.Status == RunStatus.Submitting)
            Look(null, time.GetUtcNow());
        _spool = spool;
        _connections = connections;
        _timeouts = timeouts;
        _time = time;
        _follower = new RunFollower(_journal, timeouts, time);
    }

    /// <summary>The run as it is now.</summary>
    public StoredRun Run => _journal.Run;

    private ILogger Log => _journal.Log;

    /// <summary>
    /// Runs until the end of the run, or until the daemon ends; then the run stays as it is noted, and is taken up again later.
    /// </summary>
    /// <param name="ending">The daemon ends.</param>
    /// <param name="ended">The daemon cannot wait any longer.</param>
    public async Task RunAsync(CancellationToken ending, CancellationToken ended)
    {
        using CancellationTokenSource pausing = CancellationTokenSource.CreateLinkedTokenSource(ending, _stop.Token);
        try
        {
            await RunStepsAsync(pausing.Token, ending, ended);
        }
        catch (RunTakenException e)
        {
            Log.LogWarning("{Reason}", e.Message);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            Log.LogInformation("The scheduler ends; the run stays {Status}, and is taken up at the next start.", Run.Status);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            if (Run.IsOut)
                await EndAsync(RunStatus.Unknown, $"It was stopped half way. {WhereToLook()}", ended);
            else
                await EndAsync(RunStatus.Canceled, "It was stopped before anything was submitted.", ended);
        }
        catch (IngestException e)
        {
            string words = Words(e);
            bool isToBeNamed = Run.TransactionIds.Count > 0 && !words.Contains(WhereToLook(), StringComparison.Ordinal);
            await EndAsync(StatusOf(e), isToBeNamed ? $"{words} {WhereToLook()}" : words, ended);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Log.LogError(e, "The run failed unexpectedly.");
            bool isOut = Run.IsOut;
            await EndAsync(
                isOut ? RunStatus.Unknown : RunStatus.Failed,
                $"It failed unexpectedly: {e.Message}{(isOut ? " " + WhereToLook() : "")}",
                ended
            );
        }
    }

    /// <summary>
    /// Stops the run: at once where nothing was submitted, at the service where it can be. Where parts were taken, no more are sent; while
    /// it is looked into what the server took, nobody looks any longer.
    /// </summary>
    /// <exception cref="IngestException"><see cref="ErrorId.CannotCancel"/>, <see cref="ErrorId.Conflict"/> and what the service
    /// says.</exception>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_isSubmitted)
            await _follower.StopAsync(cancellationToken);
        else if (_looks || Run.Status != RunStatus.Submitting)
            await _stop.CancelAsync();
        else
            throw new IngestException(ErrorId.Conflict, $"{Run.Id} is just being submitted, which cannot be taken back half way.")
            {
                Operation = "stop",
                Advice = "Try again in a moment.",
                Target = Run.Id,
            };
    }

    public void Dispose() => _stop.Dispose();

    private async Task RunStepsAsync(CancellationToken pausing, CancellationToken ending, CancellationToken ended)
    {
        using IngestConnection connection = Make(() => SavedConnections.Open(_connections.FindForRun(Run.Load), Log));
        connection.AskBeforeChange(_journal.HoldAsync);
        using IIngestJournal journal = IngestJournal.Open(origin: new StartOrigin(Run.Key, Run.DueKey));
        LoadRun run = new(_journal, _spool, connection, journal) { Pausing = pausing };
        ILoad load = Make(() => LoadKinds.Create(run));
        TellBeginning();
        if (!Run.IsOut || _looks || !load.IsSubmitted)
            await SubmitOrStopAsync(load, pausing, ending, ended);
        _isSubmitted = true;
        if (run.EndEarly is { } early)
            await EndAsync(early.Status, early.Message, ended);
        else
            await FollowAsync(load, connection, ending, ended);
    }

    /// <summary>Makes what a run needs. Where it cannot be made, what may be at the server already has not failed for that.</summary>
    private T Make<T>(Func<T> make)
    {
        try
        {
            return make();
        }
        catch (IngestException e) when (Run.IsOut)
        {
            throw new IngestException(ErrorId.OutcomeUnknown, $"What became of it cannot be looked into: {Words(e)}", e)
            {
                Operation = "follow",
                Advice = WhereToLook(),
            };
        }
    }

    /// <summary>Where somebody finds what was submitted, as far as it is noted.</summary>
    private string WhereToLook() =>
        Run.TransactionIds.Count > 0
            ? $"It was submitted: look at it with Get-Transaction {string.Join(", ", Run.TransactionIds)}."
            : $"It may have been submitted: look at the service behind the connection "
                + $"'{Run.Load.Connection}'{(Run.RemoteName is null ? "" : $" for '{Run.RemoteName}'")} before it is started again.";

    private void TellBeginning()
    {
        if (_isTakenUp)
        {
            Log.LogWarning(
                "Taken up on {Node}, as a scheduler that ended left it: {Status}{Transactions}.",
                Run.Node,
                Run.Status,
                Run.TransactionIds.Count == 0 ? "" : $" with {string.Join(", ", Run.TransactionIds)}"
            );
            return;
        }

        if (Run.RetryOf is { } first)
            Log.LogInformation("It is attempt {Attempt} of run:{First}, which failed.", Run.Attempt, first);
        TimeSpan late = Run.StartedAt > Run.DueAt ? Run.StartedAt.Value - Run.DueAt : TimeSpan.Zero;
        Log.LogInformation(
            "Begins on {Node}: {Kind} over {Connection}, due at {Due:u}, {Late:0.0} s late.",
            Run.Node,
            Run.Load.Kind,
            Run.Load.Connection,
            Run.DueAt.UtcDateTime,
            late.TotalSeconds
        );
    }

    /// <summary>
    /// Submits, unless it is stopped meanwhile. A stop holds back what was not sent. What the server has taken continues, and is followed.
    /// </summary>
    private async Task SubmitOrStopAsync(ILoad load, CancellationToken pausing, CancellationToken ending, CancellationToken ended)
    {
        try
        {
            await SubmitAsync(load, pausing, ended);
        }
        catch (OperationCanceledException) when (Run.IsOut && _stop.IsCancellationRequested && !ending.IsCancellationRequested)
        {
            IngestException stopped = _looks || Run.TransactionIds.Count == 0 ? Stopped(load) : StoppedBetween();
            if (Run.TransactionIds.Count == 0)
                throw stopped;
            Log.LogWarning("{Reason}", stopped.Message);
            _trouble = stopped;
        }
    }

    /// <summary>
    /// Submits, after it was found out what became of an earlier try. Only what certainly did not reach the server, or does no harm twice,
    /// is tried again.
    /// </summary>
    private async Task SubmitAsync(ILoad load, CancellationToken pausing, CancellationToken ended)
    {
        DateTimeOffset began = _time.GetUtcNow();
        for (int tries = 0; ; tries++)
        {
            try
            {
                if (_looks)
                {
                    await LookIntoAsync(load, pausing);
                    if (load.IsSubmitted || load.Run.EndEarly is not null)
                        return;
                    _looks = false;
                }

                load.Run.IsLastTry = tries >= _timeouts.RetryPauses.Count;
                await load.PrepareAsync(pausing);
                if (load.Run.EndEarly is not null)
                    return;
                pausing.ThrowIfCancellationRequested();
                await load.SubmitAsync(ended);
                return;
            }
            catch (IngestException e) when (!_looks && e.ErrorId == ErrorId.OutcomeUnknown && tries < _timeouts.RetryPauses.Count)
            {
                Log.LogWarning("{Reason}", e.Message);
                Look(e, _time.GetUtcNow());
            }
            catch (IngestException e)
                when (e.IsTransient && (_looks ? _time.GetUtcNow() - began < _timeouts.Outage : tries < _timeouts.RetryPauses.Count))
            {
                TimeSpan pause = _timeouts.RetryPauses[Math.Min(tries, _timeouts.RetryPauses.Count - 1)];
                string what =
                    _looks ? "Whether it was submitted cannot be found out right now"
                    : Run.TransactionIds.Count > 0 ? "Nothing more was submitted"
                    : "Nothing was submitted";
                // Whoever takes the run up from here, or stops it, need not look into what is known. The status comes before the line that
                // people read.
                if (!_looks && Run.Status == RunStatus.Submitting)
                    await _journal.WriteAsync(Run with { Status = Run.StatusBeforeSubmitting }, ended);
                Log.LogWarning("{What}; it is tried again in {Pause}. {Reason}", what, pause, Words(e));
                await Task.Delay(pause, _time, pausing);
            }
            catch (IngestException e) when (Run.TransactionIds.Count > 0)
            {
                // What was taken goes on, and its end is worth knowing.
                Log.LogError("Not all was submitted. {Reason}", Words(e));
                _trouble = _looks ? CannotKnow(load, e) : e;
                return;
            }
            catch (IngestException e) when (_looks && e.ErrorId != ErrorId.OutcomeUnknown)
            {
                throw CannotKnow(load, e);
            }
        }
    }

    /// <summary>Asks what became of a request whose answer nobody has.</summary>
    private async Task LookIntoAsync(ILoad load, CancellationToken cancellationToken)
    {
        Finding finding = await load.LookIntoAsync(cancellationToken);
        Log.LogInformation("Whether the server took it was looked into: {Finding}.", finding);
        if (finding == Finding.Unknown)
            throw CannotKnow(load, _cause);
        if (finding == Finding.NotSubmitted)
            load.Run.RecordNotTaken();
    }

    private void Look(IngestException? cause, DateTimeOffset since) => (_cause, _looksSince, _looks) = (cause, since, true);

    /// <summary>Somebody stopped what may have been submitted.</summary>
    private IngestException Stopped(ILoad load) =>
        new(
            ErrorId.OutcomeUnknown,
            _looks
                ? $"It was stopped while it was looked into, since {_looksSince:u}, whether the server took what had been sent."
                : "It was stopped as it was submitted, and whether the server took it is not known.",
            _cause
        )
        {
            Operation = "submit",
            Advice = load.WhatToLookAt,
        };

    /// <summary>Somebody stopped it between two parts.</summary>
    private IngestException StoppedBetween() =>
        new(ErrorId.Conflict, $"It was stopped after {string.Join(", ", Run.TransactionIds)} had been submitted.") { Operation = "submit" };

    private static IngestException CannotKnow(ILoad load, IngestException? cause) =>
        new(
            ErrorId.OutcomeUnknown,
            $"It was about to be submitted, or had just been, and whether the server took it cannot be "
                + $"known{(cause is null ? "" : $": {cause.Message.TrimEnd('.')}")}.",
            cause
        )
        {
            Operation = "submit",
            Advice = load.WhatToLookAt,
        };

    private async Task FollowAsync(ILoad load, IngestConnection connection, CancellationToken ending, CancellationToken ended)
    {
        LoadEnd end = await _follower.FollowAsync(load, connection, _stop.Token, ending);
        string? unsaved = await FinishAsync(load, ending);
        RunStatus status = end.Status;
        string? message = end.Message;
        if (_trouble is not null)
        {
            status =
                _trouble.ErrorId == ErrorId.OutcomeUnknown ? RunStatus.Unknown
                : end.Status is RunStatus.Succeeded or RunStatus.PartlySucceeded ? RunStatus.PartlySucceeded
                : end.Status;
            message = $"Not all was submitted: {Words(_trouble)} {message}".TrimEnd();
        }

        if (unsaved is not null)
        {
            status = status == RunStatus.Succeeded ? RunStatus.PartlySucceeded : status;
            message = $"{message} {unsaved}".TrimStart();
        }

        await EndAsync(status, message, ended);
    }

    /// <summary>What comes after the end; where it fails, what to say about it.</summary>
    private async Task<string?> FinishAsync(ILoad load, CancellationToken cancellationToken)
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                await load.FinishAsync(cancellationToken);
                return null;
            }
            catch (IngestException e) when (e.IsTransient && tries < _timeouts.RetryPauses.Count)
            {
                Log.LogWarning("It is tried again in {Pause}. {Reason}", _timeouts.RetryPauses[tries], Words(e));
                await Task.Delay(_timeouts.RetryPauses[tries], _time, cancellationToken);
            }
            catch (IngestException e)
            {
                Log.LogError("{Reason}", Words(e));
                return Words(e);
            }
        }
    }

    private async Task EndAsync(RunStatus status, string? message, CancellationToken cancellationToken)
    {
        StoredRun? retry;
        try
        {
            retry = await _journal.EndAsync(
                Run with
                {
                    Status = status,
                    Message = message,
                    CompletedAt = _time.GetUtcNow(),
                },
                cancellationToken
            );
        }
        catch (RunTakenException e)
        {
            Log.LogWarning("{Reason}", e.Message);
            return;
        }

        LogLevel level =
            status is RunStatus.Succeeded or RunStatus.Canceled ? LogLevel.Information
            : status == RunStatus.PartlySucceeded ? LogLevel.Warning
            : LogLevel.Error;
        Log.Log(
            level,
            "{Status} after {Elapsed}{Counts}{Transactions}.{Message}",
            status,
            Elapsed(),
            Run.Completed is { } done ? $", {done:N0}{(Run.Total is { } all ? $" of {all:N0}" : "")} {Run.Unit}" : "",
            Run.TransactionIds.Count == 0 ? "" : $", {string.Join(", ", Run.TransactionIds)}",
            message is null ? "" : " " + message
        );
        if (retry is not null)
            Log.LogWarning("It is run again as {Run} at {At:u}, attempt {Attempt}.", retry.Id, retry.DueAt.UtcDateTime, retry.Attempt);
    }

    private string Elapsed()
    {
        TimeSpan elapsed = Run.CompletedAt - Run.StartedAt ?? TimeSpan.Zero;
        return elapsed < TimeSpan.FromMinutes(1)
            ? string.Create(CultureInfo.InvariantCulture, $"{elapsed.TotalSeconds:0.0} s")
            : elapsed.ToString(elapsed < TimeSpan.FromDays(1) ? @"h\:mm\:ss" : @"d\.hh\:mm\:ss", CultureInfo.InvariantCulture);
    }

    private RunStatus StatusOf(IngestException error) =>
        error.ErrorId == ErrorId.OutcomeUnknown ? RunStatus.Unknown
        : Run.TransactionIds.Count > 0 || Run.Status is RunStatus.Submitted or RunStatus.Running ? RunStatus.Unknown
        : RunStatus.Failed;

    private static string Words(IngestException error) => $"{error.Message} {error.Advice}";
}
