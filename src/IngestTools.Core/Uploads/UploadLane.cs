using System.Threading.Channels;
using IngestTools.Http;
using IngestTools.Journal;
using Microsoft.Extensions.Logging;

namespace IngestTools.Uploads;

/// <summary>
/// The files of one project on their way. There are as many workers as the gate lets through at once, and each goes from file to file without a switch of
/// threads between them, since at thousands of small files a second that is where the time goes.
/// </summary>
internal sealed class UploadLane : IDisposable
{
    /// <summary>So many files wait at most: enough that the one who finds them is woken seldom.</summary>
    private const int Buffered = 1024;

    /// <summary>A worker that pauses before it sends again leaves its place to another; there may be so many for each place.</summary>
    private const int WorkersPerPlace = 4;

    private static readonly TimeSpan FirstLockPause = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan LongestLockPause = TimeSpan.FromSeconds(2);

    /// <summary>An upload holds the lock for less; an ingest for longer.</summary>
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(2);

    /// <summary>A process that runs ticks more often than this, also on a busy machine.</summary>
    private static readonly TimeSpan PauseLimit = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan OlderJobInterval = TimeSpan.FromMilliseconds(200);

    private readonly IUploadTarget _target;
    private readonly UploadOptions _options;
    private readonly UploadMeter _meter;
    private readonly ChannelWriter<UploadResult> _results;
    private readonly SemaphoreSlim _places;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationToken _stopped;
    private readonly Channel<UploadItem> _items = Channel.CreateUnbounded<UploadItem>(new UnboundedChannelOptions { SingleWriter = true });
    private readonly WorkersUnderWay _workers;
    private readonly AdaptiveGate _gate;
    private readonly Task _run;
    private readonly Action<Exception> _fail;
    private readonly KnownFiles _knownFiles;
    private readonly long? _call;
    private readonly TaskCompletionSource _prepared = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _refreshing = new(1);
    private IUploadJob _job = NoJournal.Instance;
    private ITimer? _ticks;
    private long _tick;
    private long _staleSince;
    private long _refreshed;
    private IngestException? _closed;
    private volatile bool _isPrepared;

    /// <summary>Workers that have a file or wait for one; those that pause before sending again are not counted.</summary>
    private int _working;

    /// <summary>Files that wait.</summary>
    private int _queued;

    /// <summary>Set while the one who hands over files waits for room.</summary>
    private TaskCompletionSource? _room;

    /// <summary>Whether a worker waits for files. One is enough: it calls others when more come.</summary>
    private int _waiting;

