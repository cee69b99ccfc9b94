using System.ComponentModel;
using System.Management.Automation;
using System.Threading.Channels;
using IngestTools.Http;
using IngestTools.Logging;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>
/// A cmdlet whose work runs on other threads. The work posts what is to be written; the pipeline's thread takes the posts in order and
/// writes them. When the pipeline ends early, for whatever reason, the work is canceled and waited for before the cmdlet returns.
/// </summary>
/// <remarks>
/// <see cref="Run"/> is for work that belongs to one input object. <see cref="Start"/>, <see cref="Feed"/> and <see cref="Finish"/> are for
/// work that lives as long as the cmdlet and takes input as it comes.
/// <para>
/// After <c>| Select-Object -First 1</c> PowerShell calls neither StopProcessing nor EndProcessing: all that happens is that writing
/// throws. So the work is torn down wherever writing throws, and in <see cref="Dispose()"/>.
/// </para>
/// </remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class AsyncCmdlet : PSCmdlet, IDisposable
{
    /// <summary>
    /// Often enough for a person, and seldom for the terminal: outside Windows PowerShell asks it for the cursor's place with each
    /// painting, and a Ctrl+C in the moment before the answer makes the terminal drop that answer, which PowerShell then waits for without
    /// end.
    /// </summary>
    private const int ProgressIntervalMs = 1000;

    /// <summary>Within the two seconds in which Ctrl+C must bring the prompt back.</summary>
    private static readonly TimeSpan TeardownLimit = TimeSpan.FromSeconds(1.5);

    private readonly CancellationTokenSource _stop = new();
    private readonly object _stopLock = new();
    private readonly HashSet<int> _bars = [];
    private PipelineQueue? _queue;
    private Task? _work;
    private IngestLog? _log;
    private int _pipelineThread;

    /// <summary>The pipeline has ended, so nothing can be written any more.</summary>
    private bool _ended;

    private long _progressShownAt;
    private int _waitMs = Timeout.Infinite;

    /// <summary>Canceled when the pipeline ends early.</summary>
    private protected CancellationToken StopToken => _stop.Token;

    /// <summary>Where Core's log goes: into the verbose, debug and warning streams.</summary>
    private protected IngestLog Log => _log ??= CreateLog();

    /// <summary>Whether the cmdlet only says what it would do.</summary>
    private protected bool IsWhatIf => IsSwitchedOn("WhatIf", "WhatIfPreference");

    /// <summary>Whether ShouldProcess would do anything but return true: ask, say what it would do, or say what it does.</summary>
    private protected bool IsShouldProcessHeard =>
        IsWhatIf || IsSwitchedOn("Confirm", null) || IsConfirmPreferenceLow() || IsStreamOn("Verbose", "VerbosePreference");

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => Cancel();

    /// <summary>Ends the work, if the pipeline did not live to see its end.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        Abandon();
        (_log as SessionLog)?.End();
        lock (_stopLock)
        {
            _ended = true;
            _stop.Dispose();
        }
    }

    /// <summary>Called on the pipeline's thread while work runs, once a second, and not at all where progress is not shown.</summary>
    protected virtual void ReportProgress() { }

    /// <summary>Writes an error, to the session's log too.</summary>
    private protected new void WriteError(ErrorRecord error)
    {
        LogError(error);
        base.WriteError(error);
    }

    /// <summary>Ends the pipeline with an error, which is written to the session's log too.</summary>
    private protected new void ThrowTerminatingError(ErrorRecord error)
    {
        LogError(error);
        base.ThrowTerminatingError(error);
    }

    /// <summary>Writes a warning, to the session's log too.</summary>
    private protected new void WriteWarning(string message)
    {
        LogShown(LogSeverity.Warning, message);
        base.WriteWarning(message);
    }

    private void LogError(ErrorRecord error) => LogShown(LogSeverity.Error, $"{error.FullyQualifiedErrorId}: {error.Exception.Message}");

    /// <summary>Writes what the cmdlet itself shows to the session's log. Core's log writes its own lines there.</summary>
    private void LogShown(LogSeverity severity, string message) => (Log as SessionLog)?.WriteLine(severity, Redaction.HideSecrets(message));

    /// <summary>Shows a progress bar. It goes away with the work.</summary>
    internal void ShowProgress(ProgressRecord record)
    {
        if (record.RecordType == ProgressRecordType.Completed)
            _bars.Remove(record.ActivityId);
        else
            _bars.Add(record.ActivityId);
        WriteProgress(record);
    }

    /// <summary>Runs work to its end, writing what it posts as it comes.</summary>
    private protected void Run(Func<CancellationToken, Task> work)
    {
        Start(work);
        EndWork();
    }

    /// <summary>Runs work for one input object. If it fails, that is written as an error, and the next object has its turn.</summary>
    private protected void RunFor(object? input, Func<CancellationToken, Task> work)
    {
        try
        {
            Run(work);
        }
        catch (IngestException e) when (IsSoForAll(e))
        {
            ThrowTerminatingError(e.ToErrorRecord(input));
        }
        catch (IngestException e)
        {
            WriteError(e.ToErrorRecord(input));
        }
    }

    /// <summary>Whether an error of one input object would be that of every other one too, and so ends the cmdlet.</summary>
    private protected virtual bool IsSoForAll(IngestException error) => false;

    /// <summary>Begins work that lives until <see cref="Finish"/>.</summary>
    private protected void Start(Func<CancellationToken, Task> work)
    {
        PipelineQueue queue = new();
        CancellationToken cancellationToken = _stop.Token;
        _queue = queue;
        _log ??= CreateLog();
        _progressShownAt = Environment.TickCount64;
        _waitMs = IsStreamOn("ProgressAction", "ProgressPreference") ? ProgressIntervalMs : Timeout.Infinite;
        _work = Task.Run(
            async () =>
            {
                try
                {
                    await work(cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    queue.Complete();
                }
            },
            CancellationToken.None
        );
    }

    /// <summary>
    /// Hands input to the work, and writes what it has posted so far. While the work takes no more input, this waits and continues to
    /// write.
    /// </summary>
    /// <returns>False where the work has ended and takes no more.</returns>
    private protected bool Feed<T>(ChannelWriter<T> input, T item)
    {
        bool runs = _work is not null;
        while (runs && !input.TryWrite(item))
            runs = PumpUntil(input.WaitToWriteAsync().AsTask());
        runs = runs && PumpReady();
        if (!runs)
            Finish();
        return runs;
    }

    /// <summary>Writes what the work has posted so far, without waiting.</summary>
    private protected void Pump()
    {
        if (_work is not null && !PumpReady())
            Finish();
    }

    /// <summary>Writes what the work posts until it ends. What it threw ends the cmdlet.</summary>
    private protected void Finish()
    {
        try
        {
            EndWork();
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord());
        }
    }

    /// <summary>Writes what the work posts until it ends, and throws what it threw.</summary>
    private void EndWork()
    {
        if (_work is not { } work)
            return;
        PumpUntil(null);
        _work = null;
        _queue = null;
        CompleteProgress();
        try
        {
            work.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    /// <summary>Called by the work: writes an object.</summary>
    internal ValueTask PostAsync(object? output, CancellationToken cancellationToken) =>
        PostAsync(PostKind.Output, output, cancellationToken);

    /// <summary>Called by the work: writes several objects.</summary>
    internal ValueTask PostManyAsync(object[] outputs, CancellationToken cancellationToken) =>
        PostAsync(PostKind.Outputs, outputs, cancellationToken);

    /// <summary>Called by the work: writes an error.</summary>
    internal ValueTask PostErrorAsync(ErrorRecord error, CancellationToken cancellationToken) =>
        PostAsync(PostKind.Error, error, cancellationToken);

    /// <summary>Called by the work: writes a warning, to the session's log too.</summary>
    internal ValueTask PostWarningAsync(string message, CancellationToken cancellationToken)
    {
        LogShown(LogSeverity.Warning, message);
        return PostAsync(PostKind.Warning, message, cancellationToken);
    }

    /// <summary>
    /// Called by the work: writes objects, and errors among them, as they come, many in one post where they come quickly and none late
    /// where they do not.
    /// </summary>
    private protected async Task PostAllAsync<T>(IAsyncEnumerable<T> outputs, CancellationToken cancellationToken)
        where T : class
    {
        const int MostInOnePost = 256;
        List<T> batch = new(MostInOnePost);
        await using IAsyncEnumerator<T> enumerator = outputs.GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            ValueTask<bool> next = enumerator.MoveNextAsync();
            if (batch.Count == MostInOnePost || (!next.IsCompleted && batch.Count > 0))
            {
                await PostManyAsync(batch.ToArray(), cancellationToken).ConfigureAwait(false);
                batch.Clear();
            }

            try
            {
                if (!await next.ConfigureAwait(false))
                    break;
            }
            catch (IngestException) when (batch.Count > 0)
            {
                // What came before the error is right.
                await PostManyAsync(batch.ToArray(), cancellationToken).ConfigureAwait(false);
                throw;
            }

            batch.Add(enumerator.Current);
        }

        if (batch.Count > 0)
            await PostManyAsync(batch.ToArray(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Called by the work: asks on the pipeline's thread, and waits for the answer.</summary>
    private protected async ValueTask<bool> AskAsync(Func<bool> question, CancellationToken cancellationToken)
    {
        PipelineQuestion asked = new(question);
        await PostAsync(PostKind.Question, asked, cancellationToken).ConfigureAwait(false);
        return await asked.Answer.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Work that was given up may still try; nobody is there to read.</summary>
    private ValueTask PostAsync(PostKind kind, object? content, CancellationToken cancellationToken) =>
        _queue is { } queue
            ? queue.AddAsync(new PipelinePost(kind, content), cancellationToken)
            : ValueTask.FromCanceled(new CancellationToken(canceled: true));

    /// <summary>Writes what is there without waiting for more; false where the work has ended.</summary>
    private bool PumpReady() => PumpUntil(Task.CompletedTask);

    /// <summary>Writes posts until <paramref name="other"/> has ended (true) or the work has (false).</summary>
    private bool PumpUntil(Task? other)
    {
        try
        {
            while (true)
            {
                WriteReady(_queue!);
                ReportProgressIfDue();
                Task<bool> readable = _queue!.WhenReadable();
                if (readable.IsCompleted && !readable.Result)
                    return false;
                if (other is { IsCompleted: true })
                    return true;
                Wait(readable, other);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            TearDown();
            throw new PipelineStoppedException();
        }
        catch
        {
            TearDown();
            throw;
        }
    }

    /// <summary>At most as many as the queue holds, so that input is not kept waiting by work that never pauses.</summary>
    private void WriteReady(PipelineQueue queue)
    {
        for (int left = PipelineQueue.Capacity; left > 0 && queue.TryTake(out PipelinePost post); left--)
            Write(post);
    }

    private void Wait(Task readable, Task? other)
    {
        if (other is null)
            readable.Wait(_waitMs, _stop.Token);
        else
            _ = Task.WaitAny([readable, other], _waitMs, _stop.Token);
    }

    private void Write(PipelinePost post)
    {
        switch (post.Kind)
        {
            case PostKind.Output:
                WriteObject(post.Content);
                break;
            case PostKind.Outputs:
                Array.ForEach((object[])post.Content!, WriteOutput);
                break;
            case PostKind.Error:
                WriteError((ErrorRecord)post.Content!);
                break;
            case PostKind.Warning:
                // Whoever posted it has written it to the log.
                base.WriteWarning((string)post.Content!);
                break;
            case PostKind.Verbose:
                WriteVerbose((string)post.Content!);
                break;
            case PostKind.Debug:
                WriteDebug((string)post.Content!);
                break;
            case PostKind.Question:
                ((PipelineQuestion)post.Content!).Ask();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(post));
        }
    }

    private void WriteOutput(object output)
    {
        if (output is ErrorRecord error)
            WriteError(error);
        else
            WriteObject(output);
    }

    /// <summary>Core logs from any thread, and possibly after the cmdlet has ended: that is dropped.</summary>
    private void WriteLog(PostKind stream, string message)
    {
        PipelinePost post = new(stream, message);
        if (_queue is { } queue && Environment.CurrentManagedThreadId != _pipelineThread)
            queue.Add(post);
        else if (!_ended && Environment.CurrentManagedThreadId == _pipelineThread)
            Write(post);
    }

    private IngestLog CreateLog()
    {
        _pipelineThread = Environment.CurrentManagedThreadId;
        PipelineLog streams = new(IsStreamOn("Verbose", "VerbosePreference"), IsStreamOn("Debug", "DebugPreference"), WriteLog);
        return SessionLog.Create(IngestSession.Current, MyInvocation.MyCommand.Name, streams);
    }

    private void ReportProgressIfDue()
    {
        if (_waitMs == Timeout.Infinite || Environment.TickCount64 - _progressShownAt < ProgressIntervalMs)
            return;
        _progressShownAt = Environment.TickCount64;
        ReportProgress();
    }

    private void CompleteProgress()
    {
        if (Stopping)
            return;
        foreach (int bar in _bars)
            WriteProgress(new ProgressRecord(bar, "-", "-") { RecordType = ProgressRecordType.Completed });
        _bars.Clear();
    }

    private void TearDown()
    {
        Abandon();
        CompleteProgress();
    }

    /// <summary>Cancels the work and waits for its end, within limits. It may be gone already.</summary>
    private void Abandon()
    {
        if (_work is not { } work)
            return;
        PipelineQueue queue = _queue!;
        _work = null;
        _queue = null;
        _ended = true;

        // Not on this thread: code that awaits the token would continue here, inside the teardown.
        Task canceled = _stop.CancelAsync();
        queue.Complete();
        Task ended = Task.WhenAll(canceled, work)
            .ContinueWith(t => t.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        ended.Wait(TeardownLimit);
    }

    private void Cancel()
    {
        lock (_stopLock)
        {
            if (!_ended)
                _stop.Cancel();
        }
    }

    /// <summary>Whether a stream goes anywhere: the common parameter decides, else the preference variable.</summary>
    private bool IsStreamOn(string parameter, string preference)
    {
        object? value = MyInvocation.BoundParameters.TryGetValue(parameter, out object? bound) ? bound : GetVariableValue(preference);
        return value switch
        {
            SwitchParameter given => given.IsPresent,
            _ => LanguagePrimitives.TryConvertTo(value, out ActionPreference action)
                && action is not (ActionPreference.SilentlyContinue or ActionPreference.Ignore),
        };
    }

    private bool IsSwitchedOn(string parameter, string? preference)
    {
        if (MyInvocation.BoundParameters.TryGetValue(parameter, out object? bound))
            return LanguagePrimitives.IsTrue(bound);
        return preference is not null && LanguagePrimitives.IsTrue(GetVariableValue(preference));
    }

    private bool IsConfirmPreferenceLow() =>
        !MyInvocation.BoundParameters.ContainsKey("Confirm")
        && LanguagePrimitives.TryConvertTo(GetVariableValue("ConfirmPreference"), out ConfirmImpact preference)
        && preference is ConfirmImpact.Low or ConfirmImpact.Medium;
}
