using System.Threading.Channels;
using IngestTools.Http;
using IngestTools.Journal;
using Microsoft.Extensions.Logging;

namespace IngestTools.Uploads;

/// <summary>
/// The uploads of one call into one project: prepares the project, then sends the files that are added, and records what became of them.
/// </summary>
internal sealed class ProjectUploads : IDisposable
{
    private static readonly TimeSpan OlderJobInterval = TimeSpan.FromMilliseconds(200);

    private readonly IUploadTarget _target;
    private readonly UploadCall _call;
    private readonly UploadItemQueue _queue = new();
    private readonly UploadWorkers _workers;
    private readonly AdaptiveConcurrencyLimiter _limiter;
    private readonly TaskCompletionSource _prepared = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _run;
    private FileSender? _sender;
    private SentMeanwhile? _sentMeanwhile;
    private IngestException? _closed;
    private long _emptyFiles;

    /// <summary>Begins to prepare the project.</summary>
    /// <param name="target">The project.</param>
    /// <param name="firstJob">The number of the call's first job; null where this is the first.</param>
    /// <param name="call">The call.</param>
    public ProjectUploads(IUploadTarget target, long? firstJob, UploadCall call)
    {
        _target = target;
        _call = call;
        _limiter = new AdaptiveConcurrencyLimiter(call.Options.ThrottleLimit, call.Time);
        _workers = new UploadWorkers(_queue, UploadAsync, call.Options.ThrottleLimit, call.Fail, call.Stopped);
        _run = Task.Run(() => RunAsync(firstJob), CancellationToken.None);
    }

    /// <summary>Ends when the server was asked whether files can be sent, and the journal is up to date.</summary>
    public Task Prepared => _prepared.Task;

    /// <summary>What is known of the files of this project; null where nothing is recorded.</summary>
    public IPlaceJournal? Known { get; private set; }

    /// <summary>The job that this call is in the journal.</summary>
    public IUploadJob Job { get; private set; } = NoJournal.Instance;

    /// <summary>Files that were sent and have no content.</summary>
    public long EmptyFiles => Interlocked.Read(ref _emptyFiles);

    /// <summary>Whether every file would fail, so that there is no point in comparing them with the journal.</summary>
    public bool IsClosed => _closed is not null;

    /// <summary>Adds a file. Waits while many are waiting.</summary>
    public ValueTask AddAsync(UploadItem item, CancellationToken cancellationToken) => _queue.AddAsync(item, cancellationToken);

    /// <summary>No more files come. Ends when all that were added are done.</summary>
    public Task CompleteAsync()
    {
        _queue.Complete();
        return _run;
    }

    /// <summary>Writes the result of a file that the server has already.</summary>
    public async ValueTask SkipAsync(UploadItem item, KnownFile known)
    {
        if (known.IsNew)
            await Job.RecordAsync(known.Record!, null).ConfigureAwait(false);
        Job.Skip();
        _call.Meter.Sent(item.Length);
        _call.Meter.Done(failed: false);
        await _call.WriteAsync(UploadResults.AlreadyThere(item, known.Reason!.Value, known.Record!)).ConfigureAwait(false);
    }

    /// <summary>Closes the journal. Called when the run has ended.</summary>
    public void Dispose()
    {
        _sentMeanwhile?.Dispose();
        Job.Dispose();
        Known?.Dispose();
        _queue.Dispose();
    }

