using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>
/// One call of Send-IngestFile into one place. Its results are written by one task, those that end close together in one transaction.
/// </summary>
internal sealed class SqliteUploadJob : IUploadJob
{
    /// <summary>
    /// The maximum number of results that wait to be written. Uploads wait while it is reached. So a kill takes at most twice this number
    /// from the journal, those that wait and those that are being written, and their files are sent again.
    /// </summary>
    private const int MaxWaiting = 256;

    /// <summary>Results that end within this time are written together, unless <see cref="MaxWaiting"/> is reached before.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(20);

    /// <summary>How many jobs of this process have ended, by journal and place.</summary>
    private static readonly ConcurrentDictionary<(string Journal, long Place), StrongBox<long>> Ended = new();

    private readonly JournalFile _file;
    private readonly SqliteConnection _connection;
    private readonly FileTable _files;
    private readonly long _place;
    private readonly long _call;
    private readonly StrongBox<long> _ended;
    private readonly long _endedBefore;
    private readonly TimeProvider _time;
    private readonly Channel<Entry> _entries = Channel.CreateBounded<Entry>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly Task _writing;
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _full = new(0);
    private long _skipped;
    private long _skippedWritten;
    private bool _hasEnded;
    private volatile IngestException? _failure;

    public SqliteUploadJob(JournalFile file, JournalPlace place, string connection, long? call, TimeProvider time)
    {
        _file = file;
        _time = time;
        _connection = file.Open(isDurable: false);
        _files = new FileTable(_connection);
        try
        {
            (_place, Number) = JournalAccess.Run(file.Path, () => Begin(place, connection, call));
        }
        catch
        {
            _files.Dispose();
            _connection.Dispose();
            throw;
        }

        _call = call ?? Number;
        _ended = Ended.GetOrAdd((file.Path, _place), static _ => new StrongBox<long>());
        _endedBefore = Volatile.Read(ref _ended.Value);
        _writing = Task.Run(WriteAllAsync);
    }

    public long Number { get; }

    public IngestException? Failure => _failure;

    public OlderJob? FindOlder() =>
        JournalAccess.Run<OlderJob?>(
            _file.Path,
            () =>
            {
                // Only older calls are waited for, so that two that send to the same two places cannot wait for each other.
                using SqliteConnection connection = _file.Open(isDurable: false);
                List<(OlderJob Job, string Start)> older = connection.Read(
                    "SELECT id, process, process_start, uploaded + failed + skipped + bytes FROM job WHERE place = $place AND call < "
                        + "$call AND status = $running AND machine = $machine AND process <> $process ORDER BY id",
                    static r => (new OlderJob(r.GetInt64(0), r.GetInt32(1), r.GetInt64(3)), r.GetString(2)),
                    ("$place", _place),
                    ("$call", _call),
                    ("$running", (int)IngestJobStatus.Running),
                    ("$machine", ProcessIdentity.Machine),
                    ("$process", ProcessIdentity.Current.Number)
                );
                foreach ((OlderJob job, string start) in older)
                {
                    if (ProcessIdentity.IsActive(job.ProcessId, start))
                        return job;
                }

                return null;
            }
        );

    public long EndedBeside => Volatile.Read(ref _ended.Value) - _endedBefore;

    public ValueTask RecordAsync(JournaledFile file, long? bytes) => AddAsync(new Entry(file, bytes, null));

    public ValueTask RecordAsync(UploadResult result) => AddAsync(new Entry(null, null, result));

    public void Skip() => Interlocked.Increment(ref _skipped);

    public async Task CompleteAsync(IngestJobStatus status)
    {
        _entries.Writer.TryComplete();
        await _ending.CancelAsync().ConfigureAwait(false);
        await _writing.ConfigureAwait(false);
        // A job whose results could not all be recorded is not complete. It has ended nevertheless: other processes wait for it.
        End(_failure is null ? status : IngestJobStatus.Interrupted);
    }

    public void Dispose()
    {
        _entries.Writer.TryComplete();
        _ending.Cancel();
        try
        {
            _writing.GetAwaiter().GetResult();
            End(IngestJobStatus.Interrupted);
        }
        finally
        {
            _files.Dispose();
            _connection.Dispose();
            _ending.Dispose();
            _full.Dispose();
        }
    }

