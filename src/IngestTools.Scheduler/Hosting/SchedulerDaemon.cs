using System.Data.Common;
using System.Diagnostics;
using IngestTools.Files;
using IngestTools.Logging;
using IngestTools.Scheduler.Control;
using IngestTools.Scheduler.Notifications;
using IngestTools.Scheduler.Page;
using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduler.Timing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>The daemon from its start to its end: a lock, a store, the host, and in it what plans, runs and answers.</summary>
internal static class SchedulerDaemon
{
    /// <summary>Within this time the daemon has stopped. systemd's own limit is longer.</summary>
    public static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(9);

    /// <summary>The name of the Windows service.</summary>
    public const string ServiceName = "IngestTools scheduler";

    /// <summary>As long as nodes of the earlier version waited for each other.</summary>
    private static readonly TimeSpan DefaultDeadAfter = TimeSpan.FromSeconds(30);

    /// <summary>The host gives up later than <see cref="EndGuard"/>, which says what did not stop.</summary>
    private static readonly TimeSpan HostLimit = ShutdownLimit + TimeSpan.FromSeconds(1);

    /// <exception cref="StoreException">It cannot begin.</exception>
    public static async Task RunAsync(DaemonOptions options)
    {
        using StoreLock holds = await TakeFolderAsync(options);
        using DaemonLoggerProvider log = OpenLog(options);
        StoreDialect dialect = CreateDialect(options);
        await OpenStoreAsync(dialect, options);
        ControlPlace.Prepare(options.Socket);
        StopSteps steps = new();
        using EndGuard guard = new(ShutdownLimit, () => EndNow(options, dialect, steps, log.CreateLogger("IngestTools.Scheduler")));
        await using WebApplication host = Build(options, dialect, steps, log);
        ILogger logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("IngestTools.Scheduler");
        guard.Watch(host.Lifetime.ApplicationStopping);
        SchedulerStore store = host.Services.GetRequiredService<SchedulerStore>();
        await JoinAsync(store, host.Services.GetRequiredService<NodeOptions>());
        await KeepMarkAsync(store, options, logger);
        await StartAsync(host);
        await host.WaitForShutdownAsync();
        if (dialect.IsShared)
            await steps.TakeAsync("the store", LeaveAsync(store, logger));
        DeleteSocket(options, logger);
        if (host.Services.GetRequiredService<StoreWatch>().Lost is { } lost)
            throw new StoreException(lost);
    }

    /// <exception cref="IngestException"><see cref="ErrorId.FileUnreadable"/>: the log cannot be written.</exception>
    private static DaemonLoggerProvider OpenLog(DaemonOptions options)
    {
        LogLevel least = options.IsVerbose ? LogLevel.Debug : LogLevel.Information;
        return options.LogPath is { } path
            ? new FileLoggerProvider(LogFile.Open(path), least, TimeProvider.System)
            : new StderrLoggerProvider(least, StderrLoggerProvider.IsJournal);
    }

    private static async Task StartAsync(WebApplication host)
    {
        try
        {
            using (ControlPlace.Private())
                await host.StartAsync();
        }
        catch (OperationCanceledException) when (host.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // It is to end before it has begun.
        }
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
        DeleteSocket(options, logger);
        Environment.Exit(0);
    }

    /// <summary>The folder may have been moved, or be read-only by now: that is no reason to end as a crash does.</summary>
    private static void DeleteSocket(DaemonOptions options, ILogger logger)
    {
        try
        {
            if (!OperatingSystem.IsWindows())
                File.Delete(options.Socket);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.LogWarning("The socket could not be deleted: {Reason}", e.Message);
        }
    }

    private static async Task<StoreLock> TakeFolderAsync(DaemonOptions options)
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
        return await StoreLock.TakeAsync(
            Path.Join(options.Folder, options.Connection is null ? "scheduler.lock" : $"scheduler-{options.Node}.lock")
        );
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

    private static async Task OpenStoreAsync(StoreDialect dialect, DaemonOptions options)
    {
        if (dialect is SqliteDialect sqlite)
        {
            StoreMark.CheckFile(options.Folder, sqlite.Place, SpoolOf(options));
            await SqliteFiles.PrepareAsync(sqlite, CancellationToken.None);
        }

        await ProvideTablesAsync(dialect, options.TakeOverAfter);
    }

    /// <summary>Waits for nodes of an earlier version that were killed: they count as living for a while.</summary>
    private static async Task ProvideTablesAsync(StoreDialect dialect, TimeSpan deadAfter)
    {
        TimeSpan limit = deadAfter > DefaultDeadAfter ? deadAfter : DefaultDeadAfter;
        long began = Environment.TickCount64;
        while (true)
        {
            try
            {
                await StoreSchema.ProvideAsync(dialect, limit, CancellationToken.None);
                return;
            }
            catch (OldNodesException) when (Environment.TickCount64 - began <= limit.TotalMilliseconds)
            {
                await Task.Delay(TimeSpan.FromSeconds(1));
            }
        }
    }

    private static string SpoolOf(DaemonOptions options) => Path.Join(options.Folder, "spool");

