using IngestTools.Transactions;

namespace IngestTools.Services.DspIngest;

/// <summary>
/// Waits for the lock of a project. Uploads, bulk ingests, finalizing and reads of the mapping hold it, whoever called them. The server has
/// no queue: it refuses a call that does not get the lock within 400 ms.
/// </summary>
internal sealed class ProjectLock(BulkIngestRoutes routes, Shortcode shortcode)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Waits after a call was refused because of the lock: once in any case, since whoever repeats the call at once holds up the others.
    /// </summary>
    /// <param name="limit">How long it waits; null waits as long as it takes.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The project's state: <see cref="ProjectState.Locked"/> where the lock was held until the limit.</returns>
    public async Task<ProjectState> WaitAfterRefusalAsync(TimeSpan? limit, CancellationToken cancellationToken)
    {
        TimeSpan pause = PollPause.WithJitter(FirstPause);
        await Task.Delay(pause, routes.Time, cancellationToken).ConfigureAwait(false);
        return await WaitUntilFreeAsync(limit - pause, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until no call holds the lock.</summary>
    /// <param name="limit">How long it waits; null waits as long as it takes.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The project's state: <see cref="ProjectState.Locked"/> where the lock was held until the limit.</returns>
    public Task<ProjectState> WaitUntilFreeAsync(TimeSpan? limit, CancellationToken cancellationToken) =>
        WaitAsync(static state => state != ProjectState.Locked, limit, cancellationToken);

    /// <summary>Waits until the project is finalized.</summary>
    /// <param name="limit">How long it waits.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Whether it is.</returns>
    public async Task<bool> WaitUntilFinalizedAsync(TimeSpan limit, CancellationToken cancellationToken) =>
        await WaitAsync(static state => state == ProjectState.NoMapping, limit, cancellationToken).ConfigureAwait(false)
        == ProjectState.NoMapping;

    private async Task<ProjectState> WaitAsync(Func<ProjectState, bool> isReached, TimeSpan? limit, CancellationToken cancellationToken)
    {
        long began = routes.Time.GetTimestamp();
        for (TimeSpan pause = FirstPause; ; pause = PollPause.Next(pause))
        {
            ProjectState state = await routes.ProbeAsync(shortcode, cancellationToken).ConfigureAwait(false);
            TimeSpan? left = limit - routes.Time.GetElapsedTime(began);
            if (isReached(state) || left <= TimeSpan.Zero)
                return state;
            TimeSpan next = PollPause.WithJitter(pause);
            await Task.Delay(left < next ? left.Value : next, routes.Time, cancellationToken).ConfigureAwait(false);
        }
    }
}
