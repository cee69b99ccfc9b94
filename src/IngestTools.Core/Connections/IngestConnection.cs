using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using IngestTools.Http;
using IngestTools.Logging;
using IngestTools.Services;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Connections;

/// <summary>A connection to one service: its address, its way to sign in, and the sockets that are open. It shows no secret.</summary>
public sealed class IngestConnection : IDisposable
{
    /// <summary>How often a request is sent at most, where the settings do not say.</summary>
    public const int DefaultMaxAttempts = 4;

    /// <summary>How long one attempt may take, where the settings do not say.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(100);

    /// <summary>How long operations wait for a server that is down, where the settings do not say.</summary>
    public static readonly TimeSpan DefaultOutageTimeout = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Connections are replaced after this time, so that a changed DNS entry is seen.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Below the keep-alive of common servers and proxies (60 s), so that a connection is not used in the moment they close it.
    /// </summary>
    private static readonly TimeSpan ConnectionIdleTime = TimeSpan.FromSeconds(45);

    /// <summary>Longer than DSP-INGEST's wait for its lock (400 ms): a refusal then comes before the body is sent.</summary>
    private static readonly TimeSpan ContinueTimeout = TimeSpan.FromMilliseconds(700);

    private static readonly string[] ProxySchemes = ["http", "https", "socks4", "socks4a", "socks5"];

    private readonly HttpTransport _transport;
    private readonly ServerText _text = new(new KnownSecrets());
    private readonly IAuthenticator _authenticator;
    private volatile bool _isSecretRead;

    private IngestConnection(ConnectionSettings settings, TimeProvider time)
    {
        settings = RememberSecrets(settings);
        Settings = settings;
        Time = time;
        _transport = new HttpTransport(
            CreateHandler(settings, ConnectionLifetime),
            CreateHandler(settings, TimeSpan.Zero),
            _text,
            LearnSecretAsync,
            Definition.CreateRateLimiter(time),
            time
        );
        Outage outage = Outage.Of(settings, time);
        _authenticator = Definition.CreateAuthenticator(settings, () => CreateHttp(new NoAuthenticator(), Outage.LeftTo(outage)), time);
        Http = CreateHttp(_authenticator, outage);
    }

    private IngestConnection(IngestConnection connection)
    {
        Settings = connection.Settings;
        Time = connection.Time;
        Memory = connection.Memory;
        _transport = connection._transport;
        _text = connection._text;
        _authenticator = connection._authenticator;
        Http = CreateHttp(_authenticator, Outage.NotWaitedFor(Time));
    }

    /// <summary>The connection's name.</summary>
    public string Name => Settings.Name ?? Settings.Service.ToString();

    /// <summary>The service.</summary>
    public IngestService Service => Settings.Service;

    /// <summary>The base address.</summary>
    public Uri Uri => Settings.Uri!;

    /// <summary>The base address as text, by which results and transactions name the server.</summary>
    public string Server => Uri.AbsoluteUri;

    /// <summary>How it proves who it is.</summary>
    public SignInKind SignIn => Settings.SignIn;

    /// <summary>The user's name; null where there is none.</summary>
    public string? UserName => Settings.UserName;

    /// <summary>Where the secret is kept; null where it was given.</summary>
    public string? SecretFrom => Settings.SecretFrom;

    /// <summary>
    /// Whether the service took the credentials when that was tried (by <see cref="ServiceCheck"/>); null where it was not tried, or the
    /// service did not say.
    /// </summary>
    public bool? SignedIn { get; internal set; }

    internal ConnectionSettings Settings { get; }

    internal IngestHttp Http { get; }

    internal TimeProvider Time { get; }

    internal ServiceDefinition Definition => ServiceDefinition.Of(Service);

    /// <summary>What clients of this connection remember from one to the next, by key.</summary>
    internal System.Collections.Concurrent.ConcurrentDictionary<string, object> Memory { get; } = new(StringComparer.Ordinal);

    /// <summary>Makes a connection, for a host with a log of its own. Nothing is sent yet.</summary>
    /// <param name="settings">What makes it.</param>
    /// <param name="log">Takes warnings about what is insecure.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/> for an address that cannot be,
    /// <see cref="ErrorId.InsecureConnection"/>, <see cref="ErrorId.FileUnreadable"/> for the certificates.</exception>
    public static IngestConnection Open(ConnectionSettings settings, IngestLog log) => Open(settings, log.Logger);

    /// <summary>Makes a connection. Nothing is sent yet.</summary>
    /// <param name="settings">What makes it.</param>
    /// <param name="logger">Takes warnings about what is insecure.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/> for an address that cannot be,
    /// <see cref="ErrorId.InsecureConnection"/>, <see cref="ErrorId.FileUnreadable"/> for the certificates.</exception>
    public static IngestConnection Open(ConnectionSettings settings, ILogger? logger = null) =>
        Open(settings, logger ?? NullLogger.Instance, TimeProvider.System);

