using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;

namespace IngestTools.Scheduler.Hosting;

/// <summary>What is being stopped, to explain why it takes long.</summary>
internal sealed class StopSteps
{
    private readonly ConcurrentDictionary<string, bool> _going = new();

    public string Going => _going.IsEmpty ? "all" : string.Join(", ", _going.Keys.Order(StringComparer.Ordinal));

    public async Task TakeAsync(string what, Task step)
    {
        _going[what] = true;
        await step;
        _going.TryRemove(what, out _);
    }
}

/// <summary>A part of the daemon that the host starts and stops.</summary>
/// <param name="name">What it is called where it does not stop.</param>
/// <param name="steps">Gets the name while it stops.</param>
/// <param name="start">Starts it.</param>
/// <param name="stop">Stops it.</param>
internal sealed class HostedPart(string name, StopSteps steps, Func<CancellationToken, Task> start, Func<CancellationToken, Task> stop)
    : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => start(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => steps.TakeAsync(name, stop(cancellationToken));
}
