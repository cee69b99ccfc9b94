using System.Net;
using IngestTools.Files;
using IngestTools.Scheduler.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Page;

/// <summary>How the page is served.</summary>
/// <param name="Port">The port; 0 takes a free one.</param>
/// <param name="TokenPath">The file that the token is written to.</param>
internal sealed record PageOptions(int Port, string TokenPath);

/// <summary>
/// Serves the page on the loopback address, from a server of its own: no mistake in a route opens the control socket to the network. A page
/// that cannot be served is reported, and holds up no load.
/// </summary>
internal sealed class PageServer(PageOptions options, PageAccess access, PageRoutes routes, ILoggerProvider log, ILogger<PageServer> logger)
    : IHostedService,
        IAsyncDisposable
{
    /// <summary>A browser opens six to a host.</summary>
    private const int MaxConnections = 64;

    private WebApplication? _server;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _server = Build();
        try
        {
            WriteToken();
            await _server.StartAsync(cancellationToken);
            access.Uri = new Uri(_server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
            access.TokenPath = options.TokenPath;
            logger.LogInformation("The page is at {Uri}. Show-IngestScheduler opens it.", access.Uri);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            access.Trouble = $"The page cannot be served at port {options.Port}: {e.Message.TrimEnd('.')}.";
            logger.LogError("{Trouble} Give another port with --page, or none to take a free one. Loads run as ever.", access.Trouble);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // A page that is open polls, and its connection does not hold up the end.
        using CancellationTokenSource atOnce = new();
        await atOnce.CancelAsync();
        if (_server is not null)
            await _server.StopAsync(atOnce.Token);
        PrivateFiles.TryDelete(options.TokenPath);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private WebApplication Build()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddProvider(new Warnings(log));
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = 0;
                kestrel.Limits.MaxConcurrentConnections = MaxConnections;
                kestrel.Listen(IPAddress.Loopback, options.Port);
            });
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        WebApplication server = builder.Build();
        server.Run(routes.AnswerAsync);
        return server;
    }

    /// <summary>A new file each time: nobody has the old one open, and its mode is right from its beginning.</summary>
    private void WriteToken()
    {
        File.Delete(options.TokenPath);
        using FileStream file = PrivateFiles.Create(options.TokenPath);
        using StreamWriter writer = new(file);
        writer.Write(access.Token);
    }

    /// <summary>The daemon's own lifetime decides when it ends.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>The daemon's log, which is not this server's to close.</summary>
    private sealed class Warnings(ILoggerProvider log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => log.CreateLogger(categoryName);

        public void Dispose() { }
    }
}
