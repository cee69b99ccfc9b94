using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using IngestTools.Connections;
using IngestTools.Units.Support;
using Microsoft.Extensions.Logging;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>A server with a certificate of its own authority.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RSA _authorityKey = RSA.Create(2048);
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _server;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;
    private readonly RecordingLogger _log = new();

    public TlsTests()
    {
        DateTimeOffset from = DateTimeOffset.UtcNow.AddDays(-1);
        CertificateRequest authority = new("CN=Test authority", _authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = authority.CreateSelfSigned(from, from.AddDays(30));
        using RSA serverKey = RSA.Create(2048);
        CertificateRequest server = new("CN=localhost", serverKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        server.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = server.Create(_authority, from, from.AddDays(20), [1, 2, 3, 4]);
        using X509Certificate2 withKey = signed.CopyWithPrivateKey(serverKey);
        _server = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pfx), null);
        _listener.Start();
        _serving = ServeAsync();
    }

    private Uri Uri => new($"https://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    [Fact]
    public async Task Certificate_of_an_unknown_authority_is_refused_and_the_token_never_sent()
    {
        ServiceReport report = await CheckAsync(settings => settings);

        Assert.False(report.Reachable);
        Assert.Contains("No secure connection to localhost", report.Details[0], StringComparison.Ordinal);
        Assert.Contains("-CertificateAuthority", report.Details[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Certificate_of_the_authority_in_the_file_is_trusted()
    {
        string path = Path.Join(_folder.Path, "authority.pem");
        await File.WriteAllTextAsync(path, _authority.ExportCertificatePem());

        ServiceReport report = await CheckAsync(settings => settings with { CertificateAuthority = path });

        Assert.True(report.Reachable, string.Join('\n', report.Details));
    }

    [Fact]
    public async Task Certificate_for_another_host_is_refused_although_its_authority_is_trusted()
    {
        string path = Path.Join(_folder.Path, "authority.pem");
        await File.WriteAllTextAsync(path, _authority.ExportCertificatePem());

        ServiceReport report = await CheckAsync(settings =>
            settings with
            {
                CertificateAuthority = path,
                Uri = new Uri(Uri.AbsoluteUri.Replace("localhost", "127.0.0.1", StringComparison.Ordinal)),
            }
        );

        Assert.False(report.Reachable);
    }

    [Fact]
    public async Task Any_certificate_is_taken_on_request_with_a_warning()
    {
        ServiceReport report = await CheckAsync(settings => settings with { SkipCertificateCheck = true });

        Assert.True(report.Reachable, string.Join('\n', report.Details));
        Assert.Contains(
            _log.At(LogLevel.Warning),
            text => text.Contains("Any certificate is taken from localhost", StringComparison.Ordinal)
        );
    }

    public void Dispose()
    {
        _listener.Dispose();
        _serving.Wait(TimeSpan.FromSeconds(10));
        _authority.Dispose();
        _server.Dispose();
        _authorityKey.Dispose();
        _folder.Dispose();
    }

    private async Task<ServiceReport> CheckAsync(Func<ConnectionSettings, ConnectionSettings> change)
    {
        ConnectionSettings settings = change(
            new ConnectionSettings
            {
                Service = IngestService.DspIngest,
                Uri = Uri,
                SignIn = SignInKind.Token,
                Secret = _ => ValueTask.FromResult("canary"),
                MaxAttempts = 1,
                NoProxy = true,
            }
        );
        using IngestConnection connection = IngestConnection.Open(settings, _log);
        return await ServiceCheck.RunAsync(connection, null, _log, CancellationToken.None);
    }

    /// <summary>Answers every request with health, until the listener ends.</summary>
    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync();
                _ = AnswerAsync(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await using SslStream tls = new(client.GetStream());
                await tls.AuthenticateAsServerAsync(_server);
                using StreamReader reader = new(tls);
                while (await reader.ReadLineAsync() is { } line)
                {
                    if (line.Length == 0)
                        await tls.WriteAsync(
                            Encoding.ASCII.GetBytes(
                                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"UP\"}"
                            )
                        );
                }
            }
            catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
            {
                // A client that does not trust this server goes away.
            }
        }
    }
}
