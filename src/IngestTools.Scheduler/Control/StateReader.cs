using IngestTools.Scheduler.Store;

namespace IngestTools.Scheduler.Control;

/// <summary>The state of the daemon.</summary>
internal sealed class StateReader(SchedulerStore store, ControlAddress address, TimeProvider time)
{
    /// <summary>Where the store has the path of the log, for a time when the daemon is down.</summary>
    private const string LogName = "log";

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    /// <summary>Whether this process is the daemon; else it reads the store of one that is down.</summary>
    public bool IsRunning { get; init; } = true;

    /// <summary>
    /// The file that its log is written to; null is the journal, or a terminal. Of a daemon that is down it is the usual place, and the
    /// store may have another.
    /// </summary>
    public string? LogPath { get; init; }

    /// <summary>The page; null where this process serves none.</summary>
    public PageAccess? Page { get; init; }

    /// <summary>What is wrong with the daemon itself; null where nothing is.</summary>
    public string? Trouble { get; set; }

    /// <summary>Keeps in the store where the log is.</summary>
    public async Task KeepLogPathAsync(CancellationToken cancellationToken)
    {
        // Several nodes have a log each.
        if (!store.Dialect.IsShared && await store.ReadMetaAsync(LogName, cancellationToken) != LogPath)
            await store.WriteMetaAsync(LogName, LogPath, cancellationToken);
    }

    public async Task<SchedulerState> ReadAsync(CancellationToken cancellationToken)
    {
        (int active, int suspended, int running, int troubled, DateTimeOffset? next) = await store.CountAsync(
            time.GetUtcNow() - TimeSpan.FromDays(1),
            cancellationToken
        );
        return new SchedulerState
        {
            IsRunning = IsRunning,
            Version = IsRunning ? ProductVersion.Text : null,
            ProcessId = IsRunning ? Environment.ProcessId : null,
            Node = IsRunning ? store.Node : null,
            Store = store.Dialect.Place,
            Socket = address.Socket,
            LogPath = IsRunning ? LogPath : await FindLogAsync(cancellationToken),
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

    private async Task<string?> FindLogAsync(CancellationToken cancellationToken)
    {
        string? log = await store.ReadMetaAsync(LogName, cancellationToken) ?? LogPath;
        return File.Exists(log) ? log : null;
    }
}

/// <summary>Where the daemon listens: the socket's path, or the pipe's name.</summary>
internal sealed record ControlAddress(string Socket);
