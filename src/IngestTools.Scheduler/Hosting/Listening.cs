using IngestTools.Scheduler.Store;
using Microsoft.Extensions.Hosting;

namespace IngestTools.Scheduler.Hosting;

/// <summary>Listens for as long as the daemon runs to what other nodes change.</summary>
internal sealed class Listening(DueTimeListener listener) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => listener.RunAsync(stoppingToken);
}