    private void End(IngestJobStatus status)
    {
        if (_hasEnded)
            return;
        _hasEnded = true;
        try
        {
            JournalAccess.Run(
                _file.Path,
                () =>
                    _connection.Execute(
                        "UPDATE job SET status = $status, ended = $ended, skipped = skipped + $skipped WHERE id = $id",
                        ("$status", (int)status),
                        ("$ended", _time.GetUtcNow().ToUnixTimeMilliseconds()),
                        ("$skipped", TakeSkipped()),
                        ("$id", Number)
                    )
            );
        }
        catch (IngestException e)
        {
            _failure ??= e;
        }
        finally
        {
            Interlocked.Increment(ref _ended.Value);
        }
    }

    private (long Place, long Number) Begin(JournalPlace place, string connection, long? call)
    {
        using SqliteTransaction transaction = _connection.BeginTransaction();
        long id = PlaceTable.IdOf(_connection, place);
        long number = _connection
            .ReadNumber(
                """
                INSERT INTO job (place, call, connection, started, status, machine, process, process_start)
                VALUES ($place, $call, $connection, $started, $status, $machine, $process, $start) RETURNING id
                """,
                ("$place", id),
                ("$call", call ?? 0),
                ("$connection", connection),
                ("$started", _time.GetUtcNow().ToUnixTimeMilliseconds()),
                ("$status", (int)IngestJobStatus.Running),
                ("$machine", ProcessIdentity.Machine),
                ("$process", ProcessIdentity.Current.Number),
                ("$start", ProcessIdentity.Current.Start)
            )!
            .Value;
        if (call is null)
            _connection.Execute("UPDATE job SET call = id WHERE id = $id", ("$id", number));
        transaction.Commit();
        return (id, number);
    }

    private async ValueTask AddAsync(Entry entry)
    {
        if (_failure is null && !_entries.Writer.TryWrite(entry))
            await AddLaterAsync(entry).ConfigureAwait(false);
    }

    private async Task AddLaterAsync(Entry entry)
    {
        try
        {
            _full.Release();
            await _entries.Writer.WriteAsync(entry).ConfigureAwait(false);
        }
        catch (ChannelClosedException) when (_failure is not null)
        {
            // The failure says that nothing more is recorded.
            return;
        }
    }

    private async Task WriteAllAsync()
    {
        try
        {
            while (await _entries.Reader.WaitToReadAsync().ConfigureAwait(false))
            {
                JournalAccess.Run(_file.Path, WriteWaiting);
                if (!_ending.IsCancellationRequested)
                    await GatherAsync().ConfigureAwait(false);
            }
        }
        catch (IngestException e)
        {
            _failure = e;
        }
        finally
        {
            // Nobody reads any more, so nobody may wait for room.
            _entries.Writer.TryComplete();
        }
    }

    /// <summary>Lets results come together, until their time is over or uploads wait for room.</summary>
    private async Task GatherAsync()
    {
        await ((Task)_full.WaitAsync(Gathering, _ending.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (_full.Wait(0))
        {
            // Each waiting upload has reported this once.
        }
    }

    private void WriteWaiting()
    {
        List<JournaledFile> files = [];
        List<UploadResult> failures = [];
        long uploaded = 0;
        long bytes = 0;
        for (int count = 0; count < MaxWaiting && _entries.Reader.TryRead(out Entry entry); count++)
        {
            if (entry.Failed is { } result)
                failures.Add(result);
            if (entry.File is { } file)
                files.Add(file with { Job = entry.Bytes is null ? 0 : Number });
            if (entry.Bytes is { } sent)
                (uploaded, bytes) = (uploaded + 1, bytes + sent);
        }

        _files.Write(
            _place,
            files,
            () =>
            {
                failures.ForEach(WriteFailure);
                _connection.Execute(
                    "UPDATE job SET uploaded = uploaded + $uploaded, failed = failed + $failed, skipped = skipped + $skipped, bytes = "
                        + "bytes + $bytes WHERE id = $id",
                    ("$uploaded", uploaded),
                    ("$failed", failures.Count),
                    ("$skipped", TakeSkipped()),
                    ("$bytes", bytes),
                    ("$id", Number)
                );
            }
        );
    }

    private void WriteFailure(UploadResult result) =>
        _connection.Execute(
            "INSERT INTO failure (job, path, name, length, error, message) VALUES ($job, $path, $name, $length, $error, $message)",
            ("$job", Number),
            ("$path", result.Path),
            ("$name", result.RemoteName),
            ("$length", result.Length),
            ("$error", (result.Error?.ErrorId ?? ErrorId.Rejected).ToString()),
            ("$message", result.Error?.Message ?? "")
        );

    private long TakeSkipped()
    {
        long skipped = Interlocked.Read(ref _skipped);
        long more = skipped - _skippedWritten;
        _skippedWritten = skipped;
        return more;
    }

    private readonly record struct Entry(JournaledFile? File, long? Bytes, UploadResult? Failed);
}
