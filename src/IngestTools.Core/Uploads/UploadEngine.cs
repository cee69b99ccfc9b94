using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using IngestTools.Http;
using IngestTools.Logging;
using Microsoft.Extensions.Logging;

namespace IngestTools.Uploads;

/// <summary>
/// Sends files: enumeration, sending and results overlap, and nothing is collected. Each project has a <see cref="ProjectUploads"/>, which
/// finds out how many concurrent uploads the server has use for. Several projects are served side by side.
/// </summary>
public sealed class UploadEngine
{
    /// <summary>
    /// The maximum number of results that wait to be read. A reader that comes every 20 ms reads at most this number at a time.
    /// </summary>
    private const int BufferedResults = 16_384;

    /// <summary>
    /// Failures that are kept until a place has a job in the journal. It has one from its first file that is not refused.
    /// </summary>
    private const int MaxFailedBefore = 1000;

    /// <summary>
    /// A first result is given at once, and what ends in so short a time after it together: at thousands of files a second, waking the
    /// reader for each one costs as much as sending it.
    /// </summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(20);

    private readonly UploadOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly UploadMeter _meter;
    private readonly FileFinder _finder;
    private readonly RemoteNames _names;
    private readonly NameCollisions _collisions;
    private readonly FoldedWarnings _warnings;
    private readonly KnownFiles _knownFiles;
    private readonly Dictionary<object, ProjectRehearsal> _rehearsals = [];
    private readonly Dictionary<object, ProjectUploads> _projects = [];
    private readonly Dictionary<object, List<UploadResult>> _failedBefore = [];
    private long? _firstJob;
    private long _found;

