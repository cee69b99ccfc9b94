using System.Net;
using System.Net.Sockets;
using System.Text;
using IngestTools.Connections;
using IngestTools.Services.Ica;

namespace IngestTools.Units.Support;

/// <summary>A server that answers each request with JSON as it is written in a test: for answers that the sandbox never gives.</summary>
internal sealed class RawIca : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Func<string, string> _answer;
    private readonly Task _work;

    /// <param name="answer">The body for a path and query.</param>
    public RawIca(Func<string, string> answer)
    {
        _answer = answer;
        using (TcpListener free = new(IPAddress.Loopback, 0))
        {
            free.Start();
            _listener.Prefixes.Add($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/");
        }

        _listener.Start();
        _work = AnswerAllAsync();
        Connection = IngestConnection.Open(
            new ConnectionSettings
            {
                Service = IngestService.Ica,
                Uri = new Uri(_listener.Prefixes.Single()),
                SignIn = SignInKind.None,
                MaxAttempts = 1,
                NoProxy = true,
            }
        );
    }

    public IngestConnection Connection { get; }

    public IcaClient Client => new(Connection);

    public async ValueTask DisposeAsync()
    {
        Connection.Dispose();
        _listener.Close();
        await _work;
    }

    private async Task AnswerAllAsync()
    {
        try
        {
            while (true)
            {
                HttpListenerContext context = await _listener.GetContextAsync();
                context.Response.ContentType = "application/json";
                context.Response.Close(Encoding.UTF8.GetBytes(_answer(context.Request.Url!.PathAndQuery)), willBlock: true);
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }
}
