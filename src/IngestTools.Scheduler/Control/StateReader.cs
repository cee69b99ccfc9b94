using System.Reflection;
using IngestTools.Scheduler.Store;

namespace IngestTools.Scheduler.Control;

/// <summary>The state of the daemon.</summary>
internal sealed class StateReader(SchedulerStore store, ControlAddress address, TimeProvider time)
{
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    public static string Version =>
        typeof(StateReader).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>What is wrong with the daemon itself; null where nothing is.</summary>
    public string? Trouble { get; set; }

    public async Task<SchedulerState> ReadAsync(CancellationToken cancellationToken)
    {
        (int active, int suspended, int running, int troubled, DateTimeOffset? next) = await store.CountAsync(
            time.GetUtcNow() - TimeSpan.FromDays(1),
            cancellationToken
        );
        return new SchedulerState
        {
            IsRunning = true,
            Version = Version,
            ProcessId = Environment.ProcessId,
            Node = store.Node,
            Store = store.Dialect.Place,
            Socket = address.Socket,
            StartedAt = _startedAt,
            Active = active,
            Suspended = suspended,
            Running = running,
            TroubledLastDay = troubled,
            NextRun = next,
            Trouble = Trouble,
        };
    }
}

/// <summary>Where the daemon listens: the socket's path, or the pipe's name.</summary>
internal sealed record ControlAddress(string Socket);
