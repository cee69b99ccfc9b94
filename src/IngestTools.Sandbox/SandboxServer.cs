using System.Net;
using System.Runtime.CompilerServices;
using IngestTools.Sandbox.Control;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Http;
using IngestTools.Sandbox.Services;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Sandbox.Services.Ica;
using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Sandbox.Services.Voss;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace IngestTools.Sandbox;

/// <summary>
/// The ingest services imitated on one loopback port. Kestrel runs without a host around it: nothing of one is needed,
/// and it would take the signals of the process that a test or a demo runs in.
/// </summary>
public sealed class SandboxServer : IAsyncDisposable
{
    /// <summary>
    /// The maximum time that <see cref="WaitUntilAsync"/> waits: long enough for a busy machine, short enough to fail instead of hanging.
    /// </summary>
    public static readonly TimeSpan DefaultWaitLimit = TimeSpan.FromSeconds(60);

    private readonly KestrelServer _kestrel;
    private readonly SandboxEnvironment _environment;
    private readonly IReadOnlyList<ISandboxService> _services;
    private readonly RequestPipeline _pipeline;
    private int _disposed;

    private SandboxServer(SandboxOptions options)
    {
        ILoggerFactory loggers = options.LoggerFactory ?? NullLoggerFactory.Instance;
        _environment = new SandboxEnvironment(options, loggers.CreateLogger<SandboxServer>());
        Connections = new ConnectionCounter(_environment.Changes);
        Requests = new RequestLog(options.RequestLogLength, _environment.Changes);
        DspIngest = new DspIngestState(options.DspIngest, _environment);
        Ica = new IcaState(options.Ica, _environment);
        LakeFs = new LakeFsState(options.LakeFs, _environment);
        Voss = new VossState(options.Voss, _environment);
        Faults = new FaultList(options.Faults, _environment);
        _services = [new DspIngestService(DspIngest), new IcaService(Ica), new LakeFsService(LakeFs), new VossService(Voss)];
        _pipeline = new RequestPipeline(
            new ControlRoutes(this, _services),
            _services,
            new FaultInjector(Faults, _environment),
            Requests,
            _environment.Logger
        );
        _kestrel = NewKestrel(options.Port, loggers);
    }

    /// <summary>The base address of all services, for example http://127.0.0.1:50123/.</summary>
    public Uri Uri { get; private set; } = null!;

    /// <summary>The state of DSP-INGEST.</summary>
    public DspIngestState DspIngest { get; }

    /// <summary>The state of ICA, whose base address is /ica/rest below the sandbox's.</summary>
    public IcaState Ica { get; }

    /// <summary>The state of lakeFS.</summary>
    public LakeFsState LakeFs { get; }

    /// <summary>The state of VOSS Automate.</summary>
    public VossState Voss { get; }

    /// <summary>What goes wrong on purpose; may be changed at any time.</summary>
    public FaultList Faults { get; }

    /// <summary>The newest requests.</summary>
    public RequestLog Requests { get; }

    /// <summary>The TCP connections.</summary>
    public ConnectionCounter Connections { get; }

    /// <summary>Starts a sandbox; dispose it to end it.</summary>
    /// <exception cref="IOException">The port is in use.</exception>
    public static async Task<SandboxServer> StartAsync(SandboxOptions? options = null, CancellationToken cancellationToken = default)
    {
        SandboxServer server = new(options ?? new SandboxOptions());
        try
        {
            await server._kestrel.StartAsync(new Application(server._pipeline), cancellationToken);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
        server.Uri = new Uri(server._kestrel.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
        return server;
    }

    /// <summary>Waits, without polling, until a condition on the sandbox's state holds.</summary>
    /// <param name="condition">The condition.</param>
    /// <param name="limit">The maximum time to wait; <see cref="DefaultWaitLimit"/> where it is null.</param>
    /// <param name="what">The condition as text, for the message of the exception.</param>
    /// <exception cref="TimeoutException">The condition did not hold in time.</exception>
    public async Task WaitUntilAsync(
        Func<bool> condition,
        TimeSpan? limit = null,
        [CallerArgumentExpression(nameof(condition))] string? what = null
    )
    {
        using CancellationTokenSource end = new(limit ?? DefaultWaitLimit);
        try
        {
            await _environment.Changes.WaitUntilAsync(condition, end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            throw new TimeoutException($"This did not become true within {limit ?? DefaultWaitLimit}: {what}");
        }
    }

    /// <summary>Ends at once: open connections are reset, whatever their requests do.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _environment.Stop();
        await _kestrel.StopAsync(new CancellationToken(canceled: true));
        _kestrel.Dispose();
        foreach (ISandboxService service in _services)
            await service.DisposeAsync();
        await _environment.WaitForWorkAsync();
        _environment.Dispose();
    }

    private KestrelServer NewKestrel(int port, ILoggerFactory loggers)
    {
        KestrelServerOptions options = new() { AddServerHeader = false };
        // An upload may be of any size, and as slow as its client.
        options.Limits.MaxRequestBodySize = null;
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        // A path of folders is escaped to up to nine bytes a character.
        options.Limits.MaxRequestLineSize = 64 * 1024;
        options.Listen(
            IPAddress.Loopback,
            port,
            endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http1;
                endpoint.Use(Connections.Count);
            }
        );
        SocketTransportFactory sockets = new(Options.Create(new SocketTransportOptions()), loggers);
        return new KestrelServer(Options.Create(options), sockets, loggers);
    }

    /// <summary>What Kestrel wants to be handed instead of a host.</summary>
    private sealed class Application(RequestPipeline pipeline) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => pipeline.RunAsync(context);

        public void DisposeContext(HttpContext context, Exception? exception) { }
    }
}
