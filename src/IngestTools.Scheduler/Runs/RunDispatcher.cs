using System.Collections.Concurrent;
using System.Data.Common;
using IngestTools.Scheduler.Store;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Runs;

/// <summary>Gives waiting runs to workers: a limited number for each host, one for each schedule, the oldest first.</summary>
internal sealed class RunDispatcher(
    SchedulerStore store,
    ISpool spool,
    SavedConnections connections,
    DispatchSignal signal,
    SchedulerMeter meter,
    RunTimeouts timeouts,
    NodeOptions node,
    TimeProvider time,
    ILoggerFactory loggers
) : IDisposable
{
    /// <summary>What VOSS recommends as the most, and enough for the others.</summary>
    public const int PlacesOfHost = 4;

    /// <summary>So many runs at once, whatever their hosts: each holds a connection.</summary>
    private const int MostWorkers = 64;

    /// <summary>How often it looks for runs that another node planned.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<long, (RunWorker Worker, Task Work)> _workers = new();
    private readonly Dictionary<long, Task> _stops = [];
    private readonly ILogger _logger = loggers.CreateLogger("IngestTools.Scheduler.Run");
    private readonly CancellationTokenSource _ending = new();
    private readonly CancellationTokenSource _ended = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Takes up what was left, and begins to look for what waits.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await TakeOverAsync(cancellationToken);
        _loop = Task.Run(() => LoopAsync(_ending.Token), CancellationToken.None);
    }

    /// <summary>Takes over the runs of daemons that are no longer alive, and continues them.</summary>
    private async Task TakeOverAsync(CancellationToken cancellationToken)
    {
        // A run that another took from here while this daemon was stopped may still have a worker, in some pause, that does not know it. It
        // learns it before it does anything, unless the run were this daemon's again by then: so that one waits until its worker has ended.
        foreach (StoredRun run in await store.TakeOverAsync(node.DeadAfter, _workers.Keys, cancellationToken))
            await BeginAsync(run, isTakenUp: true, cancellationToken);
    }

    /// <summary>Stops a run of this node.</summary>
    /// <returns>False where this node does not have it.</returns>
    public async Task<bool> TryStopAsync(long number, CancellationToken cancellationToken)
    {
        if (!_workers.TryGetValue(number, out (RunWorker Worker, Task Work) found))
            return false;
        await found.Worker.StopAsync(cancellationToken);
        // One that nothing was submitted of ends at once, and its end is worth waiting for.
        if (!found.Worker.Run.IsOut)
            await found.Work.WaitAsync(LookInterval, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return true;
    }

    /// <summary>
    /// Goes on with runs of this node that a store which could not be written stopped. Only the loop begins runs, so none is begun twice.
    /// </summary>
    private async Task ReviveAsync(CancellationToken cancellationToken)
    {
        foreach (StoredRun run in await store.ReadOwnAsync(cancellationToken))
        {
            if (!_workers.ContainsKey(run.Number))
                await BeginAsync(run, isTakenUp: true, cancellationToken);
        }
    }

    /// <summary>Stops what was asked to stop through another node.</summary>
    private async Task StopRequestedAsync(CancellationToken cancellationToken)
    {
        foreach (long number in await store.ReadStopRequestsAsync(cancellationToken))
        {
            // A service may take its time to answer; other runs begin meanwhile.
            if (!_stops.TryGetValue(number, out Task? going) || going.IsCompleted)
                _stops[number] = Task.Run(() => StopRequestedAsync(number, cancellationToken), CancellationToken.None);
        }

        foreach (KeyValuePair<long, Task> over in _stops.Where(stop => stop.Value.IsCompleted))
            _stops.Remove(over.Key);
    }

    private async Task StopRequestedAsync(long number, CancellationToken cancellationToken)
    {
        try
        {
            // One that is not submitted yet ends here, or is submitted in the same moment and is then stopped at the next look.
            bool isOut =
                _workers.TryGetValue(number, out (RunWorker Worker, Task Work) found)
                && found.Worker.Run is { IsOut: true, Status: not RunStatus.Submitting };
            if (await TryStopAsync(number, cancellationToken) && isOut)
                await store.ForgetStopRequestAsync(number, cancellationToken);
        }
        catch (IngestException e)
        {
            _logger.LogWarning("run:{Number} was asked to stop: {Reason}", number, e.Message);
            if (!e.IsTransient && e.ErrorId != ErrorId.Conflict)
                await ForgetStopAsync(number, cancellationToken);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancellationToken.IsCancellationRequested)
        {
            _logger.LogError(e, "run:{Number} was asked to stop, and could not be.", number);
        }
    }

    private async Task ForgetStopAsync(long number, CancellationToken cancellationToken)
    {
        try
        {
            await store.ForgetStopRequestAsync(number, cancellationToken);
        }
        catch (DbException e)
        {
            _logger.LogError("That run:{Number} cannot be stopped could not be noted: {Reason}", number, e.Message);
        }
    }

    /// <summary>Leaves the runs as they are noted; a request that must not be sent twice gets a moment to end.</summary>
    public async Task StopAsync()
    {
        await _ending.CancelAsync();
        _ended.CancelAfter(timeouts.SubmitGrace);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_stops.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_workers.Values.Select(worker => worker.Work)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        _ending.Dispose();
        _ended.Dispose();
    }

    private async Task LoopAsync(CancellationToken cancellationToken)
    {
        long looked = time.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (time.GetElapsedTime(looked) >= LookInterval)
                {
                    looked = time.GetTimestamp();
                    await TakeOverAsync(cancellationToken);
                    await ReviveAsync(cancellationToken);
                    await StopRequestedAsync(cancellationToken);
                }

                if (!await TakeSomeAsync(cancellationToken))
                    await signal.WaitAsync(LookInterval, cancellationToken);
            }
            catch (DbException e)
            {
                _logger.LogError("The store cannot be read, so no run begins: {Reason}", e.Message);
                await Task.Delay(LookInterval, time, cancellationToken);
            }
            catch (Exception e) when (e is not OutOfMemoryException && !cancellationToken.IsCancellationRequested)
            {
                _logger.LogError(e, "No run could begin; it is tried again.");
                await Task.Delay(LookInterval, time, cancellationToken);
            }
        }
    }

    /// <summary>Takes what there is place for; whether any was taken.</summary>
    private async Task<bool> TakeSomeAsync(CancellationToken cancellationToken)
    {
        int places = MostWorkers - _workers.Count;
        if (places <= 0)
            return false;
        bool any = false;
        HashSet<string> full = new(StringComparer.Ordinal);
        foreach (StoredRun waiting in await store.ReadWaitingAsync(PlacesOfHost, places, time.GetUtcNow(), cancellationToken))
        {
            if (full.Contains(waiting.Host))
                continue;
            if (await store.TakeAsync(waiting.Number, PlacesOfHost, time.GetUtcNow(), cancellationToken) is not { } run)
            {
                full.Add(waiting.Host);
                continue;
            }

            any = true;
            await BeginAsync(run, isTakenUp: false, cancellationToken);
        }

        return any;
    }

    private async Task BeginAsync(StoredRun run, bool isTakenUp, CancellationToken cancellationToken)
    {
        if (run.Unreadable is null)
            Begin(run, isTakenUp);
        else
            await EndUnreadableAsync(run, cancellationToken);
    }

    /// <summary>
    /// Whether it was submitted cannot be known any more, so nothing is: it ends here, and its schedule and its host are free for others.
    /// </summary>
    private async Task EndUnreadableAsync(StoredRun run, CancellationToken cancellationToken)
    {
        if (await store.EndUnreadableAsync(run.Number, time.GetUtcNow(), run.Message!, cancellationToken))
            _logger.LogError("{Run} of '{Name}' ends as {Status}: {Reason}", run.Id, run.Name, RunStatus.Unknown, run.Unreadable);
    }

    private void Begin(StoredRun run, bool isTakenUp)
    {
        RunWorker worker = new(run, isTakenUp, store, spool, connections, timeouts, time, _logger);
        TaskCompletionSource isListed = new();
        Task work = Task.Run(() => WorkAsync(worker, isListed.Task), CancellationToken.None);
        _workers[run.Number] = (worker, work);
        isListed.SetResult();
    }

    private async Task WorkAsync(RunWorker worker, Task isListed)
    {
        await isListed;
        meter.Begun(worker.Run);
        try
        {
            await worker.RunAsync(_ending.Token, _ended.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or DbException)
        {
            _logger.LogError("{Run} of '{Name}' stays {Status}: {Reason}", worker.Run.Id, worker.Run.Name, worker.Run.Status, e.Message);
        }
        finally
        {
            meter.Over(worker.Run);
            _workers.TryRemove(worker.Run.Number, out _);
            worker.Dispose();
            signal.Set();
        }
    }
}