    public UploadLane(
        IUploadTarget target, UploadOptions options, KnownFiles knownFiles, long? call, UploadMeter meter, ChannelWriter<UploadResult> results, SemaphoreSlim places, ILogger logger,
        TimeProvider time, Action<Exception> fail, CancellationToken stopped)
    {
        _knownFiles = knownFiles;
        _call = call;
        _target = target;
        _options = options;
        _meter = meter;
        _results = results;
        _places = places;
        _logger = logger;
        _time = time;
        _fail = fail;
        _stopped = stopped;
        _workers = new WorkersUnderWay(fail);
        _gate = new AdaptiveGate(options.ThrottleLimit, time);
        _run = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Ends when the server was asked whether files can be sent, and the journal is up to date.</summary>
    public Task Prepared => _prepared.Task;

    /// <summary>What is known of the files of this place; null where nothing is recorded.</summary>
    public IPlaceJournal? Known { get; private set; }

    /// <summary>The job that this call is in the journal.</summary>
    public IUploadJob Job => _job;

    /// <summary>Whether files are sent at all. Where they are not, there is no point in comparing them.</summary>
    public bool IsClosed => _closed is not null;

    /// <summary>Hands over a file; waits while many are waiting, until half of them have gone, so that it is woken seldom.</summary>
    public ValueTask AddAsync(UploadItem item, CancellationToken cancellationToken)
    {
        int queued = Interlocked.Increment(ref _queued);
        _items.Writer.TryWrite(item);
        if (_isPrepared && Volatile.Read(ref _waiting) == 0)
            CallWorkers();
        return queued < Buffered ? default : WaitForRoomAsync(cancellationToken);
    }

    /// <summary>No more files come; ends when all that are under way have ended.</summary>
    public Task CompleteAsync()
    {
        _items.Writer.TryComplete();
        return _run;
    }

    /// <summary>The result of a file that is refused, or left out on purpose.</summary>
    public static UploadResult ResultOf(UploadItem item, SkipReason? skipped, IngestException error) => new()
    {
        Path = item.Path,
        RemoteName = item.RemoteName,
        Shortcode = item.Target.Shortcode,
        Hierarchy = item.Target.Hierarchy,
        Length = item.Length,
        Status = skipped is null ? UploadStatus.Failed : UploadStatus.Skipped,
        Reason = skipped,
        Error = error.ForResult(),
        Connection = item.Target.Connection,
        Server = item.Target.JournalPlace.Server,
    };

    private static UploadResult ResultOf(UploadItem item, UploadStatus status, IngestException? error, int attempts = 0, TimeSpan duration = default, long? length = null, byte[]? sha256 = null, string? fileName = null) => new()
    {
        Path = item.Path,
        RemoteName = item.RemoteName,
        FileName = fileName,
        Shortcode = item.Target.Shortcode,
        Hierarchy = item.Target.Hierarchy,
        Length = length ?? item.Length,
        Sha256 = sha256 is null ? null : Convert.ToHexString(sha256).ToLowerInvariant(),
        Status = status,
        Attempts = attempts,
        Duration = duration,
        Error = error?.ForResult(),
        Connection = item.Target.Connection,
        Server = item.Target.JournalPlace.Server,
    };

    /// <summary>The result of a file that is skipped, since the server has it already.</summary>
    public static UploadResult ResultOf(UploadItem item, SkipReason reason, JournaledFile record) => new()
    {
        Path = item.Path,
        RemoteName = item.RemoteName,
        FileName = item.Target.IsFlat ? record.ServerName : null,
        Derivative = item.Target.IsFlat ? null : record.ServerName,
        Shortcode = item.Target.Shortcode,
        Hierarchy = item.Target.Hierarchy,
        Length = item.Length,
        Sha256 = record.Sha256,
        Status = UploadStatus.Skipped,
        Reason = reason,
        Connection = item.Target.Connection,
        Server = item.Target.JournalPlace.Server,
    };

    private async Task RunAsync()
    {
        try
        {
            await PrepareAsync().ConfigureAwait(false);
            _prepared.SetResult();
            _isPrepared = true;
            CallWorkers(atLeastOne: true);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _prepared.SetException(e);
            _fail(e);
        }
        catch (OperationCanceledException)
        {
            _prepared.SetCanceled(_stopped);
        }
        finally
        {
            await _workers.WaitAsync().ConfigureAwait(false);
            await EndJobAsync().ConfigureAwait(false);
        }
    }

    /// <summary>What was sent is recorded also where the run is stopped.</summary>
    private async Task EndJobAsync()
    {
        await _job.CompleteAsync(_stopped.IsCancellationRequested ? IngestJobStatus.Interrupted : IngestJobStatus.Completed).ConfigureAwait(false);
        if (_job.Failure is { } failure)
            _fail(failure);
    }

    /// <summary>Closes the journal. Called when the lane has ended.</summary>
    public void Dispose()
    {
        _ticks?.Dispose();
        _job.Dispose();
        Known?.Dispose();
        _refreshing.Dispose();
    }

    /// <summary>Calls as many workers as there are places for, if files wait for them.</summary>
    private void CallWorkers(bool atLeastOne = false)
    {
        while (atLeastOne || Volatile.Read(ref _queued) > 0)
        {
            atLeastOne = false;
            int working = Volatile.Read(ref _working);
            if (working >= _gate.Limit || _workers.Count >= _options.ThrottleLimit * WorkersPerPlace)
                return;
            if (Interlocked.CompareExchange(ref _working, working + 1, working) == working)
                _workers.Add(Task.Run(WorkAsync, CancellationToken.None));
        }
    }

    /// <summary>Sends file after file, until there are none, or there are more workers than places.</summary>
    private async Task WorkAsync()
    {
        try
        {
            while (await TakeAsync().ConfigureAwait(false) is { } item)
            {
                CallWorkers();
                await UploadAsync(item).ConfigureAwait(false);
                if (TryRetire())
                    return;
            }

            Interlocked.Decrement(ref _working);
        }
        catch
        {
            Interlocked.Decrement(ref _working);
            throw;
        }
    }

    /// <summary>Leaves the files to the others, if there are more workers than places.</summary>
    private bool TryRetire()
    {
        while (true)
        {
            int working = Volatile.Read(ref _working);
            if (working <= _gate.Limit)
                return false;
            if (Interlocked.CompareExchange(ref _working, working - 1, working) == working)
                return true;
        }
    }

    /// <summary>The next file; null where there is none and another worker waits already, or there will be no more.</summary>
    private ValueTask<UploadItem?> TakeAsync() => TryTake() is { } item ? new(item) : TakeLaterAsync();

    private async ValueTask<UploadItem?> TakeLaterAsync()
    {
        while (true)
        {
            if (Interlocked.Exchange(ref _waiting, 1) == 1)
                return null;
            bool more = await _items.Reader.WaitToReadAsync(_stopped).ConfigureAwait(false);
            Volatile.Write(ref _waiting, 0);
            if (!more)
                return null;
            if (TryTake() is { } item)
                return item;
        }
    }

    private UploadItem? TryTake()
    {
        if (!_items.Reader.TryRead(out UploadItem? item))
            return null;
        if (Interlocked.Decrement(ref _queued) == Buffered / 2)
            Interlocked.Exchange(ref _room, null)?.TrySetResult();
        return item;
    }

    private async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource room = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _room, room);
        if (Volatile.Read(ref _queued) > Buffered / 2)
            await room.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks once whether files can be sent at all, so that a wrong token is not tried ten thousand times.</summary>
    private async Task PrepareAsync()
    {
        if (_options.Journal.IsOn)
        {
            Known = _options.Journal.OpenPlace(_target.JournalPlace);
            _job = _options.Journal.BeginJob(_target.JournalPlace, _target.Connection, _call);
            await WaitForOlderAsync().ConfigureAwait(false);
            _tick = _time.GetTimestamp();
            _ticks = _time.CreateTimer(static lane => ((UploadLane)lane!).Tick(), this, TickInterval, TickInterval);
        }

        try
        {
            if (!await _target.PrepareAsync(_options.Journal, Known, _stopped).ConfigureAwait(false))
                MarkStale();
        }
        catch (IngestException e) when (e.ErrorId != ErrorId.JournalUnavailable && TargetFailure.IsForEveryFile(e))
        {
            _closed = e;
        }
        catch (IngestException e) when (e.ErrorId != ErrorId.JournalUnavailable)
        {
            _logger.LogWarning("{Target} could not be checked before the first file. The files are sent nevertheless. {Reason}", _target.Description, e.Message);
        }
    }

