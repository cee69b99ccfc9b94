using System.Net;
using System.Net.Sockets;
using System.Text;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>
/// What a server or a proxy says that takes another protocol, or wants more than IngestTools sends: the advice fits the cause.
/// </summary>
public sealed class WrongPortTests
{
    /// <summary>What a server sends, and what the error says of it.</summary>
    public static TheoryData<string, string, ErrorId, string> Answers =>
        new()
        {
            { "a TLS alert", "\u0015\u0003\u0003\0\u0002\u0002F\n\n", ErrorId.InvalidAnswer, "write https://" },
            { "a greeting of SSH", "SSH-2.0-OpenSSH_9.2p1\r\n", ErrorId.InvalidAnswer, "Check the port in -Uri" },
            { "the end of the connection", "", ErrorId.ConnectionFailed, "a port that takes https closes so" },
            {
                "nginx, of a plain request to TLS",
                Bad("<html><center>The plain HTTP request was sent to HTTPS port</center></html>"),
                ErrorId.Rejected,
                "The port takes https"
            },
            {
                "Go, of a plain request to TLS",
                Bad("Client sent an HTTP request to an HTTPS server."),
                ErrorId.Rejected,
                "The port takes https"
            },
            { "Kestrel, of HTTP/1.1", Bad("An HTTP/1.x request was sent to an HTTP/2 only endpoint."), ErrorId.Rejected, "HTTP/2 only" },
            { "a load balancer, of HTTP/1.1", "HTTP/1.1 464 \r\nContent-Length: 0\r\n\r\n", ErrorId.Rejected, "HTTP/2 only" },
            {
                "nginx, of no certificate",
                Bad("<html><center>No required SSL certificate was sent</center></html>"),
                ErrorId.Rejected,
                "sends no client certificate"
            },
            {
                "a proxy",
                "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
                ErrorId.NotAllowed,
                "-ProxyCredential"
            },
        };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Advice_fits_what_answers(string what, string answer, ErrorId id, string advice)
    {
        await using RawServer server = new(_ => answer);

        IngestException error = await FailAsync(
            new ConnectionSettings
            {
                Service = IngestService.DspIngest,
                Uri = server.Uri,
                MaxAttempts = 1,
                NoProxy = true,
            }
        );

        Assert.True(id == error.ErrorId, $"{what}: {error}");
        Assert.Contains(advice, error.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain("certificate of your own", error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Https_to_a_port_of_plain_http_says_so()
    {
        await using SandboxServer sandbox = await SandboxServer.StartAsync();

        IngestException error = await FailAsync(
            new ConnectionSettings
            {
                Service = IngestService.DspIngest,
                Uri = new Uri(sandbox.Uri.AbsoluteUri.Replace("http://", "https://", StringComparison.Ordinal)),
                MaxAttempts = 1,
                NoProxy = true,
            }
        );

        Assert.Equal(ErrorId.InsecureConnection, error.ErrorId);
        Assert.Contains("does not answer in TLS", error.Message, StringComparison.Ordinal);
        Assert.Contains("write http://", error.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain("-CertificateAuthority", error.Advice, StringComparison.Ordinal);
    }

    /// <summary>The alerts of a server that wants a client certificate: 116 of TLS 1.3, and 40 of TLS 1.2.</summary>
    [SkippableTheory]
    [InlineData(116, "asks for a client certificate, and IngestTools has none to send", "IngestTools sends no client certificate")]
    [InlineData(40, "refused the TLS handshake", "The server may ask for a client certificate")]
    public async Task Alert_of_a_server_that_wants_a_client_certificate_is_named_as_such(byte alert, string words, string advice)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "The words for alerts are those of OpenSSL.");
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = SendAlertAsync(listener, alert);

        IngestException error = await FailAsync(
            new ConnectionSettings
            {
                Service = IngestService.DspIngest,
                Uri = new Uri($"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}"),
                MaxAttempts = 1,
                NoProxy = true,
            }
        );

        Assert.Equal(ErrorId.InsecureConnection, error.ErrorId);
        Assert.False(error.IsTransient);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(advice, error.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain("-CertificateAuthority", error.Advice, StringComparison.Ordinal);
        await serving.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task Proxy_that_wants_credentials_is_named_as_such(string scheme)
    {
        await using RawServer proxy = new(_ =>
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"
        );

        IngestException error = await FailAsync(
            new ConnectionSettings
            {
                Service = IngestService.DspIngest,
                Uri = new Uri($"{scheme}://ingest.example.org"),
                Proxy = proxy.Uri,
                MaxAttempts = 1,
            }
        );

        Assert.Equal(ErrorId.NotAllowed, error.ErrorId);
        Assert.Contains("-ProxyCredential", error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_go_to_the_proxy_when_it_asks_for_them()
    {
        string expected = Convert.ToBase64String(Encoding.UTF8.GetBytes("me:canary-proxy"));
        await using RawServer proxy = new(head =>
            head.Contains($"Proxy-Authorization: Basic {expected}", StringComparison.Ordinal)
                ? "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"UP\"}"
                : "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"
        );
        using IngestConnection connection = IngestConnection.Open(
            new ConnectionSettings
            {
                Service = IngestService.DspIngest,
                Uri = new Uri("http://ingest.example.org"),
                Proxy = proxy.Uri,
                ProxyCredential = new NetworkCredential("me", "canary-proxy"),
                MaxAttempts = 1,
            }
        );

        ServiceReport report = await ServiceCheck.RunAsync(connection, null, new RecordingLogger(), CancellationToken.None);

        Assert.True(report.Reachable, string.Join(' ', report.Details));
    }

    [Theory]
    [InlineData("403 Forbidden", true)]
    [InlineData("429 Too Many Requests", null)]
    public async Task Answer_that_does_not_refuse_the_credentials_lets_the_connection_be_made(string status, bool? signedIn)
    {
        await using RawServer server = new(_ => $"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        using IngestConnection connection = IngestConnection.Open(
            new ConnectionSettings
            {
                Service = IngestService.DspIngest,
                Uri = server.Uri,
                MaxAttempts = 1,
                NoProxy = true,
            }
        );

        await ServiceCheck.TrySignInAsync(connection, new RecordingLogger(), CancellationToken.None);

        Assert.Equal(signedIn, connection.SignedIn);
    }

    [Fact]
    public void Credentials_of_a_proxy_need_the_proxy_and_are_not_saved()
    {
        ConnectionSettings settings = new()
        {
            Service = IngestService.DspIngest,
            Uri = new Uri("https://ingest.example.org"),
            ProxyCredential = new NetworkCredential("me", "canary-proxy"),
        };

        Assert.Equal(ErrorId.Rejected, Assert.Throws<IngestException>(() => IngestConnection.Open(settings)).ErrorId);
        using IngestConnection connection = IngestConnection.Open(settings with { Proxy = new Uri("http://127.0.0.1:1") });
        IngestException error = Assert.Throws<IngestException>(() => ConnectionProfile.From(connection, isDefault: false));
        Assert.Equal(ErrorId.SecretUnavailable, error.ErrorId);
        Assert.Contains("https_proxy", error.Advice, StringComparison.Ordinal);
    }

    private static string Bad(string body) =>
        $"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    /// <summary>Answers the beginning of TLS with a fatal alert.</summary>
    private static async Task SendAlertAsync(TcpListener listener, byte alert)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync();
        NetworkStream stream = client.GetStream();
        // A record: its type, the version, and the length of what follows.
        byte[] head = new byte[5];
        await stream.ReadExactlyAsync(head);
        await stream.ReadExactlyAsync(new byte[(head[3] << 8) | head[4]]);
        const byte alertType = 21,
            fatal = 2;
        await stream.WriteAsync(new byte[] { alertType, 3, 3, 0, 2, fatal, alert });
    }

    private static async Task<IngestException> FailAsync(ConnectionSettings settings)
    {
        using IngestConnection connection = IngestConnection.Open(settings);
        return await Assert.ThrowsAsync<IngestException>(() =>
            ServiceCheck.TrySignInAsync(connection, new RecordingLogger(), CancellationToken.None)
        );
    }

    /// <summary>A server that answers each request with bytes as they are, and then ends the connection.</summary>
    private sealed class RawServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Func<string, string> _answer;
        private readonly Task _work;

        public RawServer(Func<string, string> answer)
        {
            _answer = answer;
            _listener.Start();
            _work = ServeAsync();
        }

        public Uri Uri => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _work;
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using TcpClient client = await _listener.AcceptTcpClientAsync();
                    await AnswerAsync(client);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // The test has ended.
            }
        }

        private async Task AnswerAsync(TcpClient client)
        {
            try
            {
                await using NetworkStream stream = client.GetStream();
                StringBuilder head = new();
                byte[] buffer = new byte[4096];
                while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
                {
                    int read = await stream.ReadAsync(buffer);
                    if (read == 0)
                        return;
                    head.Append(Encoding.Latin1.GetString(buffer, 0, read));
                }

                await stream.WriteAsync(Encoding.Latin1.GetBytes(_answer(head.ToString())));
                client.Client.Shutdown(SocketShutdown.Send);
                // Until the client has read it: to close before could cut the answer off.
                while (await stream.ReadAsync(buffer) > 0) { }
            }
            catch (IOException)
            {
                // The client has gone.
            }
        }
    }
}