    /// <summary>Makes a connection with a clock of its own.</summary>
    internal static IngestConnection Open(ConnectionSettings settings, ILogger logger, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ServiceDefinition definition = ServiceDefinition.Of(settings.Service);
        Uri uri =
            settings.Uri ?? definition.DefaultUri ?? throw Refused(settings, $"{settings.Service} has no common address.", "Give -Uri.");
        settings = settings with { Uri = ReadBase(settings.Service, uri, "-Uri") };
        if (settings.AuthenticationUri is not null)
            settings = settings with { AuthenticationUri = ReadBase(settings.Service, settings.AuthenticationUri, "-AuthenticationUri") };
        if (settings.Proxy is not null)
            RefuseProxy(settings, settings.Proxy);
        else if (settings.ProxyCredential is not null)
            throw Refused(settings, "There is no proxy that the credentials are for.", "Give -Proxy beside -ProxyCredential.");
        definition.Validate(settings);
        if (settings.SignIn != SignInKind.None && settings.Secret is null)
            throw Refused(
                settings,
                "No secret to sign in with was given.",
                "Give -Token, -Credential, -ApiKey, -SessionCookie or -SecretFrom."
            );
        if (settings.OutageTimeout < TimeSpan.Zero)
            throw Refused(settings, "An outage timeout cannot be negative.", "Give -OutageTimeout 0 to wait for no outage.");
        RefusePlainText(settings);
        if (settings.SkipCertificateCheck)
            logger.LogWarning(
                "Any certificate is taken from {Host}: whoever is between here and there can read and change what is sent.",
                settings.Uri!.Host
            );
        return new IngestConnection(settings, time);
    }

    /// <summary>
    /// The base address of the server that a connection with these settings would lead to; null where they have no usable address.
    /// </summary>
    /// <param name="settings">The settings.</param>
    public static string? ServerOf(ConnectionSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        try
        {
            Uri? uri = settings.Uri ?? ServiceDefinition.Of(settings.Service).DefaultUri;
            return uri is null ? null : ReadBase(settings.Service, uri, "-Uri").AbsoluteUri;
        }
        catch (IngestException)
        {
            return null;
        }
    }

