using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Services.DspIngest;
using IngestTools.Uploads;

namespace IngestTools.Units.Support;

/// <summary>A sandbox and a connection to its DSP-INGEST.</summary>
internal sealed class DspHarness : ServiceFixture
{
    public const string Token = "canary-7d1f0b52";

    public const string Shortcode = "0001";

    private DspHarness(SandboxServer server, ConnectionSettings settings)
        : base(server, settings, time: null) { }

    public DspIngestClient Client => new(Connection, Log);

    public DspProject Project => Server.DspIngest.Project(Shortcode);

    public static async Task<DspHarness> StartAsync(
        Action<DspIngestOptions>? configure = null,
        Func<ConnectionSettings, ConnectionSettings>? connect = null
    )
    {
        SandboxOptions options = new() { Seed = 1 };
        options.DspIngest.Token = Token;
        configure?.Invoke(options.DspIngest);
        SandboxServer server = await SandboxServer.StartAsync(options);
        ConnectionSettings settings = SettingsFor(server.Uri);
        return new DspHarness(server, connect?.Invoke(settings) ?? settings);
    }

    /// <summary>How to connect to a sandbox at an address.</summary>
    public static ConnectionSettings SettingsFor(Uri uri) =>
        new()
        {
            Service = IngestService.DspIngest,
            Uri = uri,
            SignIn = SignInKind.Token,
            Secret = _ => ValueTask.FromResult(Token),
        };

    /// <summary>Sends what is named, and collects the results.</summary>
    public Task<List<UploadResult>> SendAsync(UploadOptions? options, params string[] paths) => SendAsync(Connection, options, paths);

    /// <summary>Sends what is named over a connection, and collects the results.</summary>
    public Task<List<UploadResult>> SendAsync(IngestConnection connection, UploadOptions? options, params string[] paths) =>
        SendAsync(new DspIngestClient(connection, Log).CreateUploadTarget(Shortcode), options, paths);

    public ChannelReader<UploadRequest> Requests(params string[] paths) => Requests(Client.CreateUploadTarget(Shortcode), paths);

    /// <summary>Starts the bulk ingest of what was uploaded.</summary>
    public Task<Transaction> StartIngestAsync(IEnumerable<UploadResult> results)
    {
        UploadedNames names = new();
        foreach (UploadResult result in results.Where(result => result.Status == UploadStatus.Uploaded))
            names.Add(result.RemoteName);
        return Client.StartAsync(Shortcode, names, CancellationToken.None);
    }
}
