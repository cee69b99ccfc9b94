using System.Threading.Channels;
using IngestTools.Http;
using IngestTools.Journal;
using Microsoft.Extensions.Logging;

namespace IngestTools.Uploads;

/// <summary>The uploads of one call into one project: prepares the project, then sends the files that are added, and records what became of them.</summary>
internal sealed class ProjectUploads : IDisposable
{
    private static readonly TimeSpan OlderJobInterval = TimeSpan.FromMilliseconds(200);

    private readonly IUploadTarget _target;
    private readonly UploadOptions _options;
    private readonly KnownFiles _knownFiles;
    private readonly UploadMeter _meter;
    private readonly ChannelWriter<UploadResult> _results;
    private readonly SemaphoreSlim _allUploads;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _fail;
    private readonly CancellationToken _stopped;
    private readonly UploadItemQueue _queue = new();
    private readonly UploadWorkers _workers;
    private readonly AdaptiveConcurrencyLimiter _limiter;
    private readonly TaskCompletionSource _prepared = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _run;
    private FileSender? _sender;
    private SentMeanwhile? _sentMeanwhile;
    private IngestException? _closed;

    /// <summary>Begins to prepare the project.</summary>
    /// <param name="target">The project.</param>
    /// <param name="options">How files are sent.</param>
    /// <param name="knownFiles">Compares files with the journal.</param>
    /// <param name="call">The number of the call's first job; null where this is the first.</param>
    /// <param name="meter">Counts what is done.</param>
    /// <param name="results">Takes the results.</param>
    /// <param name="allUploads">A slot for each upload of the call, whatever its project.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="time">The clock.</param>
    /// <param name="fail">Ends the call.</param>
    /// <param name="stopped">Aborts what is under way.</param>
    public ProjectUploads(
        IUploadTarget target,
        UploadOptions options,
        KnownFiles knownFiles,
        long? call,
        UploadMeter meter,
        ChannelWriter<UploadResult> results,
        SemaphoreSlim allUploads,
        ILogger logger,
        TimeProvider time,
        Action<Exception> fail,
        CancellationToken stopped)
    {
        _target = target;
        _options = options;
        _knownFiles = knownFiles;
        _meter = meter;
        _results = results;
        _allUploads = allUploads;
        _logger = logger;
        _time = time;
        _fail = fail;
        _stopped = stopped;
        _limiter = new AdaptiveConcurrencyLimiter(options.ThrottleLimit, time);
        _workers = new UploadWorkers(_queue, UploadAsync, options.ThrottleLimit, fail, stopped);
        _run = Task.Run(() => RunAsync(call), CancellationToken.None);
    }

    /// <summary>Ends when the server was asked whether files can be sent, and the journal is up to date.</summary>
    public Task Prepared => _prepared.Task;

    /// <summary>What is known of the files of this project; null where nothing is recorded.</summary>
    public IPlaceJournal? Known { get; private set; }

