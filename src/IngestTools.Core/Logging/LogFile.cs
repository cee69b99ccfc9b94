using System.Text;
using System.Threading.Channels;
using IngestTools.Http;

namespace IngestTools.Logging;

/// <summary>
/// A log in a file, as text or as JSON lines, which several processes may write at the same time. Lines are written in the background and
/// are complete after <see cref="Dispose"/>, or when the process ends by itself. A file of 10 MiB is rotated: <c>ingest.log</c> becomes
/// <c>ingest.1.log</c>, and five of these are kept. Another file with such a name stays as it is, and the log grows: see
/// <see cref="TakeWarning"/>. A log that cannot be written stops nothing, and is tried again: see <see cref="TakeFailure"/>.
/// </summary>
public sealed class LogFile : IDisposable
{
    /// <summary>The maximum number of lines that wait to be written.</summary>
    private const int MaxWaiting = 16_384;

    /// <summary>The number of bytes that are written at once.</summary>
    private const int BatchSize = 64 * 1024;

    /// <summary>How long a line waits for room among those that wait.</summary>
    private static readonly TimeSpan RoomLimit = TimeSpan.FromSeconds(1);

    /// <summary>Between two attempts to write.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    /// <summary>How long the end of a process waits for the last lines.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);

    private readonly Channel<byte[]> _lines = Channel.CreateBounded<byte[]>(MaxWaiting);
    private readonly LogFileWriter _writer;
    private readonly LogSeverity _least;
    private readonly bool _isJson;
    private readonly TimeProvider _time;
    private readonly Task _writing;
    private IngestException? _failure;
    private string? _warning;
    private bool _isObstacleReported;
    private long _dropped;
    private volatile bool _isFailing;
    private volatile bool _isClosed;

    private LogFile(LogFileWriter writer, LogSeverity least, bool isJson, TimeProvider time)
    {
        _writer = writer;
        _least = least;
        _isJson = isJson;
        _time = time;
        _writing = Task.Run(WriteAllAsync);
        AppDomain.CurrentDomain.ProcessExit += End;
    }

    /// <summary>The file's full path.</summary>
    public string Path => _writer.Path;

    /// <summary>Opens a log. A new file is readable by its owner alone; lines are added to one that is there.</summary>
    /// <param name="path">The file.</param>
    /// <param name="least">The least weight that is written.</param>
    /// <param name="isJson">Whether each line is a JSON object instead of text.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.FileUnreadable"/>: the file cannot be written.</exception>
    public static LogFile Open(string path, LogSeverity least = LogSeverity.Debug, bool isJson = false, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        LogFileWriter writer;
        try
        {
            writer = new LogFileWriter(path);
            writer.Append([]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw Unwritable(System.IO.Path.GetFullPath(path), e);
        }

        return new LogFile(writer, least, isJson, time ?? TimeProvider.System);
    }

    /// <summary>The log of one source, such as a cmdlet, which each line names.</summary>
    public IngestLog For(string source) => new Source(this, source);

    /// <summary>Why the log cannot be written, once for each time that it could not; null where it can, or that was taken before.</summary>
    public IngestException? TakeFailure() => Interlocked.Exchange(ref _failure, null);

    /// <summary>Why the log is not rotated, once; null where it is, or that was taken before. The log has it as a line too.</summary>
    public string? TakeWarning() => Interlocked.Exchange(ref _warning, null);

    /// <summary>Writes what waits, and closes the log. Waits 5 s at most.</summary>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= End;
        _lines.Writer.TryComplete();
        _isClosed = true;
        _writing.Wait(EndLimit);
    }

    private void End(object? sender, EventArgs e) => Dispose();

    /// <summary>Adds a line. Where the file is not written fast enough the line is dropped after a second, and counted.</summary>
    private void Add(LogSeverity severity, string source, string message)
    {
        byte[] line = Encoding.UTF8.GetBytes(Line(severity, source, message));
        bool isWritten = false;
        SpinWait.SpinUntil(() => (isWritten = _lines.Writer.TryWrite(line)) || _isFailing || _writing.IsCompleted, RoomLimit);
        if (!isWritten)
            Interlocked.Increment(ref _dropped);
    }

    private async Task WriteAllAsync()
    {
        using MemoryStream batch = new();
        while (await _lines.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            batch.SetLength(0);
            if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
                batch.Write(Encoding.UTF8.GetBytes(Line(LogSeverity.Warning, "log", $"{dropped:N0} lines were not written.")));
            while (batch.Length < BatchSize && _lines.Reader.TryRead(out byte[]? line))
                batch.Write(line);
            await WriteAsync(batch).ConfigureAwait(false);
            if (_writer.Obstacle is { } obstacle && !_isObstacleReported)
                await ReportAsync(obstacle, batch).ConfigureAwait(false);
        }
    }

    /// <summary>Warns once of a file that prevents the rotation.</summary>
    private async Task ReportAsync(string obstacle, MemoryStream batch)
    {
        _isObstacleReported = true;
        string warning = Redaction.EscapeControls(
            $"The log '{Path}' is not rotated and grows: '{obstacle}' is not an older part of it. "
                + "Move or rename that file, or log to another file."
        );
        batch.SetLength(0);
        batch.Write(Encoding.UTF8.GetBytes(Line(LogSeverity.Warning, "log", warning)));
        await WriteAsync(batch).ConfigureAwait(false);
        Volatile.Write(ref _warning, warning);
    }

    /// <summary>
    /// Writes a batch, and tries again until it can be written or the log is closed. The first failure is kept to be told.
    /// </summary>
    private async Task WriteAsync(MemoryStream batch)
    {
        while (true)
        {
            try
            {
                _writer.Append(batch.GetBuffer().AsSpan(0, (int)batch.Length));
                _isFailing = false;
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                if (!_isFailing)
                    _failure = Unwritable(Path, e);
                _isFailing = true;
            }

            if (_lines.Reader.Completion.IsCompleted || _isClosed)
                return;
            await Task.Delay(RetryPause).ConfigureAwait(false);
        }
    }

    private string Line(LogSeverity severity, string source, string message) =>
        _isJson
            ? LogLine.ToJson(_time.GetLocalNow(), severity, source, message)
            : LogLine.ToText(_time.GetLocalNow(), severity, source, message);

    private static IngestException Unwritable(string path, Exception cause) =>
        new(ErrorId.FileUnreadable, $"The log {Redaction.EscapeControls(path)} cannot be written: {cause.Message.TrimEnd('.')}.", cause)
        {
            Operation = "log",
            Advice = "Check the folder and its space, or log to another file.",
            Target = path,
        };

    private sealed class Source(LogFile file, string name) : IngestLog
    {
        public override bool IsOn(LogSeverity severity) => severity >= file._least && !file._writing.IsCompleted;

        public override void Write(LogSeverity severity, string message)
        {
            if (IsOn(severity))
                file.Add(severity, name, message);
        }
    }
}