    private static async Task KeepMarkAsync(SchedulerStore store, DaemonOptions options, ILogger logger)
    {
        if (await StoreMark.KeepAsync(options.Folder, store, SpoolOf(options), CancellationToken.None))
            logger.LogWarning("The store {Store} is not the store of the last start.", store.Dialect.Place);
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

    private static WebApplication Build(DaemonOptions options, StoreDialect dialect, StopSteps steps, DaemonLoggerProvider log)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ApplicationName = "ingest-scheduler", ContentRootPath = options.Folder }
        );
        builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Debug);
        IServiceCollection services = builder.Services;
        services.Configure<HostOptions>(settings =>
        {
            settings.ShutdownTimeout = HostLimit;
            settings.ServicesStopConcurrently = true;
        });
        AddLifetime(services);
        services
            .AddSingleton(provider => new DueClock(TimeProvider.System, provider.GetRequiredService<ILogger<DueClock>>()))
            .AddSingleton<TimeProvider>(provider => provider.GetRequiredService<DueClock>());
        services.AddSingleton(steps).AddSingleton(dialect).AddSingleton(new ControlAddress(options.Socket));
        services.AddSingleton(new NodeOptions { Name = options.Node, DeadAfter = options.TakeOverAfter });
        services.AddSingleton(new RunTimeouts { PollInterval = options.PollInterval, Lease = options.TakeOverAfter });
        services.AddSingleton(options.Notifications);
        services.AddSingleton(
            new SchedulerStore(dialect, SchedulerStore.NewClaim(), options.Node) { ReportsAll = options.Notifications.Uri is not null }
        );
        string spool = SpoolOf(options);
        services.AddSingleton<ISpool>(provider =>
            dialect.IsShared ? new TableSpool(provider.GetRequiredService<SchedulerStore>(), spool) : new FolderSpool(spool)
        );
        services
            .AddSingleton<SchedulerMeter>()
            .AddSingleton<PrometheusText>()
            .AddSingleton<SavedConnections>()
            .AddSingleton<DispatchSignal>();
        services
            .AddSingleton(provider => new StateReader(
                provider.GetRequiredService<SchedulerStore>(),
                provider.GetRequiredService<ControlAddress>(),
                provider.GetRequiredService<TimeProvider>()
            )
            {
                LogPath = options.LogPath,
                Page = provider.GetRequiredService<PageAccess>(),
            })
            .AddSingleton(new PageAccess(TimeProvider.System))
            .AddSingleton<ReadRoutes>();
        services
            .AddSingleton<TriggerScheduler>()
            .AddSingleton<Attendance>()
            .AddSingleton<RunPlanner>()
            .AddSingleton<ScheduleSurvey>()
            .AddSingleton(new StoreFolder(options.Folder))
            .AddSingleton<Checkup>()
            .AddSingleton<StoreWatch>()
            .AddSingleton<Registrar>()
            .AddSingleton<RunDispatcher>()
            .AddSingleton<ControlRoutes>();
        AddPage(services, options, steps, log);
        AddParts(services, steps);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, options.Socket));
        WebApplication host = builder.Build();
        ControlRoutes routes = host.Services.GetRequiredService<ControlRoutes>();
        host.Run(routes.AnswerAsync);
        return host;
    }

    private static void AddPage(IServiceCollection services, DaemonOptions options, StopSteps steps, DaemonLoggerProvider log)
    {
        if (options.PagePort is not { } port)
            return;
        string token = options.Connection is null ? "page.token" : $"page-{options.Node}.token";
        services
            .AddSingleton(new PageOptions(port, Path.Join(options.Folder, token)))
            .AddSingleton(new PageFolder(options.Folder, options.TakeOverAfter))
            .AddSingleton(static provider => new PageRoute("/metrics", provider.GetRequiredService<PrometheusText>().AnswerAsync))
            .AddSingleton<PageReader>()
            .AddSingleton<PageRoutes>()
            .AddSingleton(provider => ActivatorUtilities.CreateInstance<PageServer>(provider, log));
        services.AddSingleton<IHostedService>(provider =>
        {
            PageServer page = provider.GetRequiredService<PageServer>();
            return new HostedPart("the page", steps, page.StartAsync, page.StopAsync);
        });
    }

    /// <summary>Started in this order, and stopped together: nothing comes due any more while the runs end.</summary>
    private static void AddParts(IServiceCollection services, StopSteps steps)
    {
        services.AddHostedService<Heartbeat>().AddHostedService<Housekeeping>();
        services.AddHostedService(static provider => provider.GetRequiredService<StoreWatch>());
        services.AddSingleton<IHostedService>(provider =>
        {
            RunDispatcher dispatcher = provider.GetRequiredService<RunDispatcher>();
            return new HostedPart("the runs", steps, dispatcher.StartAsync, _ => dispatcher.StopAsync());
        });
        TriggerScheduler.AddQuartz<PlanJob>(services);
        services.AddHostedService<NotificationSender>();
        services.AddHostedService<DueTimeListener>().AddHostedService<ReadyReport>();
    }

    /// <summary>What stops the daemon: systemd, the services of Windows, or a signal.</summary>
    private static void AddLifetime(IServiceCollection services)
    {
        services.AddSingleton<ISystemdNotifier, SystemdNotifier>();
        if (!OperatingSystem.IsWindows() && Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 0 })
            services.AddSingleton<IHostLifetime, SystemdLifetime>();
        else
            services.AddWindowsService(service => service.ServiceName = ServiceName);
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
