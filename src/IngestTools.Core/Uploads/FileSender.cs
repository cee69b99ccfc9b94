using IngestTools.Http;
using IngestTools.Journal;
using Microsoft.Extensions.Logging;

namespace IngestTools.Uploads;

/// <summary>Sends one file to its end: as often as failures allow, and again while others hold the server's lock.</summary>
internal sealed class FileSender(
    IUploadTarget target,
    UploadOptions options,
    IUploadJob job,
    UploadMeter meter,
    AdaptiveConcurrencyLimiter limiter,
    RateLimiter? rate,
    ILogger logger,
    TimeProvider time
)
{
    private static readonly TimeSpan FirstLockPause = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan LongestLockPause = TimeSpan.FromSeconds(2);

    /// <summary>An upload holds the lock for less; an ingest for longer.</summary>
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromSeconds(2);

    /// <summary>Sends a file.</summary>
    /// <param name="item">The file.</param>
    /// <param name="slot">Its slot. It is left when this returns.</param>
    /// <param name="sentMeanwhile">Finds out whether others sent it; null where nothing is recorded.</param>
    /// <param name="cancellationToken">Aborts what is under way.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.JournalUnavailable"/>: what cannot be recorded is not sent.</exception>
    public async Task<SendOutcome> SendAsync(
        UploadItem item,
        UploadSlot slot,
        SentMeanwhile? sentMeanwhile,
        CancellationToken cancellationToken
    )
    {
        using FileBody body = new(item.Path, meter, rate);
        TimeSpan locked = TimeSpan.Zero;
        for (TimeSpan pause = FirstLockPause; ; pause = pause * 2 < LongestLockPause ? pause * 2 : LongestLockPause)
        {
            try
            {
                if (await FindAsync(item, slot, sentMeanwhile, cancellationToken).ConfigureAwait(false) is { } known)
                    return new SendOutcome(null, null, known);
                if (job.Failure is { } failure)
                    throw failure;
                meter.Sending(item.Path);
                object answer = await item.Target.SendAsync(item, body.Open, slot, cancellationToken).ConfigureAwait(false);
                slot.LeaveAnswered(item.Length);
                return new SendOutcome(body.Complete(item, answer), null, null);
            }
            catch (IngestException e) when (e.ErrorId == ErrorId.Locked)
            {
                body.Undo();
                slot.LeaveLocked();
                // The wait for a slot is not a wait for the server's lock.
                locked += slot.Inside + pause;
                if (locked >= options.LockTimeout)
                    return new SendOutcome(null, StillLocked(item, e), null);
            }
            catch (IngestException e) when (e.ErrorId != ErrorId.JournalUnavailable)
            {
                body.Undo();
                return new SendOutcome(null, e, null);
            }
            finally
            {
                slot.Leave();
            }

            if (locked >= RefreshAfter)
                sentMeanwhile?.MarkStale();
            if (logger.IsEnabled(LogLevel.Debug))
            {
                logger.LogDebug(
                    "{Target} is locked; {Path} is sent again. At most {Limit} at once now.",
                    target.Description,
                    item.Path,
                    limiter.Limit
                );
            }

            slot.Pause(isAttempt: true);
            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Takes the slot. Whether others sent the file is asked without it, since that can wait for the server's lock, and again where it
    /// became doubtful during the wait for the slot.
    /// </summary>
    private static async ValueTask<KnownFile?> FindAsync(
        UploadItem item,
        UploadSlot slot,
        SentMeanwhile? sentMeanwhile,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            long stale = sentMeanwhile?.FindStaleSince() ?? 0;
            if (sentMeanwhile is not null && await sentMeanwhile.FindAsync(item, cancellationToken).ConfigureAwait(false) is { } known)
                return known;
            await slot.AcquireAsync(cancellationToken).ConfigureAwait(false);
            if (sentMeanwhile is null || sentMeanwhile.FindStaleSince() == stale)
                return null;
            slot.Leave();
        }
    }

    private IngestException StillLocked(UploadItem item, IngestException error) =>
        error.With(
            message: $"{item.RemoteName} was not uploaded: others held the lock of {target.Description} for "
                + $"{options.LockTimeout.TotalSeconds:0} s.",
            advice: "Wait until the other uploads or the bulk ingest have ended, then send it again."
        );
}

/// <summary>How the sending of a file ended: one of three.</summary>
/// <param name="Sent">The file was sent.</param>
/// <param name="Error">Why it was not sent.</param>
/// <param name="Known">Others had sent it.</param>
internal readonly record struct SendOutcome(SentFile? Sent, IngestException? Error, KnownFile? Known);