    /// <summary>The job that this call is in the journal.</summary>
    public IUploadJob Job { get; private set; } = NoJournal.Instance;

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
        _meter.Sent(item.Length);
        _meter.Done(failed: false);
        await _results.WriteAsync(UploadResults.AlreadyThere(item, known.Reason!.Value, known.Record!), _stopped).ConfigureAwait(false);
    }

    /// <summary>Closes the journal. Called when the run has ended.</summary>
    public void Dispose()
    {
        _sentMeanwhile?.Dispose();
        Job.Dispose();
        Known?.Dispose();
        _queue.Dispose();
    }

    private async Task RunAsync(long? call)
    {
        try
        {
            await PrepareAsync(call).ConfigureAwait(false);
            _prepared.SetResult();
            _workers.Start();
        }
        catch (OperationCanceledException)
        {
            _prepared.SetCanceled(_stopped);
        }
        catch (Exception e)
        {
            _prepared.SetException(e);
            _fail(e);
        }
        finally
        {
            await _workers.WaitAsync().ConfigureAwait(false);
            await EndJobAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Asks once whether files can be sent at all, so that a wrong token is not tried ten thousand times.</summary>
    private async Task PrepareAsync(long? call)
    {
        if (_options.Journal.IsOn)
        {
            Known = _options.Journal.OpenPlace(_target.JournalPlace);
            Job = _options.Journal.BeginJob(_target.JournalPlace, _target.Connection, call);
            await WaitForOlderJobsAsync().ConfigureAwait(false);
            _sentMeanwhile = new SentMeanwhile(_target, Known, _knownFiles, _options, _logger, _time);
            _sentMeanwhile.Watch();
        }

        _sender = new FileSender(_target, _options, Job, _meter, _limiter, _logger, _time);
        try
        {
            if (!await _target.PrepareAsync(_options.Journal, Known, _stopped).ConfigureAwait(false))
                _sentMeanwhile?.MarkStale();
        }
        catch (IngestException e) when (e.ErrorId != ErrorId.JournalUnavailable && TargetFailure.IsForEveryFile(e))
        {
            _closed = e;
        }
        catch (IngestException e) when (e.ErrorId != ErrorId.JournalUnavailable)
        {
            _logger.LogWarning(
                "{Target} could not be checked before the first file. The files are sent nevertheless. {Reason}", _target.Description, e.Message);
        }
    }

    /// <summary>
    /// Waits until calls of other processes that began before have ended. Two that send the same files at once would both find them unsent, and a file that is
    /// sent again after its ingest is ingested twice.
    /// </summary>
    private async Task WaitForOlderJobsAsync()
    {
        OlderJob? seen = null;
        long moved = _time.GetTimestamp();
        while (Job.FindOlder() is { } older)
        {
            string id = IngestJob.FormatId(older.Number);
            if (seen?.Number != older.Number)
            {
                _logger.LogWarning(
                    "{Job} (process {Process}) is sending to {Target}. This call waits until it has ended.", id, older.ProcessId, _target.Description);
            }

            if (seen != older)
                (seen, moved) = (older, _time.GetTimestamp());
            if (_time.GetElapsedTime(moved) >= _options.LockTimeout)
            {
                _logger.LogWarning(
                    "{Job} (process {Process}) has sent nothing for {Seconds:0} s. This call does not wait for it any longer.",
                    id, older.ProcessId, _options.LockTimeout.TotalSeconds);
                return;
            }

            await Task.Delay(OlderJobInterval, _time, _stopped).ConfigureAwait(false);
        }
    }

    /// <summary>Sends one file to its end, and writes its result.</summary>
    private async Task UploadAsync(UploadItem item)
    {
        UploadSlot slot = new(_limiter, _allUploads, item.Length >= _target.AloneFrom, _time, _workers);
        SendOutcome outcome = _closed is null
            ? await _sender!.SendAsync(item, slot, _sentMeanwhile, _stopped).ConfigureAwait(false)
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
        item.Target.Sent(item);
        if (Known is not null)
            await Job.RecordAsync(sent.ToRecord(item), sent.Length).ConfigureAwait(false);
        IngestDiagnostics.UploadedFiles.Add(1);
        IngestDiagnostics.UploadedBytes.Add(sent.Length);
        _meter.Done(failed: false);
        await _results.WriteAsync(UploadResults.Uploaded(item, sent, slot), _stopped).ConfigureAwait(false);
    }

    private async ValueTask FailAsync(UploadItem item, UploadResult result)
    {
        // A file that failed is done, so that the time left is that of the others.
        _meter.Sent(item.Length);
        _meter.Done(failed: true);
        await Job.RecordAsync(result).ConfigureAwait(false);
        await _results.WriteAsync(result, _stopped).ConfigureAwait(false);
    }

    /// <summary>What was sent is recorded also where the run is stopped.</summary>
    private async Task EndJobAsync()
    {
        await Job.CompleteAsync(_stopped.IsCancellationRequested ? IngestJobStatus.Interrupted : IngestJobStatus.Completed).ConfigureAwait(false);
        if (Job.Failure is { } failure)
            _fail(failure);
    }
}
