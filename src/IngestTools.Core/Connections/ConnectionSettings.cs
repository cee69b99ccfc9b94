namespace IngestTools.Connections;

/// <summary>
/// Reads a secret when it is first needed, and again when the server refuses it. A token is kept in memory for as long as its connection
/// lives, and nowhere else.
/// </summary>
/// <param name="cancellationToken">Cancels the read.</param>
/// <exception cref="IngestException"><see cref="ErrorId.SecretUnavailable"/></exception>
public delegate ValueTask<string> SecretReader(CancellationToken cancellationToken);

/// <summary>Everything that makes a connection.</summary>
public sealed record ConnectionSettings
{
    /// <summary>The service.</summary>
    public required IngestService Service { get; init; }

    /// <summary>The connection's name; the service's name where null.</summary>
    public string? Name { get; init; }

    /// <summary>The service's base address; null takes the service's default, where it has one.</summary>
    public Uri? Uri { get; init; }

    /// <summary>How it proves who it is.</summary>
    public SignInKind SignIn { get; init; }

    /// <summary>The user's name, or the cookie's.</summary>
    public string? UserName { get; init; }

    /// <summary>Reads the token, password, API key or the cookie's value; null where <see cref="SignIn"/> is None.</summary>
    public SecretReader? Secret { get; init; }

    /// <summary>Where the secret is kept, as the user wrote it (<c>env:NAME</c>); null where it was given.</summary>
    public string? SecretFrom { get; init; }

    /// <summary>
    /// DSP-INGEST: DSP-API's base address, or its full login address, where a password is exchanged for a token. VOSS: its base address,
    /// where a password is exchanged for a session; null signs in by HTTP Basic.
    /// </summary>
    public Uri? AuthenticationUri { get; init; }

    /// <summary>The proxy; null takes the system's.</summary>
    public Uri? Proxy { get; init; }

    /// <summary>The user name and password that <see cref="Proxy"/> wants; null where it wants none. They are kept in no profile.</summary>
    public System.Net.NetworkCredential? ProxyCredential { get; init; }

    /// <summary>Whether to use no proxy at all.</summary>
    public bool NoProxy { get; init; }

    /// <summary>A PEM file of certificates that are trusted instead of the system's.</summary>
    public string? CertificateAuthority { get; init; }

    /// <summary>Whether any certificate is taken.</summary>
    public bool SkipCertificateCheck { get; init; }

    /// <summary>Whether secrets may go over plain http to another machine.</summary>
    public bool AllowInsecure { get; init; }

    /// <summary>How long one attempt may take; not for uploads. Null is 100 s.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How often a request is sent at most. Null is 4.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>
    /// How long operations wait for a server that is down; zero is not at all. Null is 1 minute, once the server has answered for the first
    /// time. Operations that are given the same logger share one wait.
    /// </summary>
    public TimeSpan? OutageTimeout { get; init; }
}
