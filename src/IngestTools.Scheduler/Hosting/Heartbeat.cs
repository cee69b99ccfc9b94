using IngestTools.Scheduler.Store;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>
/// Says again and again that this node lives, where others look for that. Nothing else that takes its time may hold it up.
/// </summary>
internal sealed class Heartbeat(
    SchedulerStore store,
    NodeOptions node,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<Heartbeat> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (store.Dialect.IsShared && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!await store.BeatAsync(Environment.MachineName, node.DeadAfter, stoppingToken))
                {
                    logger.LogCritical(
                        "Another scheduler has taken the name {Node} of this one, so this one ends. Give each its own --node.",
                        node.Name
                    );
                    lifetime.StopApplication();
                    return;
                }
            }
            catch (Exception e) when (e is not OutOfMemoryException && !stoppingToken.IsCancellationRequested)
            {
                logger.LogError("That this node lives could not be written: {Reason}", e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(node.BeatInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
