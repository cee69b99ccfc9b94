using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using IngestTools.Files;
using IngestTools.Scheduler.Control;
using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduler.Timing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>The daemon from its start to its end: a lock, a store, the host, and in it what plans, runs and answers.</summary>
internal static class SchedulerDaemon
{
    /// <summary>Within this time the daemon has stopped. systemd's own limit is longer.</summary>
    public static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(9);

    /// <exception cref="StoreException">It cannot begin.</exception>
    public static async Task RunAsync(DaemonOptions options)
    {
        using StoreLock holds = TakeFolder(options);
        using StderrLoggerProvider log = new(options.IsVerbose ? LogLevel.Debug : LogLevel.Information, StderrLoggerProvider.IsJournal);
        StoreDialect dialect = CreateDialect(options);
        await OpenStoreAsync(dialect, log, options);
        ControlPlace.Prepare(options.Socket);
        StopSteps steps = new();
        using EndGuard guard = new(ShutdownLimit, () => EndNow(options, dialect, steps, log.CreateLogger("IngestTools.Scheduler")));
        await using WebApplication host = Build(options, dialect, log);
        ILogger logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("IngestTools.Scheduler");
        IHostApplicationLifetime lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        guard.Watch(lifetime.ApplicationStopping);
        using CancellationTokenSource stopping = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping);
        RunDispatcher dispatcher = host.Services.GetRequiredService<RunDispatcher>();
        AlarmClock alarms = host.Services.GetRequiredService<AlarmClock>();
        Housekeeping housekeeping = host.Services.GetRequiredService<Housekeeping>();
        SchedulerStore store = host.Services.GetRequiredService<SchedulerStore>();
        await JoinAsync(store, host.Services.GetRequiredService<NodeOptions>());
        Task beating = housekeeping.BeatAsync(stopping.Token);
        await alarms.PrepareAsync(stopping.Token);
        await housekeeping.RecordServersAsync(stopping.Token);
        await housekeeping.RearmAsync(stopping.Token);
        await host.Services.GetRequiredService<RunPlanner>().PlanOverdueAsync(stopping.Token);
        await dispatcher.StartAsync(stopping.Token);
        await alarms.StartAsync(store, stopping.Token);
        Task keeping = housekeeping.RunAsync(stopping.Token);
        using (ControlPlace.Private())
            await host.StartAsync(stopping.Token);
        ControlPlace.Finish(options.Socket);
        SchedulerState state = await host.Services.GetRequiredService<StateReader>().ReadAsync(stopping.Token);
        logger.LogInformation(
            "ingest-scheduler {Version} is ready: process {Process}, node {Node}, store {Store}, control at {Socket}. {Active} "
                + "schedules are active, {Suspended} suspended; next at {Next}.",
            state.Version,
            state.ProcessId,
            state.Node,
            state.Store,
            state.Socket,
            state.Active,
            state.Suspended,
            state.NextRun?.UtcDateTime.ToString("u", null) ?? "no time"
        );
        ServiceNotifier notifier = host.Services.GetRequiredService<ServiceNotifier>();
        notifier.Ready($"{state.Active} schedules, next at {state.NextRun?.UtcDateTime.ToString("u", null) ?? "no time"}");