    /// <summary>Makes an engine for one run.</summary>
    /// <param name="options">How files are sent.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public UploadEngine(UploadOptions options, ILogger logger, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ThrottleLimit, 1);
        _options = options;
        _logger = logger;
        _time = time ?? TimeProvider.System;
        _meter = new UploadMeter(_time);
        _finder = new FileFinder(options);
        _names = new RemoteNames(options);
        _collisions = new NameCollisions(options, _finder);
        _knownFiles = new KnownFiles(options, logger);
        _warnings = new FoldedWarnings(logger);
    }

    /// <summary>Makes an engine for one run, for a host with a log of its own.</summary>
    /// <param name="options">How files are sent.</param>
    /// <param name="log">The log.</param>
    public UploadEngine(UploadOptions options, IngestLog log)
        : this(options, log.Logger) { }

    /// <summary>The files that <see cref="UploadOptions.Include"/> and <see cref="UploadOptions.Exclude"/> left out.</summary>
    public long LeftOutByPatterns => _finder.Unwanted;

    /// <summary>How far it has come. May be asked at any time from any thread.</summary>
    public UploadProgress Progress => _meter.Read();

    /// <summary>The id of this run in the journal, that of its first project; null where nothing is recorded, or not yet.</summary>
    public string? Job => _firstJob is { } number ? IngestJob.FormatId(number) : null;

    /// <summary>
    /// Sends what is asked for, and gives a result for each file as it ends, in the order in which they end. What cannot be read, or has a
    /// name that will be refused, is a result with the status Failed; only cancellation is thrown. When the reader of the results stops,
    /// what is under way is aborted.
    /// </summary>
    /// <param name="requests">Files and folders, taken as they come.</param>
    /// <param name="cancellationToken">Aborts what is under way.</param>
    public async IAsyncEnumerable<UploadResult> SendAsync(
        ChannelReader<UploadRequest> requests,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(requests);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Channel<UploadResult> results = Channel.CreateBounded<UploadResult>(BufferedResults);
        Task run = Task.Run(() => RunAsync(requests, results.Writer, stop), CancellationToken.None);
        try
        {
            while (await results.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (results.Reader.TryRead(out UploadResult? result))
                    yield return result;
                await Task.WhenAny(results.Reader.Completion, Task.Delay(Gathering, cancellationToken)).ConfigureAwait(false);
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RunAsync(ChannelReader<UploadRequest> requests, ChannelWriter<UploadResult> results, CancellationTokenSource stop)
    {
        CancellationToken cancellationToken = stop.Token;
        using SemaphoreSlim slots = new(_options.ThrottleLimit);
        UploadCall call = new(_options, _knownFiles, _meter, results, slots, CreateRate(), _logger, _time, Fail, cancellationToken);
        try
        {
            await foreach (UploadRequest request in requests.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach (FoundFile file in _finder.Find(request.Path))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    await TakeAsync(file, request, ProjectOf, call, cancellationToken).ConfigureAwait(false);
                }
            }

            _meter.AllFound();
            await Task.WhenAll(_projects.Values.Select(project => project.CompleteAsync())).ConfigureAwait(false);
            WarnInTheEnd();
            results.TryComplete();
        }
        catch (Exception e)
        {
            results.TryComplete(e);
            await Task.WhenAll(_projects.Values.Select(project => project.CompleteAsync()))
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            foreach (IDisposable opened in _projects.Values.Concat<IDisposable>(_rehearsals.Values))
                opened.Dispose();
        }

        // A project begins with a request to the server, so there is none until a file is really to be sent.
        async ValueTask<ProjectUploads> ProjectOf(IUploadTarget target)
        {
            if (_projects.TryGetValue(target.QueueKey, out ProjectUploads? project))
                return project;
            _projects.Add(target.QueueKey, project = new ProjectUploads(target, _firstJob, call));
            if (!_options.Journal.IsOn)
                return project;
            await project.Prepared.ConfigureAwait(false);
            _firstJob ??= project.Job.Number;
            if (_failedBefore.Remove(target.QueueKey, out List<UploadResult>? failed))
            {
                foreach (UploadResult result in failed)
                    await project.Job.RecordAsync(result).ConfigureAwait(false);
            }

            return project;
        }

        void Fail(Exception e)
        {
            results.TryComplete(e);
            stop.Cancel();
        }
    }

    /// <summary>Says what concerns all files of the call.</summary>
    private void WarnInTheEnd()
    {
        _warnings.Complete();
        long empty = _projects.Values.Sum(project => project.EmptyFiles);
        if (empty > 0)
            _logger.LogWarning(
                "{Count} sent without content. The server takes empty files, and may fail to ingest them.",
                empty == 1 ? "1 file was" : $"{empty:N0} files were"
            );
        if (_found == 0 && _finder.Unwanted > 0)
            _logger.LogWarning("No file was sent: -Include and -Exclude left out all {Count:N0} files that were found.", _finder.Unwanted);
    }

    /// <summary>Checks a file that was found, and hands it to its project.</summary>
    private async ValueTask TakeAsync(
        FoundFile file,
        UploadRequest request,
        Func<IUploadTarget, ValueTask<ProjectUploads>> projectOf,
        UploadCall call,
        CancellationToken cancellationToken
    )
    {
        _found++;
        _meter.Found(file.Length);
        string remoteName = request.RemoteName ?? Path.GetFileName(file.Path);
        IngestException? error = file.Error;
        SkipReason? skipped = file.LeftOut;
        UploadItem item = new(file.Path, remoteName, file.Length, request.Target) { LastWriteTime = file.LastWriteTime };
        ProjectUploads? project = null;
        ProjectRehearsal? rehearsal = null;
        KnownFile known = default;
        try
        {
            if (error is null)
            {
                remoteName = request.RemoteName ?? request.Target.NameFor(_names.NameOf(file));
                item = item with { RemoteName = remoteName };
                (error, skipped) = Check(file, remoteName, request);
            }

            if (error is null && _options.SendsNothing)
                rehearsal = await RehearsalOfAsync(request.Target, cancellationToken).ConfigureAwait(false);
            else if (error is null && _options.Journal.IsOn)
                project = await projectOf(request.Target).ConfigureAwait(false);
            if ((rehearsal?.Known ?? project?.Known) is { } place && !(rehearsal?.IsClosed ?? project!.IsClosed))
                known = await _knownFiles.JudgeAsync(item, place, cancellationToken).ConfigureAwait(false);

            if (error is null && known.Reason is null && request.Target.FindContentDoubt(item) is { } contentDoubt)
                _warnings.Add(Redaction.EscapeControls(file.Path), contentDoubt);
        }
        catch (IngestException e) when (e.ErrorId != ErrorId.JournalUnavailable)
        {
            error = e;
        }

        if (error is not null)
        {
            await RefuseAsync(item, skipped, error, call).ConfigureAwait(false);
            return;
        }

        if (known.Reason is { } reason)
        {
            if (project is not null)
                await project.SkipAsync(item, known).ConfigureAwait(false);
            else if (_options.IsDryRun)
                await TellAsync(UploadResults.AlreadyThere(item, reason, known.Record!)).ConfigureAwait(false);
            return;
        }

        if (_options.Confirm is not null && !await _options.Confirm(item).ConfigureAwait(false))
        {
            _meter.Sent(file.Length);
            _meter.Done(failed: false);
            return;
        }

        if (request.Target.WhyDoubtful(remoteName) is { } doubt)
            _warnings.Add(Redaction.EscapeControls(file.Path), $"{doubt}.");
        if (_options.Force && request.Target.WhyUseless(remoteName) is { } ignored)
            _warnings.Add(Redaction.EscapeControls(file.Path), $"It is sent because of -Force, although {ignored}.");
        if (rehearsal is not null)
        {
            if (_options.IsDryRun)
                await TellAsync(rehearsal.Plan(item)).ConfigureAwait(false);
            return;
        }

        project ??= await projectOf(request.Target).ConfigureAwait(false);
        await project.AddAsync(item, cancellationToken).ConfigureAwait(false);

        ValueTask TellAsync(UploadResult result)
        {
            _meter.Sent(item.Length);
            _meter.Done(result.Status == UploadStatus.Failed);
            return call.WriteAsync(result);
        }
    }

    private async ValueTask<ProjectRehearsal> RehearsalOfAsync(IUploadTarget target, CancellationToken cancellationToken)
    {
        if (!_rehearsals.TryGetValue(target.QueueKey, out ProjectRehearsal? rehearsal))
        {
            rehearsal = await ProjectRehearsal.BeginAsync(target, _options, _logger, cancellationToken).ConfigureAwait(false);
            _rehearsals.Add(target.QueueKey, rehearsal);
        }

        return rehearsal;
    }

    /// <summary>A tenth of a second may pass at once, to make up for timers that are late.</summary>
    private RateLimiter? CreateRate() =>
        _options.MaxBytesPerSecond is { } bytes ? new RateLimiter(bytes, atOnce: bytes / 10.0, _time) : null;

    /// <summary>Writes the result of a file that is not sent.</summary>
    private async ValueTask RefuseAsync(UploadItem item, SkipReason? skipped, IngestException error, UploadCall call)
    {
        _meter.Sent(item.Length);
        _meter.Done(skipped is null);
        if (DescribeLeftOut(item, skipped) is { } leftOut)
            _warnings.Add(Redaction.EscapeControls(item.Path), leftOut);
        UploadResult result = UploadResults.Refused(item, skipped, error);
        if (skipped is null && _projects.TryGetValue(item.Target.QueueKey, out ProjectUploads? project))
            await project.Job.RecordAsync(result).ConfigureAwait(false);
        else if (skipped is null && _options.Journal.IsOn)
            KeepFailure(item.Target.QueueKey, result);
        await call.WriteAsync(result).ConfigureAwait(false);
    }

    /// <summary>What is said of a file that is left out on purpose, the same for all of its kind; null where it is not.</summary>
    private static string? DescribeLeftOut(UploadItem item, SkipReason? skipped) =>
        skipped switch
        {
            SkipReason.NotUsed => $"It is left out: {item.Target.WhyUseless(item.RemoteName)}. -Force sends it.",
            SkipReason.LinkToFolder => "It is left out: links to folders are not followed, since they can lead in circles.",
            SkipReason.DeadLink => "It is left out: this link leads to no file.",
            SkipReason.GivenTwice => "It was given more than once, and is sent once.",
            _ => null,
        };

    private void KeepFailure(object project, UploadResult result)
    {
        if (!_failedBefore.TryGetValue(project, out List<UploadResult>? failed))
            _failedBefore.Add(project, failed = []);
        if (failed.Count < MaxFailedBefore)
            failed.Add(result);
    }

    /// <summary>Why a file is not sent, and why it is left out on purpose where it is; no error where it is sent.</summary>
    private (IngestException? Error, SkipReason? Skipped) Check(FoundFile file, string remoteName, UploadRequest request)
    {
        IUploadTarget target = request.Target;
        if (!IsUnicode(remoteName))
            return (Refuse(ErrorId.NameRejected, "The name of {1} is not valid Unicode, so it cannot be sent.", "Rename the file."), null);
        if (HasEmptyOrDotSegment(remoteName))
            return (
                Refuse(
                    ErrorId.NameRejected,
                    "'{0}' leads out of the server's folder, or has an empty part.",
                    "Check -BasePath and -Destination."
                ),
                null
            );
        if (!_options.Force && target.WhyUseless(remoteName) is { } useless)
            return (
                Refuse(ErrorId.NameRejected, $"'{{0}}' was left out: {useless}.", "Give -Force to send it all the same."),
                SkipReason.NotUsed
            );
        if (!_options.Force && target.WhyRefused(remoteName) is { } refused)
            return (
                Refuse(
                    ErrorId.NameRejected,
                    $"'{{0}}' would be refused: {refused}.",
                    "Rename the file, or give -Force to let the server decide."
                ),
                null
            );
        NameTaking taking = _collisions.Take(request, file, remoteName);
        if (taking == NameTaking.SameFile)
            return (
                Refuse(ErrorId.NameCollision, "{1} was given twice in this call; it is sent once.", "Give each file once."),
                SkipReason.GivenTwice
            );
        if (taking == NameTaking.Taken)
        {
            return (
                Refuse(
                    ErrorId.NameCollision,
                    "{1} would get the name '{0}', which another file of this call has.",
                    $"{(target.IsFlat ? "Give -UniqueName" : "Give a -BasePath that keeps their folders apart")}, or rename one of "
                        + $"them. Names that differ only in Unicode form are equal."
                ),
                null
            );
        }

        return (null, null);

        IngestException Refuse(ErrorId errorId, string message, string advice) =>
            new(
                errorId,
                message
                    .Replace("{0}", Redaction.EscapeControls(remoteName), StringComparison.Ordinal)
                    .Replace("{1}", Redaction.EscapeControls(file.Path), StringComparison.Ordinal)
            )
            {
                Service = target.Service,
                Operation = "upload",
                Advice = advice,
                Target = file.Path,
            };
    }

    private static bool HasEmptyOrDotSegment(string name)
    {
        for (int start = 0; start <= name.Length; )
        {
            int slash = name.IndexOf('/', start);
            int end = slash < 0 ? name.Length : slash;
            if (name.AsSpan(start, end - start) is "" or "." or "..")
                return true;
            start = end + 1;
        }

        return false;
    }

    private static bool IsUnicode(string name)
    {
        foreach (Rune rune in name.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar)
                return false;
        }

        return true;
    }
}
