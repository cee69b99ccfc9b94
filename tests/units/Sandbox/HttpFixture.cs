using IngestTools.Sandbox;
using IngestTools.Units.Support;

namespace IngestTools.Units.Sandbox;

/// <summary>A sandbox that a plain HttpClient asks.</summary>
internal abstract class HttpFixture : SandboxFixture
{
    /// <param name="server">The sandbox.</param>
    /// <param name="basePath">What paths are relative to.</param>
    protected HttpFixture(SandboxServer server, string basePath = "")
        : base(server) =>
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new Uri(server.Uri, basePath),
        };

    public HttpClient Client { get; }

    public Task<HttpResponseMessage> GetAsync(string path) => Client.GetAsync(new Uri(path, UriKind.Relative), Soon);

    public Task<HttpResponseMessage> PostAsync(string path, HttpContent? content = null) =>
        Client.PostAsync(new Uri(path, UriKind.Relative), content, Soon);

    public override async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await base.DisposeAsync();
    }
}
