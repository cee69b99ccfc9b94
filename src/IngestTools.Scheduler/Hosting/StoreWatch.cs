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
        for (int looks = 1; !stoppingToken.IsCancellationRequested; looks++)
        {
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
                return;
            if (await store.Dialect.FindLossAsync(store, looks % ThoroughEach == 0, stoppingToken) is not { } loss)
                continue;
            Lost =
                $"The store {store.Dialect.Place} {loss} while the scheduler ran. It ends, so that nothing is run twice: what it noted "
                + "since then is lost. Put the store back, look at the services for what was loaded meanwhile, and start it again.";
            logger.LogCritical("{Lost}", Lost);
            lifetime.StopApplication();
            return;
        }
    }
}
