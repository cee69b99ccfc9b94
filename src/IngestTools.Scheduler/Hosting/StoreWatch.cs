using IngestTools.Scheduler.Store;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>
/// Ends the daemon when somebody removed or replaced the file of its store: what it writes then goes to a file that nobody finds again.
/// </summary>
internal sealed class StoreWatch(
    SchedulerStore store,
    IHostApplicationLifetime lifetime,
    StopSteps steps,
    TimeProvider time,
    ILogger<StoreWatch> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Each so many times, the content is looked at too.</summary>
    private const int ThoroughEach = 6;

    /// <summary>Why the daemon ends; null where the store is its own.</summary>
    public string? Lost { get; private set; }

    public override Task StopAsync(CancellationToken cancellationToken) =>
        steps.TakeAsync("the watch of the store", base.StopAsync(cancellationToken));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string? before = null;
        for (int looks = 1; !stoppingToken.IsCancellationRequested; looks++)
        {
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
                return;
            string? loss = await store.Dialect.FindLossAsync(store, before is not null || looks % ThoroughEach == 0, stoppingToken);
            // Twice, since a disk may be out of reach for a moment.
            bool isLost = loss is not null && before is not null;
            before = loss;
            if (!isLost)
                continue;
            Lost =
                $"The store {store.Dialect.Place} {loss} while the scheduler ran. The scheduler stops, so that no load runs twice. Runs "
                + "that it recorded since then are lost. Put the store back, check at the services what was loaded since then, and start "
                + "the scheduler again.";
            logger.LogCritical("{Lost}", Lost);
            lifetime.StopApplication();
            return;
        }
    }
}
