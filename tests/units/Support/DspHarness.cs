using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Services.DspIngest;
using IngestTools.Transactions;
using IngestTools.Uploads;

namespace IngestTools.Units.Support;

/// <summary>A sandbox, a connection to it, and a folder of files: what a test of the DSP-INGEST flow begins with.</summary>
internal sealed class DspHarness : IAsyncDisposable
{
    public const string Token = "canary-7d1f0b52";

    public const string Shortcode = "0001";

    private DspHarness(SandboxServer sandbox, IngestConnection connection, TemporaryFolder folder)
    {
        Sandbox = sandbox;
        Connection = connection;
        Folder = folder;
    }

    public SandboxServer Sandbox { get; }

    public IngestConnection Connection { get; }

    public TemporaryFolder Folder { get; }

    public RecordingLogger Log { get; } = new();

    public DspIngestClient Client => new(Connection, Log);

    public DspProject Project => Sandbox.DspIngest.Project(Shortcode);

    public static async Task<DspHarness> StartAsync(
        Action<DspIngestOptions>? configure = null,
        Func<ConnectionSettings, ConnectionSettings>? connect = null
    )
    {
        DspIngestOptions options = new() { Token = Token };
        configure?.Invoke(options);
        SandboxServer sandbox = await SandboxServer.StartAsync(new SandboxOptions { DspIngest = options, Seed = 1 });
        ConnectionSettings settings = new()
        {
            Service = IngestService.DspIngest,
            Uri = sandbox.Uri,
            SignIn = SignInKind.Token,
            Secret = _ => ValueTask.FromResult(Token),
        };
        return new DspHarness(sandbox, IngestConnection.Open(connect?.Invoke(settings) ?? settings), new TemporaryFolder());
    }

    /// <summary>Another connection to the same sandbox, with a clock of its own.</summary>
    public IngestConnection Reconnect(TimeProvider time, Func<ConnectionSettings, ConnectionSettings> connect) =>
        IngestConnection.Open(
            connect(
                new ConnectionSettings
                {
                    Service = IngestService.DspIngest,
                    Uri = Sandbox.Uri,
                    SignIn = SignInKind.Token,
                    Secret = _ => ValueTask.FromResult(Token),
                }
            ),
            Log,
            time
        );

    /// <summary>Sends what is named, and collects the results.</summary>
    public Task<List<UploadResult>> SendAsync(UploadOptions? options, params string[] paths) => SendAsync(Connection, options, paths);

    /// <summary>Sends what is named over a connection, and collects the results.</summary>
    public async Task<List<UploadResult>> SendAsync(IngestConnection connection, UploadOptions? options, params string[] paths)
    {
        List<UploadResult> results = [];
        await foreach (UploadResult result in new UploadEngine(options ?? new UploadOptions(), Log).SendAsync(Requests(connection, paths)))
            results.Add(result);
        return results;
    }

    public ChannelReader<UploadRequest> Requests(params string[] paths) => Requests(Connection, paths);

    private ChannelReader<UploadRequest> Requests(IngestConnection connection, string[] paths)
    {
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        IUploadTarget target = new DspIngestClient(connection, Log).CreateUploadTarget(Shortcode);
        foreach (string path in paths)
            requests.Writer.TryWrite(new UploadRequest(path, target));
        requests.Writer.Complete();
        return requests.Reader;
    }

    /// <summary>Starts the bulk ingest of what was uploaded.</summary>
    public Task<Transaction> StartIngestAsync(IEnumerable<UploadResult> results)
    {
        UploadedNames names = new();
        foreach (UploadResult result in results.Where(result => result.Status == UploadStatus.Uploaded))
            names.Add(result.RemoteName);
        return Client.StartAsync(Shortcode, names, CancellationToken.None);
    }

    /// <summary>Waits for a transaction, and gives all that was told.</summary>
    public async Task<List<WaitEvent>> WaitAsync(Transaction transaction, WaitOptions? options = null)
    {
        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        requests.Writer.TryWrite(new WaitRequest(transaction, TransactionSources.For(Connection, Log)));
        requests.Writer.Complete();
        List<WaitEvent> events = [];
        WaitOptions how = options ?? new WaitOptions { PollInterval = TimeSpan.FromMilliseconds(20) };
        await foreach (WaitEvent happened in new TransactionWaiter(how, Log).WaitAsync(requests.Reader, CancellationToken.None))
            events.Add(happened);
        return events;
    }

    public async ValueTask DisposeAsync()
    {
        Connection.Dispose();
        await Sandbox.DisposeAsync();
        Folder.Dispose();
    }
}