    /// <summary>
    /// Waits until calls of other processes that began before have ended. Two that send the same files at once would both find them unsent, and a file that is
    /// sent again after its ingest is ingested twice.
    /// </summary>
    private async Task WaitForOlderAsync()
    {
        OlderJob? seen = null;
        long moved = _time.GetTimestamp();
        while (_job.FindOlder() is { } older)
        {
            if (seen?.Number != older.Number)
                _logger.LogWarning("{Job} (process {Process}) is sending to {Target}. This call waits until it has ended.", IngestJob.FormatId(older.Number), older.ProcessId, _target.Description);
            if (seen != older)
                (seen, moved) = (older, _time.GetTimestamp());
            if (_time.GetElapsedTime(moved) >= _options.LockTimeout)
            {
                _logger.LogWarning("{Job} (process {Process}) has sent nothing for {Seconds:0} s. This call does not wait for it any longer.",
                    IngestJob.FormatId(older.Number), older.ProcessId, _options.LockTimeout.TotalSeconds);
                return;
            }

            await Task.Delay(OlderJobInterval, _time, _stopped).ConfigureAwait(false);
        }
    }

    /// <summary>Sends one file to its end.</summary>
    private async ValueTask UploadAsync(UploadItem item)
    {
        TimeSpan locked = TimeSpan.Zero;
        UploadPlace place = new(_gate, _places, item.Length >= _target.AloneFrom, _time, Pausing, Returning);
        for (TimeSpan pause = FirstLockPause; ; pause = pause * 2 < LongestLockPause ? pause * 2 : LongestLockPause)
        {
            if (await FindSentMeanwhileAsync(item).ConfigureAwait(false) is { } known)
            {
                await SkipAsync(item, known).ConfigureAwait(false);
                return;
            }

            Attempt attempt = await TryAsync(item, place).ConfigureAwait(false);
            bool isLocked = attempt.Error?.ErrorId == ErrorId.Locked;
            // The wait for a place is no wait for the server's lock.
            locked = isLocked ? locked + place.Inside + pause : TimeSpan.Zero;
            if (!isLocked || locked >= _options.LockTimeout)
            {
                await TellAsync(item, attempt, place.Entered, place.SinceFirst).ConfigureAwait(false);
                return;
            }

            if (locked >= RefreshAfter)
                MarkStale();
            if (_logger.IsEnabled(LogLevel.Debug))
                _logger.LogDebug("{Target} is locked; {Path} is sent again. At most {Limit} at once now.", _target.Description, item.Path, _gate.Limit);
            Pausing();
            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), _time, _stopped).ConfigureAwait(false);
            Returning();
        }
    }

    /// <summary>
    /// Whether somebody else sent this file after it was compared with the journal: while the project was locked for long, which is an ingest, or while this
    /// process was stopped, as by Ctrl+Z. Then it is not sent again; null where it is. While the project stays locked, this waits.
    /// </summary>
    private async Task<KnownFile?> FindSentMeanwhileAsync(UploadItem item)
    {
        Tick();
        long since = Interlocked.Read(ref _staleSince);
        if (Known is null || since == 0)
            return null;
        await _refreshing.WaitAsync(_stopped).ConfigureAwait(false);
        try
        {
            long began = _time.GetTimestamp();
            while (_refreshed < since)
            {
                long asked = _time.GetTimestamp();
                if (await _target.PrepareAsync(_options.Journal, Known, _stopped).ConfigureAwait(false))
                    _refreshed = asked;
                else if (_time.GetElapsedTime(began) >= _options.LockTimeout)
                    break;
            }

            KnownFile known = await _knownFiles.JudgeAsync(item, Known, _stopped).ConfigureAwait(false);
            return known.Reason is null ? null : known;
        }
        catch (IngestException e) when (e.ErrorId != ErrorId.JournalUnavailable)
        {
            // The attempt that follows fails for the same reason, or it does not.
            _logger.LogDebug("Whether {Path} was ingested cannot be found out: {Reason}", item.Path, e.Message);
            return null;
        }
        finally
        {
            _refreshing.Release();
        }
    }

    /// <summary>What was found of files so far may not hold any more: each is compared again before it is sent.</summary>
    private void MarkStale() => Interlocked.Exchange(ref _staleSince, _time.GetTimestamp());

    /// <summary>Notices that this process was stopped for a while. Other processes did not wait for it.</summary>
    private void Tick()
    {
        long now = _time.GetTimestamp();
        if (_ticks is not null && _time.GetElapsedTime(Interlocked.Exchange(ref _tick, now), now) > PauseLimit)
            MarkStale();
    }

    /// <summary>Writes the result of a file that the server has already.</summary>
    public async Task SkipAsync(UploadItem item, KnownFile known)
    {
        if (known.IsNew)
            await _job.RecordAsync(known.Record!, null).ConfigureAwait(false);
        _job.Skip();
        _meter.Sent(item.Length);
        _meter.Done(failed: false);
        await _results.WriteAsync(ResultOf(item, known.Reason!.Value, known.Record!), _stopped).ConfigureAwait(false);
    }

    private void Pausing()
    {
        Interlocked.Decrement(ref _working);
        CallWorkers();
    }

    private void Returning() => Interlocked.Increment(ref _working);

    /// <summary>Sends one file, as often as failures allow, and leaves the place.</summary>
    private async Task<Attempt> TryAsync(UploadItem item, UploadPlace place)
    {
        FileContent? content = null;
        LocalFile? file = null;
        try
        {
            if (_closed is not null)
                throw _closed;
            StopWithoutJournal();
            _meter.Sending(item.Path);
            string? fileName = await item.Target.SendAsync(item, Open, place, _stopped).ConfigureAwait(false);
            place.LeaveAnswered(item.Length);
            return new Attempt(null, file!.Length, content!.Sha256, fileName, file.LastWriteTime);
        }
        catch (IngestException e)
        {
            content?.Undo();
            if (e.ErrorId == ErrorId.Locked)
                place.LeaveLocked();
            return new Attempt(e, null, null);
        }
        finally
        {
            place.Leave();
            file?.Dispose();
        }

        FileContent Open(ProgressWatch? watch)
        {
            content?.Undo();
            content = null;
            file?.Dispose();
            file = LocalFile.Open(item.Path);
            return content = new FileContent(file, watch, _meter);
        }
    }

    /// <summary>What cannot be recorded is not sent: one error ends the call.</summary>
    private void StopWithoutJournal()
    {
        if (_job.Failure is not { } failure)
            return;
        _fail(failure);
        _stopped.ThrowIfCancellationRequested();
    }

    private async Task TellAsync(UploadItem item, Attempt attempt, int attempts, TimeSpan duration)
    {
        IngestException? error = attempt.Error?.ErrorId == ErrorId.Locked
            ? attempt.Error.With(message: $"{item.RemoteName} was not uploaded: others held the lock of {_target.Description} for {_options.LockTimeout.TotalSeconds:0} s.",
                advice: "Wait until the other uploads or the bulk ingest have ended, then send it again.")
            : attempt.Error;
        if (error is null)
        {
            item.Target.Sent(item);
            if (Known is not null)
                await _job.RecordAsync(RecordOf(item, attempt), attempt.Length).ConfigureAwait(false);
            IngestDiagnostics.UploadedFiles.Add(1);
            IngestDiagnostics.UploadedBytes.Add(attempt.Length ?? 0);
        }
        else
        {
            // A file that failed is done, so that the time left is that of the others.
            _meter.Sent(item.Length);
        }

        _meter.Done(error is not null);
        UploadResult result = error is null
            ? ResultOf(item, UploadStatus.Uploaded, null, attempts, duration, attempt.Length, attempt.Sha256, attempt.FileName)
            : ResultOf(item, UploadStatus.Failed, error.Target is null ? error.With(target: item.Path) : error, attempts, duration);
        if (error is not null)
            await _job.RecordAsync(result).ConfigureAwait(false);
        await _results.WriteAsync(result, _stopped).ConfigureAwait(false);
    }

    private static JournaledFile RecordOf(UploadItem item, Attempt attempt) => new()
    {
        Name = item.RemoteName,
        State = FileState.Sent,
        Path = item.Path,
        Length = attempt.Length,
        LastWriteTime = attempt.LastWriteTime,
        Sha256 = Convert.ToHexString(attempt.Sha256!).ToLowerInvariant(),
        ServerName = attempt.FileName,
    };

    /// <summary>How an attempt ended.</summary>
    /// <param name="Error">Why it failed; null where it did not.</param>
    /// <param name="Length">Bytes that were sent.</param>
    /// <param name="Sha256">Their hash.</param>
    /// <param name="FileName">The name that came back, where the server gives one.</param>
    /// <param name="LastWriteTime">When the file was last written that was sent.</param>
    private readonly record struct Attempt(IngestException? Error, long? Length, byte[]? Sha256, string? FileName = null, DateTime LastWriteTime = default);

    /// <summary>Counts workers, and tells when the last has ended. One that fails fails the whole run: its file would have no result.</summary>
    private sealed class WorkersUnderWay(Action<Exception> fail)
    {
        private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _count = 1;

        public int Count => Volatile.Read(ref _count) - 1;

        public void Add(Task worker)
        {
            Interlocked.Increment(ref _count);
            worker.ContinueWith(Ended, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        public Task WaitAsync()
        {
            Leave();
            return _allEnded.Task;
        }

        private void Ended(Task worker)
        {
            if (worker.Exception is { } failure)
                fail(failure.InnerException ?? failure);
            Leave();
        }

        private void Leave()
        {
            if (Interlocked.Decrement(ref _count) == 0)
                _allEnded.TrySetResult();
        }
    }
}