    private async Task RunAsync(long? firstJob)
    {
        try
        {
            await PrepareAsync(firstJob).ConfigureAwait(false);
            _prepared.SetResult();
            _workers.Start();
        }
        catch (OperationCanceledException)
        {
            _prepared.SetCanceled(_call.Stopped);
        }
        catch (Exception e)
        {
            _prepared.SetException(e);
            _call.Fail(e);
        }
        finally
        {
            await _workers.WaitAsync().ConfigureAwait(false);
            await EndJobAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Asks once whether files can be sent at all, so that a wrong token is not tried ten thousand times.</summary>
    private async Task PrepareAsync(long? firstJob)
    {
        if (_call.Options.Journal.IsOn)
        {
            Known = _call.Options.Journal.OpenPlace(_target.JournalPlace);
            Job = _call.Options.Journal.BeginJob(_target.JournalPlace, _target.Connection, firstJob);
            await WaitForOlderJobsAsync().ConfigureAwait(false);
            _sentMeanwhile = new SentMeanwhile(_target, Job, Known, _call.KnownFiles, _call.Options, _call.Logger, _call.Time);
            _sentMeanwhile.Watch();
        }

        _sender = new FileSender(_target, _call.Options, Job, _call.Meter, _limiter, _call.Rate, _call.Logger, _call.Time);
        TargetCheck check = await TargetCheck
            .RunAsync(_target, _call.Options.Journal, Known, "sent", _call.Logger, _call.Stopped)
            .ConfigureAwait(false);
        _closed = check.Closed;
        if (!check.IsKnownUpToDate)
            _sentMeanwhile?.MarkStale();
    }

    /// <summary>
    /// Waits until calls of other processes that began before have ended. Two that send the same files at once would both find them unsent,
    /// and a file that is sent again after its ingest is ingested twice.
    /// </summary>
    private async Task WaitForOlderJobsAsync()
    {
        OlderJob? seen = null;
        long moved = _call.Time.GetTimestamp();
        while (Job.FindOlder() is { } older)
        {
            string id = IngestJob.FormatId(older.Number);
            if (seen?.Number != older.Number)
            {
                _call.Logger.LogWarning(
                    "{Job} (process {Process}) is sending to {Target}. This call waits until it has ended.",
                    id,
                    older.ProcessId,
                    _target.Description
                );
            }

            if (seen != older)
                (seen, moved) = (older, _call.Time.GetTimestamp());
            if (_call.Time.GetElapsedTime(moved) >= _call.Options.LockTimeout)
            {
                _call.Logger.LogWarning(
                    "{Job} (process {Process}) has sent nothing for {Seconds:0} s. This call does not wait for it any longer.",
                    id,
                    older.ProcessId,
                    _call.Options.LockTimeout.TotalSeconds
                );
                return;
            }

            await Task.Delay(OlderJobInterval, _call.Time, _call.Stopped).ConfigureAwait(false);
        }
    }

    /// <summary>Sends one file to its end, and writes its result.</summary>
    private async Task UploadAsync(UploadItem item)
    {
        UploadSlot slot = new(_limiter, _call.Slots, item.Length >= _target.AloneFrom, _call.Time, _workers);
        SendOutcome outcome = _closed is null
            ? await _sender!.SendAsync(item, slot, _sentMeanwhile, _call.Stopped).ConfigureAwait(false)
            : new SendOutcome(null, _closed, null);
        if (outcome.Known is { } known)
            await SkipAsync(item, known).ConfigureAwait(false);
        else if (outcome.Sent is { } sent)
            await CompleteAsync(item, sent, slot).ConfigureAwait(false);
        else
            await FailAsync(item, UploadResults.Failed(item, outcome.Error!, slot)).ConfigureAwait(false);
    }

    private async ValueTask CompleteAsync(UploadItem item, SentFile sent, UploadSlot slot)
    {
        if (sent.Length == 0)
            Interlocked.Increment(ref _emptyFiles);
        if (Known is not null)
            await Job.RecordAsync(sent.ToRecord(item), sent.Length).ConfigureAwait(false);
        IngestDiagnostics.UploadedFiles.Add(1);
        IngestDiagnostics.UploadedBytes.Add(sent.Length);
        _call.Meter.Done(failed: false);
        await _call.WriteAsync(UploadResults.Uploaded(item, sent, slot)).ConfigureAwait(false);
    }

    private async ValueTask FailAsync(UploadItem item, UploadResult result)
    {
        // A file that failed is done, so that the time left is that of the others.
        _call.Meter.Sent(item.Length);
        _call.Meter.Done(failed: true);
        await Job.RecordAsync(result).ConfigureAwait(false);
        await _call.WriteAsync(result).ConfigureAwait(false);
    }

    /// <summary>What was sent is recorded also where the run is stopped.</summary>
    private async Task EndJobAsync()
    {
        await Job.CompleteAsync(_call.Stopped.IsCancellationRequested ? IngestJobStatus.Interrupted : IngestJobStatus.Completed)
            .ConfigureAwait(false);
        if (Job.Failure is { } failure)
            _call.Fail(failure);
    }
}

/// <summary>What the uploads of one call share, whatever their project.</summary>
/// <param name="Options">How files are sent.</param>
/// <param name="KnownFiles">Compares files with the journal.</param>
/// <param name="Meter">Counts what is done.</param>
/// <param name="Results">Takes the results.</param>
/// <param name="Slots">A slot for each concurrent upload.</param>
/// <param name="Rate">Limits the bytes in a second; null sets no limit.</param>
/// <param name="Logger">The logger.</param>
/// <param name="Time">The clock.</param>
/// <param name="Fail">Ends the call with an error.</param>
/// <param name="Stopped">Aborts what is under way.</param>
internal sealed record UploadCall(
    UploadOptions Options,
    KnownFiles KnownFiles,
    UploadMeter Meter,
    ChannelWriter<UploadResult> Results,
    SemaphoreSlim Slots,
    RateLimiter? Rate,
    ILogger Logger,
    TimeProvider Time,
    Action<Exception> Fail,
    CancellationToken Stopped
)
{
    /// <summary>Writes a result, and logs what became of the file.</summary>
    public ValueTask WriteAsync(UploadResult result)
    {
        if (Logger.IsEnabled(LogLevel.Debug))
            Logger.LogDebug(
                "{Path} as '{RemoteName}': {Status}{Why}. {Length} bytes, attempts: {Attempts}",
                Redaction.EscapeControls(result.Path),
                Redaction.EscapeControls(result.RemoteName),
                result.Status,
                result.Error is { } error ? $", {error.ErrorId}: {error.Message.TrimEnd('.')}"
                    : result.Reason is { } reason ? $", {reason}"
                    : "",
                result.Length,
                result.Attempts
            );
        return Results.WriteAsync(result, Stopped);
    }
}
