using IngestTools.Journal;
using Microsoft.Extensions.Logging;

namespace IngestTools.Uploads;

/// <summary>
/// Finds files that somebody else sent after they were compared with the journal: while the project was locked for long, which is an
/// ingest, while this process was stopped, as by Ctrl+Z, or by another call of this process that has ended. A file that is sent again after
/// its ingest is ingested twice.
/// </summary>
internal sealed class SentMeanwhile(
    IUploadTarget target,
    IUploadJob job,
    IPlaceJournal known,
    KnownFiles knownFiles,
    UploadOptions options,
    ILogger logger,
    TimeProvider time
) : IDisposable
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(2);

    /// <summary>A process that runs ticks more often than this, also on a busy machine.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _refreshing = new(1);
    private ITimer? _ticks;
    private long _tick;
    private long _staleSince;
    private long _refreshed;
    private long _endedBeside;

    /// <summary>Begins to notice whether this process is stopped.</summary>
    public void Watch()
    {
        _tick = time.GetTimestamp();
        _ticks = time.CreateTimer(static state => ((SentMeanwhile)state!).Tick(), this, TickInterval, TickInterval);
    }

    /// <summary>Finds out when it last became doubtful what is known of files; 0 where it never did.</summary>
    public long FindStaleSince()
    {
        Tick();
        long ended = job.EndedBeside;
        if (Interlocked.Read(ref _endedBeside) != ended)
        {
            // Another worker must not see the new number before the doubt.
            MarkStale();
            Interlocked.Exchange(ref _endedBeside, ended);
        }

        return Interlocked.Read(ref _staleSince);
    }

    /// <summary>What was found of files so far may no longer hold. Each is compared again before it is sent.</summary>
    public void MarkStale() => Interlocked.Exchange(ref _staleSince, time.GetTimestamp());

    /// <summary>
    /// What is known of a file that need not be sent any more; null where it is to be sent. Waits while the project is locked.
    /// </summary>
    public ValueTask<KnownFile?> FindAsync(UploadItem item, CancellationToken cancellationToken) =>
        FindStaleSince() is > 0 and long since ? new(CompareAsync(item, since, cancellationToken)) : default;

    public void Dispose()
    {
        _ticks?.Dispose();
        _refreshing.Dispose();
    }

    private async Task<KnownFile?> CompareAsync(UploadItem item, long since, CancellationToken cancellationToken)
    {
        await _refreshing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await RefreshAsync(since, cancellationToken).ConfigureAwait(false);
            KnownFile found = await knownFiles.JudgeAsync(item, known, cancellationToken).ConfigureAwait(false);
            return found.Reason is null ? null : found;
        }
        catch (IngestException e) when (e.ErrorId != ErrorId.JournalUnavailable)
        {
            // The attempt that follows fails for the same reason, or it does not.
            logger.LogDebug("Whether {Path} was ingested cannot be found out: {Reason}", item.Path, e.Message);
            return null;
        }
        finally
        {
            _refreshing.Release();
        }
    }

    private async Task RefreshAsync(long since, CancellationToken cancellationToken)
    {
        long began = time.GetTimestamp();
        while (_refreshed < since)
        {
            long asked = time.GetTimestamp();
            known.Refresh();
            if (await target.PrepareAsync(options.Journal, known, cancellationToken).ConfigureAwait(false))
                _refreshed = asked;
            else if (time.GetElapsedTime(began) >= options.LockTimeout)
                return;
        }
    }

    /// <summary>Notices that this process was stopped for a while. Other processes did not wait for it.</summary>
    private void Tick()
    {
        long now = time.GetTimestamp();
        if (_ticks is not null && time.GetElapsedTime(Interlocked.Exchange(ref _tick, now), now) > StopLimit)
            MarkStale();
    }
}
