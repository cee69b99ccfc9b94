using System.Reflection;
using IngestTools.Scheduler.Store;

namespace IngestTools.Scheduler.Control;

/// <summary>The state of the daemon.</summary>
internal sealed class StateReader(SchedulerStore store, ControlAddress address, TimeProvider time)
{
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    /// <summary>Whether this process is the daemon; else it reads the store of one that is down.</summary>
    public bool IsRunning { get; init; } = true;

    /// <summary>The file that its log is written to, where it is one of its own; null is the journal, or a terminal.</summary>
    public string? LogPath { get; init; }

    /// <summary>The page; null where this process serves none.</summary>
    public PageAccess? Page { get; init; }

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
            IsRunning = IsRunning,
            Version = IsRunning ? Version : null,
            ProcessId = IsRunning ? Environment.ProcessId : null,
            Node = IsRunning ? store.Node : null,
            Store = store.Dialect.Place,
            Socket = address.Socket,
            LogPath = LogPath is { } log && File.Exists(log) ? log : null,
            StartedAt = IsRunning ? _startedAt : null,
            Active = active,
            Suspended = suspended,
            Running = running,
            TroubledLastDay = troubled,
            NextRun = next,
            PageUri = Page?.Uri,
            PageTokenPath = Page?.TokenPath,
            Trouble = (Trouble, Page?.Trouble) switch
            {
                ({ } own, { } page) => $"{own} {page}",
                var (own, page) => own ?? page,
            },
        };
    }
}

/// <summary>Where the daemon listens: the socket's path, or the pipe's name.</summary>
internal sealed record ControlAddress(string Socket);
