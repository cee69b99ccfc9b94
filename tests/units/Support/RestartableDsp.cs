using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Services.DspIngest;
using IngestTools.Uploads;

namespace IngestTools.Units.Support;

/// <summary>A sandbox that can go down and come back at the same address, with the files that it had.</summary>
internal sealed class RestartableDsp : IAsyncDisposable
{
    public const string Shortcode = "0001";

    private readonly DspIngestOptions _options = new() { Token = DspHarness.Token };
    private readonly TemporaryFolder _data = new();
    private SandboxServer? _server;

    private RestartableDsp() { }

    public Uri Uri { get; private set; } = null!;

    public TemporaryFolder Folder { get; } = new();

    public SandboxServer Server => _server ?? throw new InvalidOperationException("The server is down.");

    public static async Task<RestartableDsp> StartAsync()
    {
        RestartableDsp dsp = new();
        await dsp.UpAsync();
        return dsp;
    }

    /// <summary>Resets what is open, and refuses connections from now on.</summary>
    public async Task DownAsync()
    {
        await Server.DisposeAsync();
        _server = null;
    }

    public async Task UpAsync()
    {
        _server = await SandboxServer.StartAsync(
            new SandboxOptions
            {
                DspIngest = _options,
                DataFolder = _data.Path,
                Port = Uri?.Port ?? 0,
                Seed = 1,
            }
        );
        Uri = _server.Uri;
    }

    public IngestConnection Connect(TimeSpan? outageTimeout = null, Func<ConnectionSettings, ConnectionSettings>? change = null)
    {
        ConnectionSettings settings = DspHarness.SettingsFor(Uri) with { OutageTimeout = outageTimeout };
        return IngestConnection.Open(change?.Invoke(settings) ?? settings);
    }

    /// <summary>Sends files in one call, which its log identifies.</summary>
    public static async Task<List<UploadResult>> SendAsync(
        IngestConnection connection,
        RecordingLogger log,
        IEnumerable<string> paths,
        Func<UploadResult, Task>? seen = null
    )
    {
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        IUploadTarget target = new DspIngestClient(connection, log).CreateUploadTarget(Shortcode);
        foreach (string path in paths)
            requests.Writer.TryWrite(new UploadRequest(path, target));
        requests.Writer.Complete();
        List<UploadResult> results = [];
        await foreach (UploadResult result in new UploadEngine(new UploadOptions(), log).SendAsync(requests.Reader))
        {
            results.Add(result);
            if (seen is not null)
                await seen(result);
        }

        return results;
    }

    /// <summary>One request that reads; the project has no mapping, which is the answer.</summary>
    public static async Task<IngestException> AskAsync(
        IngestConnection connection,
        RecordingLogger log,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            await foreach (MappingRow row in new DspIngestClient(connection, log).ReadMappingAsync(Shortcode, cancellationToken))
                throw new InvalidOperationException($"There is no mapping, and {row} came.");
        }
        catch (IngestException e)
        {
            return e;
        }

        throw new InvalidOperationException("There is no mapping, and one came.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        _data.Dispose();
        Folder.Dispose();
    }
}