    /// <summary>
    /// A server's base address, which somebody wrote, in the form of <see cref="Server"/>; null where the text is not a base address.
    /// </summary>
    /// <param name="address">The text, such as <c>https://ingest.example.org</c>.</param>
    public static string? ServerOf(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        try
        {
            return Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) ? ReadBase(null, uri, "-Uri").AbsoluteUri : null;
        }
        catch (IngestException)
        {
            return null;
        }
    }

    /// <summary>
    /// Has somebody asked right before each request that changes something at the service, as often as it is sent: for a host that can lose
    /// the right to act while a request waits to be sent again. A sign-in is not asked about.
    /// </summary>
    /// <param name="ask">Is told what may be done with the request. What it throws ends the operation, with the request unsent; an
    /// operation is not tried again for it.</param>
    public void AskBeforeChange(Func<OperationKind, CancellationToken, ValueTask> ask) => Http.BeforeWrite = ask;

    /// <summary>
    /// The same connection for a check, which reports at once that a server is down, and which the circuit breaker does not hold back. It
    /// ends with this one, and is not disposed.
    /// </summary>
    internal IngestConnection ForCheck() => new(this);

    /// <summary>Closes the sockets and forgets tokens.</summary>
    public void Dispose()
    {
        (_authenticator as IDisposable)?.Dispose();
        _transport.Dispose();
        foreach (object remembered in Memory.Values)
            (remembered as IDisposable)?.Dispose();
        Memory.Clear();
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The same settings, of which each secret that is read is remembered, to be found in what the server answers.</summary>
    private ConnectionSettings RememberSecrets(ConnectionSettings settings)
    {
        KnownSecrets secrets = _text.Secrets;
        foreach (string secret in ProxyCredentials.Read(settings))
            secrets.Add(secret);
        // An access key is half of what lets somebody in, unlike the name of a person.
        if (settings.Service == IngestService.LakeFs && settings.SignIn == SignInKind.Password)
            secrets.Add(settings.UserName);
        if (settings.Secret is not { } read)
            return settings;
        return settings with
        {
            Secret = async cancellationToken =>
            {
                _isSecretRead = true;
                string secret = await read(cancellationToken).ConfigureAwait(false);
                secrets.Add(secret);
                return secret;
            },
        };
    }

    /// <summary>
    /// Reads the secret ahead of the first answer, if nothing read it yet. Whether it can be read matters to the request that needs it.
    /// </summary>
    private async ValueTask LearnSecretAsync(CancellationToken cancellationToken)
    {
        if (_isSecretRead || Settings.Secret is not { } read)
            return;
        try
        {
            await read(cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException)
        {
            // No secret is known, and none is sent.
        }
    }

    private IngestHttp CreateHttp(IAuthenticator authenticator, Outage outage) =>
        new(Service, _transport, authenticator, Settings.MaxAttempts ?? DefaultMaxAttempts, Settings.Timeout ?? DefaultTimeout, outage);

    private static Uri ReadBase(IngestService? service, Uri uri, string parameter)
    {
        if (uri is { IsAbsoluteUri: true, UserInfo.Length: > 0 })
            throw Refused(
                service,
                $"The address of {uri.Host} has a user name or password in it.",
                $"Give them as -Credential, and {parameter} without them."
            );
        if (!uri.IsAbsoluteUri || (uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp))
            throw Refused(
                service,
                $"'{Redaction.Of(uri.OriginalString)}' is not a valid address.",
                $"Give a full address, such as https://ingest.example.org, as {parameter}."
            );
        if (uri.Query.Length > 0 || uri.Fragment.Length > 0)
            throw Refused(service, $"The address {Redaction.Of(uri)} has a query.", $"Give {parameter} without what follows ? or #.");
        return new Uri(uri.AbsoluteUri.TrimEnd('/') + "/");
    }

    private static void RefuseProxy(ConnectionSettings settings, Uri proxy)
    {
        if (!proxy.IsAbsoluteUri || !ProxySchemes.Contains(proxy.Scheme, StringComparer.Ordinal))
            throw Refused(
                settings,
                $"'{Redaction.Of(proxy.OriginalString)}' is not a valid proxy address.",
                "Give -Proxy with its scheme, such as http://proxy.example.org:8080."
            );
        if (proxy.UserInfo.Length > 0)
            throw Refused(
                settings,
                $"The address of the proxy {proxy.Host} has a user name or password in it.",
                "Give -Proxy without them, and give them as -ProxyCredential."
            );
    }

    private static void RefusePlainText(ConnectionSettings settings)
    {
        if (settings.AllowInsecure || settings.SignIn == SignInKind.None)
            return;
        foreach (Uri? uri in new[] { settings.Uri, settings.AuthenticationUri })
        {
            if (uri is not null && uri.Scheme == Uri.UriSchemeHttp && !uri.IsLoopback)
            {
                throw new IngestException(
                    ErrorId.InsecureConnection,
                    $"The credentials would go to {uri.Host} over plain http, readable by everybody on the way."
                )
                {
                    Service = settings.Service,
                    Advice = "Use https. If the way is safe by other means, give -AllowInsecure.",
                };
            }
        }
    }

    private static IngestException Refused(ConnectionSettings settings, string message, string advice) =>
        Refused(settings.Service, message, advice);

    private static IngestException Refused(IngestService? service, string message, string advice) =>
        new(ErrorId.Rejected, message) { Service = service, Advice = advice };

    /// <param name="settings">The connection's settings.</param>
    /// <param name="lifetime">How long a connection is used; zero uses it for one request.</param>
    private static SocketsHttpHandler CreateHandler(ConnectionSettings settings, TimeSpan lifetime) =>
        new()
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.GZip,
            ConnectTimeout = ConnectTimeout,
            Expect100ContinueTimeout = ContinueTimeout,
            PooledConnectionIdleTimeout = ConnectionIdleTime,
            PooledConnectionLifetime = lifetime,
            // An answer that is no longer wanted is dropped with its connection: reading on could take seconds after Ctrl+C.
            ResponseDrainTimeout = TimeSpan.FromMilliseconds(50),
            Proxy = settings.Proxy is null ? null : new WebProxy(settings.Proxy) { Credentials = settings.ProxyCredential },
            UseProxy = !settings.NoProxy,
            UseCookies = false,
            SslOptions = CreateTls(settings),
            ConnectCallback = ConnectAsync,
        };

    /// <summary>
    /// A connection that is given up is reset. Without that, what was not sent yet would stand before its end, and a server that has
    /// stopped reading would not learn that the upload was aborted, and would hold its lock on.
    /// </summary>
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, LingerState = new LingerOption(true, 0) };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SslClientAuthenticationOptions CreateTls(ConnectionSettings settings)
    {
        SslClientAuthenticationOptions tls = new();
        if (settings.SkipCertificateCheck)
        {
#pragma warning disable CA5359 // The user asked for it by name, and is warned each time.
            tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (settings.CertificateAuthority is { } path)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(ReadCertificates(settings, path));
        }

        return tls;
    }

    private static X509Certificate2Collection ReadCertificates(ConnectionSettings settings, string path)
    {
        X509Certificate2Collection certificates = [];
        try
        {
            certificates.ImportFromPemFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw Unreadable(e.Message, e);
        }

        return certificates.Count > 0 ? certificates : throw Unreadable("it holds no certificate", null);

        IngestException Unreadable(string why, Exception? cause) =>
            new(ErrorId.FileUnreadable, $"The certificates in {path} cannot be used: {why}", cause)
            {
                Service = settings.Service,
                Advice = "Give a PEM file, with lines that read BEGIN CERTIFICATE, as -CertificateAuthority.",
                Target = path,
            };
    }
}
