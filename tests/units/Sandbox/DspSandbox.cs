using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.DspIngest;
using Xunit;

namespace IngestTools.Units.Sandbox;

/// <summary>A sandbox with a plain HttpClient that may do everything, and the calls that most tests begin with.</summary>
internal sealed class DspSandbox : HttpFixture
{
    public const string Token = "the-token-of-the-tests";

    private DspSandbox(SandboxServer server)
        : base(server) => Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);

    public DspProject Project => Server.DspIngest.Project("0001");

    public DspIngestOptions Options => Server.DspIngest.Options;

    public static Task<DspSandbox> StartAsync(Action<DspIngestOptions>? set = null, params string[] faults) =>
        StartAsync(new SandboxOptions { Seed = 1, Faults = Array.ConvertAll(faults, Fault.Parse) }, set);

    public static async Task<DspSandbox> StartAsync(SandboxOptions options, Action<DspIngestOptions>? set = null)
    {
        options.DspIngest.Token = Token;
        options.DspIngest.IngestTimePerFile = TimeSpan.Zero;
        set?.Invoke(options.DspIngest);
        return new DspSandbox(await SandboxServer.StartAsync(options));
    }

    public Task<HttpResponseMessage> UploadAsync(string name, string content = "content", string shortcode = "0001") =>
        UploadAsync(name, Encoding.UTF8.GetBytes(content), shortcode);

    public Task<HttpResponseMessage> UploadAsync(string name, byte[] content, string shortcode = "0001") =>
        PostAsync($"projects/{shortcode}/bulk-ingest/ingest/{Uri.EscapeDataString(name)}", new ByteArrayContent(content));

    public Task<HttpResponseMessage> StartIngestAsync(string shortcode = "0001") => PostAsync($"projects/{shortcode}/bulk-ingest");

    public Task<HttpResponseMessage> FinalizeAsync(string shortcode = "0001") => PostAsync($"projects/{shortcode}/bulk-ingest/finalize");

    public Task<HttpResponseMessage> MappingAsync(string shortcode = "0001") => GetAsync($"projects/{shortcode}/bulk-ingest/mapping.csv");

    /// <summary>Starts an ingest and waits until it has ended.</summary>
    public async Task IngestAsync()
    {
        using HttpResponseMessage answer = await StartIngestAsync();
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await WaitUntilAsync(() => !Project.IsLocked);
    }

    /// <summary>Sends bytes as they are, for what an HttpClient would never send.</summary>
    public async Task<Socket> SendRawAsync(string request)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Server.Uri.Port, Soon);
        await socket.SendAsync(Encoding.UTF8.GetBytes(request), Soon);
        return socket;
    }

    /// <summary>The head of an upload whose body the test sends, or does not.</summary>
    public static string UploadHead(string name, long contentLength) =>
        $"POST /projects/0001/bulk-ingest/ingest/{name} HTTP/1.1\r\nHost: localhost\r\n"
        + $"Authorization: Bearer {Token}\r\nContent-Length: {contentLength}\r\n\r\n";
}
