using System.Data.Common;
using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Store;

/// <summary>The run was taken by another daemon, which took this one for dead. Nothing more may be done for it here.</summary>
internal sealed class RunTakenException(StoredRun run) : Exception($"{run.Id} was taken by another node.");

/// <summary>
/// Where a run stands, in the store before anything follows from it. A store that cannot be written is waited for: what was submitted must
/// not be forgotten, and what cannot be noted must not be submitted.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="run">The run as it is.</param>
/// <param name="hostOf">The host that a connection goes to.</param>
/// <param name="lease">How long daemons wait for each other.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Takes what cannot be written.</param>
internal sealed class RunJournal(
    SchedulerStore store,
    StoredRun run,
    Func<string, string> hostOf,
    TimeSpan lease,
    TimeProvider time,
    ILogger logger
)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Uploads may be many a second: one that comes so soon after the last question is sent without another.</summary>
    private static readonly TimeSpan HeldFor = TimeSpan.FromSeconds(1);

    /// <summary>When it was last asked for, and granted; uploads ask from several threads.</summary>
    private long _heldAt;

    public StoredRun Run { get; private set; } = run;

    /// <summary>Takes what happens into the run's log and the daemon's.</summary>
    public RunLog Log { get; } = new(store, run, time, logger);

    /// <summary>Writes where the run stands; nothing is done before that.</summary>
    /// <exception cref="RunTakenException">Another daemon has it.</exception>
    public async Task WriteAsync(StoredRun now, CancellationToken cancellationToken)
    {
        await RepeatAsync(now, () => store.WriteRunAsync(now, cancellationToken), cancellationToken);
        Run = now;
    }

    /// <summary>Writes how the run ended, and with it the run that repeats it.</summary>
    /// <returns>The run that repeats it; null where none does.</returns>
    /// <exception cref="RunTakenException">Another daemon has it.</exception>
    public async Task<StoredRun?> EndAsync(StoredRun now, CancellationToken cancellationToken)
    {
        StoredRun? retry = null;
        await RepeatAsync(now, WriteAsync, cancellationToken);
        Run = now;
        return retry;

        async Task<bool> WriteAsync()
        {
            (bool written, retry) = await store.EndRunAsync(now, time.GetUtcNow(), hostOf, cancellationToken);
            return written;
        }
    }

    /// <summary>The newest earlier run of the schedule that had items; null where none had, or where it was of another path.</summary>
    public async Task<StoredRun?> FindEarlierWithItemsAsync(CancellationToken cancellationToken) =>
        await store.FindRunWithItemsAsync(Run.Key, Run.Number, cancellationToken) is { } earlier && earlier.Load.Path == Run.Load.Path
            ? earlier
            : null;

    /// <summary>Keeps what a load has to remember; nothing is done before that.</summary>
    /// <exception cref="RunTakenException">Another daemon has it.</exception>
    public async Task RememberAsync(string marker, CancellationToken cancellationToken)
    {
        await RepeatAsync(Run, () => store.WriteMarkerAsync(Run.Number, marker, cancellationToken), cancellationToken);
        Run = Run with { Marker = marker };
    }

    /// <summary>
    /// Right before a request that changes something: makes sure that the run is still this daemon's, and stays so for as long as daemons
    /// wait for each other. This daemon may have been stopped for a while (a suspended machine, SIGSTOP), and another may have taken the
    /// run over.
    /// <para>What remains possible: more than half the time after which a daemon is taken for dead goes by between the question and the
    /// moment in which the kernel has the request, because the daemon is stopped right there, or makes a connection for so long while the
    /// store cannot be reached. No database can keep that request from the network. The other daemon has looked into the run by then, and
    /// found nothing: it has called it unknown, or sent it again where that does no harm (DSP-INGEST takes up nothing twice, ICA links
    /// nothing twice).</para>
    /// </summary>
    /// <exception cref="RunTakenException">Another daemon has it, or may take it at any time.</exception>
    public async ValueTask HoldAsync(OperationKind kind, CancellationToken cancellationToken)
    {
        long held = Interlocked.Read(ref _heldAt);
        // A store that is not shared is locked for the daemon's life, so nobody takes its runs: there it is only once more made sure before
        // what cannot be repeated.
        if (
            kind == OperationKind.Repeatable
            && (!store.Dialect.IsShared || (held != 0 && time.GetElapsedTime(held) < Shorter(HeldFor, lease / 2)))
        )
            return;
        long asked;
        do
        {
            // Reckoned from before the question: the store's own reckoning begins later.
            asked = time.GetTimestamp();
            await RepeatAsync(Run, () => store.HoldRunAsync(Run.Number, cancellationToken), cancellationToken);
        } while (time.GetElapsedTime(asked) >= lease / 2);
        Interlocked.Exchange(ref _heldAt, asked);
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private async Task RepeatAsync(StoredRun now, Func<Task<bool>> write, CancellationToken cancellationToken)
    {
        for (TimeSpan pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                if (await write())
                    return;
                throw new RunTakenException(now);
            }
            catch (DbException e)
            {
                logger.LogError(
                    "{Run} of '{Name}' cannot be noted as {Status}{Transactions}; it is tried again in {Pause:0} s. {Reason}",
                    now.Id,
                    now.Name,
                    now.Status,
                    now.TransactionIds.Count == 0 ? "" : $" with {string.Join(", ", now.TransactionIds)}",
                    pause.TotalSeconds,
                    e.Message
                );
                await Task.Delay(pause, time, cancellationToken);
            }
        }
    }
}

/// <summary>A run's log: lines for people, in the store for as long as the run is, and in the daemon's log.</summary>
internal sealed class RunLog(SchedulerStore store, StoredRun run, TimeProvider time, ILogger logger) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information && logLevel != LogLevel.None || logger.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        if (!IsEnabled(logLevel))
            return;
        string message = formatter(state, exception);
        logger.Log(logLevel, "{Run} of '{Name}': {Message}", run.Id, run.Name, message);
        if (logLevel >= LogLevel.Information)
            Keep(logLevel, message);
    }

    /// <summary>A line more or less must not hold a run up, so one that cannot be kept is left to the daemon's log.</summary>
    private void Keep(LogLevel level, string message)
    {
        try
        {
            store.WriteLogAsync(run.Number, time.GetUtcNow(), level.ToString(), message, CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (DbException e)
        {
            logger.LogDebug("A line of {Run} was not kept: {Reason}", run.Id, e.Message);
        }
    }
}