        await WaitForEndAsync(lifetime);
        notifier.Stopping();
        logger.LogInformation("The scheduler stops. Work on the services continues there, and is followed again at the next start.");
        // Nothing comes due any more while the runs end.
        await Task.WhenAll(
            steps.TakeAsync("the alarms", alarms.StopAsync()),
            steps.TakeAsync("the runs", dispatcher.StopAsync()),
            steps.TakeAsync("the housekeeping", Task.WhenAll(keeping, beating))
        );
        await steps.TakeAsync("the answers to cmdlets", host.StopAsync());
        if (dialect.IsShared)
            await steps.TakeAsync("the store", LeaveAsync(store, logger));
        DeleteSocket(options);
    }

    private static void EndNow(DaemonOptions options, StoreDialect dialect, StopSteps steps, ILogger logger)
    {
        logger.LogWarning(
            "The scheduler could not stop {Steps} within {Limit:0} s, and ends all the same. Look whether another program holds the "
                + "store {Store}. What was left is taken up at the next start.",
            steps.Going,
            ShutdownLimit.TotalSeconds,
            dialect.Place
        );
        DeleteSocket(options);
        Environment.Exit(0);
    }

    private static void DeleteSocket(DaemonOptions options)
    {
        if (!OperatingSystem.IsWindows())
            File.Delete(options.Socket);
    }

    /// <summary>What is being stopped, to explain why it takes long.</summary>
    private sealed class StopSteps
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

    private static async Task WaitForEndAsync(IHostApplicationLifetime lifetime)
    {
        TaskCompletionSource ends = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = lifetime.ApplicationStopping.Register(ends.SetResult);
        await ends.Task;
    }

    private static StoreLock TakeFolder(DaemonOptions options)
    {
        try
        {
            PrivateFiles.CreateFolder(options.Folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                $"The folder {options.Folder} cannot be made: {e.Message} Give this account one that it may write, with --store.",
                e
            );
        }

        PrivateFolder.RefuseForeign(options.Folder);
        return StoreLock.Take(Path.Join(options.Folder, options.Connection is null ? "scheduler.lock" : $"scheduler-{options.Node}.lock"));
    }

    private static StoreDialect CreateDialect(DaemonOptions options)
    {
        try
        {
            return options.Connection is null ? new SqliteDialect(options.Folder) : new PostgresDialect(options.Connection);
        }
        catch (ArgumentException)
        {
            // The reason that is given repeats the text, and a password is in it.
            throw new StoreException(
                "What --connection-from names is not a PostgreSQL connection string. It looks like "
                    + "'Host=db;Username=ingest;Password=...;Database=ingest'; an address such as postgresql://... is not taken."
            );
        }
    }

    private static async Task OpenStoreAsync(StoreDialect dialect, StderrLoggerProvider log, DaemonOptions options)
    {
        if (dialect is SqliteDialect sqlite)
            await SqliteFiles.PrepareAsync(sqlite, log.CreateLogger("IngestTools.Scheduler"), CancellationToken.None);
        await StoreSchema.ProvideAsync(dialect, CancellationToken.None);
        await AlarmTables.PrepareAsync(dialect, options, log.CreateLogger("IngestTools.Scheduler"), CancellationToken.None);
    }

    /// <summary>
    /// Writes that this node lives. One of its name that was killed is dead at once where it was on this machine, and after a while where
    /// it was on another.
    /// </summary>
    private static async Task JoinAsync(SchedulerStore store, NodeOptions node)
    {
        if (!store.Dialect.IsShared)
            await store.ForgetNodesAsync(CancellationToken.None);
        long began = Environment.TickCount64;
        while (!await store.BeatAsync(Environment.MachineName, node.DeadAfter, CancellationToken.None))
        {
            if (await store.ReadNamesakeAsync(CancellationToken.None) is not { } other)
                continue;
            if (other.Host == Environment.MachineName && !IsAlive(other.Process))
                await store.ForgetNamesakeAsync(other.Process, CancellationToken.None);
            else if (Environment.TickCount64 - began > (node.DeadAfter + node.BeatInterval).TotalMilliseconds)
                throw new StoreException(
                    $"A scheduler with the node name {node.Name} lives: process {other.Process} on {other.Host}. Give each node its "
                        + $"own name, with --node."
                );
            else
                await Task.Delay(node.BeatInterval);
        }
    }

    private static bool IsAlive(int process)
    {
        try
        {
            using Process found = Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static async Task LeaveAsync(SchedulerStore store, ILogger logger)
    {
        try
        {
            await store.LeaveAsync(CancellationToken.None);
        }
        catch (DbException e)
        {
            logger.LogWarning("The store could not be updated when this node stopped: {Reason}", e.Message);
        }
    }

    private static WebApplication Build(DaemonOptions options, StoreDialect dialect, StderrLoggerProvider log)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ApplicationName = "ingest-scheduler", ContentRootPath = options.Folder }
        );
        builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Debug);
        IServiceCollection services = builder.Services;
        services.Configure<HostOptions>(settings => settings.ShutdownTimeout = ShutdownLimit);
        services.AddSingleton(TimeProvider.System).AddSingleton(dialect).AddSingleton(new ControlAddress(options.Socket));
        services.AddSingleton(new NodeOptions { Name = options.Node, DeadAfter = options.TakeOverAfter });
        services.AddSingleton(new RunTimeouts { PollInterval = options.PollInterval, Lease = options.TakeOverAfter });
        services.AddSingleton(new SchedulerStore(dialect, Guid.NewGuid().ToString("N"), options.Node));
        string spool = Path.Join(options.Folder, "spool");
        services.AddSingleton<ISpool>(provider =>
            dialect.IsShared ? new TableSpool(provider.GetRequiredService<SchedulerStore>(), spool) : new FolderSpool(spool)
        );
        services
            .AddSingleton<SchedulerMeter>()
            .AddSingleton<SavedConnections>()
            .AddSingleton<DispatchSignal>()
            .AddSingleton<ServiceNotifier>()
            .AddSingleton<StateReader>();
        services
            .AddSingleton<AlarmClock>()
            .AddSingleton<RunPlanner>()
            .AddSingleton<ScheduleSurvey>()
            .AddSingleton<Registrar>()
            .AddSingleton<RunDispatcher>()
            .AddSingleton<Housekeeping>()
            .AddSingleton<ControlRoutes>();
        AlarmTables.AddQuartz(services, dialect, options);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, options.Socket));
        WebApplication host = builder.Build();
        ControlRoutes routes = host.Services.GetRequiredService<ControlRoutes>();
        host.Run(routes.AnswerAsync);
        return host;
    }

    private static void Listen(KestrelServerOptions kestrel, string socket)
    {
        kestrel.AddServerHeader = false;
        // A list of a million runs is read as slowly as its reader likes; a definition file is as large as it is.
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.MaxRequestBodySize = null;
        if (OperatingSystem.IsWindows())
            kestrel.ListenNamedPipe(socket);
        else
            kestrel.ListenUnixSocket(
                socket,
                listen =>
                    listen.Use(next =>
                        connection =>
                        {
                            // The socket's mode keeps others out already; this holds where a mode does not count.
                            uint? peer = connection.Features.Get<IConnectionSocketFeature>() is { } feature
                                ? ControlPlace.PeerOf(feature.Socket)
                                : null;
                            const uint root = 0;
                            return peer is null || peer == root || peer == ControlPlace.CurrentUser()
                                ? next(connection)
                                : Task.CompletedTask;
                        }
                    )
            );
    }
}
