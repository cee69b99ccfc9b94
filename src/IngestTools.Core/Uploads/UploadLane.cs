using System.Threading.Channels;
using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Uploads;

/// <summary>The files of one project on their way, under one gate.</summary>
internal sealed class UploadLane
{
    private const int Buffered = 256;

    /// <summary>Files that pause before they are sent again leave their place to others; so many may be under way for each place.</summary>
    private const int UnderWayPerPlace = 4;

    private static readonly TimeSpan FirstLockPause = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan LongestLockPause = TimeSpan.FromSeconds(2);

    private readonly IUploadTarget _target;
    private readonly UploadOptions _options;
    private readonly UploadMeter _meter;
    private readonly ChannelWriter<UploadResult> _results;
    private readonly SemaphoreSlim _places;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationToken _stopped;
    private readonly Channel<UploadItem> _items = Channel.CreateBounded<UploadItem>(new BoundedChannelOptions(Buffered) { SingleReader = true, SingleWriter = true });
    private readonly AdaptiveGate _gate;
    private readonly Task _run;
    private IngestException? _closed;

    public UploadLane(
        IUploadTarget target, UploadOptions options, UploadMeter meter, ChannelWriter<UploadResult> results, SemaphoreSlim places, ILogger logger, TimeProvider time, CancellationToken stopped)
    {
        _target = target;
        _options = options;
        _meter = meter;
        _results = results;
        _places = places;
        _logger = logger;
        _time = time;
        _stopped = stopped;
        _gate = new AdaptiveGate(options.ThrottleLimit, time);
        _run = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Hands over a file; waits while many are waiting.</summary>
    public ValueTask AddAsync(UploadItem item, CancellationToken cancellationToken) => _items.Writer.WriteAsync(item, cancellationToken);

    /// <summary>No more files come; ends when all have ended.</summary>
    public Task CompleteAsync()
    {
        _items.Writer.TryComplete();
        return _run;
    }

    /// <summary>Ends when what is under way has been aborted.</summary>
    public Task StopAsync() => CompleteAsync();

    public static UploadResult ResultOf(UploadItem item, UploadStatus status, IngestException? error, int attempts = 0, TimeSpan duration = default, long? length = null, byte[]? sha256 = null) => new()
    {
        Path = item.Path,
        RemoteName = item.RemoteName,
        Shortcode = item.Target.Shortcode,
        Length = length ?? item.Length,
        Sha256 = sha256 is null ? null : Convert.ToHexString(sha256).ToLowerInvariant(),
        Status = status,
        Attempts = attempts,
        Duration = duration,
        Error = error,
        Connection = item.Target.Connection,
    };

    private async Task RunAsync()
    {
        using SemaphoreSlim room = new(_options.ThrottleLimit * UnderWayPerPlace);
        UploadsUnderWay underWay = new();
        try
        {
            await PrepareAsync().ConfigureAwait(false);
            await foreach (UploadItem item in _items.Reader.ReadAllAsync(_stopped).ConfigureAwait(false))
            {
                await room.WaitAsync(_stopped).ConfigureAwait(false);
                UploadPlace place = new(_gate, _places, item.Length >= _target.AloneFrom, _time);
                await place.EnterAsync(_stopped).ConfigureAwait(false);
                underWay.Add(UploadAsync(item, place, room));
            }
        }
        finally
        {
            await underWay.WaitAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Looks once whether files can be sent at all, so that a wrong token is not tried ten thousand times.</summary>
    private async Task PrepareAsync()
    {
        try
        {
            await _target.PrepareAsync(_stopped).ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            _closed = e;
        }
    }

    /// <summary>Sends one file to its end. Its place is taken already.</summary>
    private async Task UploadAsync(UploadItem item, UploadPlace place, SemaphoreSlim room)
    {
        await Task.Yield();
        long started = _time.GetTimestamp();
        int attempts = 0;
        try
        {
            for (TimeSpan pause = FirstLockPause; ; pause = pause * 2 < LongestLockPause ? pause * 2 : LongestLockPause)
            {
                Attempt attempt = await TryAsync(item, place).ConfigureAwait(false);
                attempts += attempt.Count;
                bool isLocked = attempt.Error?.ErrorId == ErrorId.Locked;
                if (!isLocked || _time.GetElapsedTime(started) + pause >= _options.LockTimeout)
                {
                    await TellAsync(item, attempt, attempts, _time.GetElapsedTime(started)).ConfigureAwait(false);
                    return;
                }

                if (_logger.IsEnabled(LogLevel.Debug))
                    _logger.LogDebug("{Target} is locked; {Path} is sent again. At most {Limit} at once now.", _target.Description, item.Path, _gate.Limit);
                await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), _time, _stopped).ConfigureAwait(false);
            }
        }
        finally
        {
            place.Pause();
            room.Release();
        }
    }

    /// <summary>Sends one file, as often as failures allow, and leaves the place.</summary>
    private async Task<Attempt> TryAsync(UploadItem item, UploadPlace place)
    {
        FileContent? content = null;
        LocalFile? file = null;
        try
        {
            if (_closed is not null)
                throw _closed;
            _meter.Sending(item.Path);
            int count = await _target.SendAsync(item, Open, place, _stopped).ConfigureAwait(false);
            place.LeaveAnswered(item.Length);
            return new Attempt(null, count, file!.Length, content!.Sha256);
        }
        catch (IngestException e)
        {
            content?.Undo();
            if (e.ErrorId == ErrorId.Locked)
                place.LeaveLocked();
            else
                place.Pause();
            return new Attempt(e, e.Attempts, null, null);
        }
        finally
        {
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

    private async Task TellAsync(UploadItem item, Attempt attempt, int attempts, TimeSpan duration)
    {
        IngestException? error = attempt.Error?.ErrorId == ErrorId.Locked
            ? attempt.Error.With(message: $"{item.RemoteName} was not uploaded: others held the lock of {_target.Description} for {_options.LockTimeout.TotalSeconds:0} s.",
                advice: "Wait until the other uploads or the bulk ingest have ended, then send it again.")
            : attempt.Error;
        if (error is null)
        {
            _target.Sent(item);
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
            ? ResultOf(item, UploadStatus.Uploaded, null, attempts, duration, attempt.Length, attempt.Sha256)
            : ResultOf(item, UploadStatus.Failed, error.Target is null ? error.With(target: item.Path) : error, attempts, duration);
        await _results.WriteAsync(result, _stopped).ConfigureAwait(false);
    }

    /// <summary>How an attempt ended.</summary>
    /// <param name="Error">Why it failed; null where it did not.</param>
    /// <param name="Count">Requests that were sent.</param>
    /// <param name="Length">Bytes that were sent.</param>
    /// <param name="Sha256">Their hash.</param>
    private readonly record struct Attempt(IngestException? Error, int Count, long? Length, byte[]? Sha256);

    /// <summary>Counts tasks instead of keeping them: a list of a million ended ones would be the memory that streaming saves.</summary>
    private sealed class UploadsUnderWay
    {
        private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _count = 1;
        private Exception? _failure;

        public void Add(Task task)
        {
            Interlocked.Increment(ref _count);
            task.ContinueWith(Ended, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        public Task WaitAsync()
        {
            Leave();
            return _allEnded.Task;
        }

        private void Ended(Task task)
        {
            if (task.Exception is { } failure)
                Interlocked.CompareExchange(ref _failure, failure.InnerException ?? failure, null);
            Leave();
        }

        private void Leave()
        {
            if (Interlocked.Decrement(ref _count) != 0)
                return;
            if (_failure is { } failure)
                _allEnded.SetException(failure);
            else
                _allEnded.SetResult();
        }
    }
}
