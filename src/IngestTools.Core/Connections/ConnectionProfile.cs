namespace IngestTools.Connections;

/// <summary>A saved connection: everything but the secret.</summary>
public sealed record ConnectionProfile
{
    /// <summary>The connection's name.</summary>
    public required string Name { get; init; }

    /// <summary>The service.</summary>
    public required IngestService Service { get; init; }

    /// <summary>Whether it is the one that is used when none is named.</summary>
    public bool IsDefault { get; init; }

    /// <summary>The base address.</summary>
    public required Uri Uri { get; init; }

    /// <summary>How it proves who it is.</summary>
    public SignInKind SignIn { get; init; }

    /// <summary>The user's name, or the cookie's.</summary>
    public string? UserName { get; init; }

    /// <summary>Where the secret is kept.</summary>
    public string? SecretFrom { get; init; }

    /// <summary>DSP-INGEST: where a password is exchanged for a token.</summary>
    public Uri? AuthenticationUri { get; init; }

    /// <summary>The proxy.</summary>
    public Uri? Proxy { get; init; }

    /// <summary>Whether to use no proxy.</summary>
    public bool NoProxy { get; init; }

    /// <summary>A PEM file of trusted certificates.</summary>
    public string? CertificateAuthority { get; init; }

    /// <summary>Whether any certificate is taken.</summary>
    public bool SkipCertificateCheck { get; init; }

    /// <summary>Whether secrets may go over plain http.</summary>
    public bool AllowInsecure { get; init; }

    /// <summary>How long one attempt may take, in seconds.</summary>
    public double? TimeoutSeconds { get; init; }

    /// <summary>How often a request is sent at most.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>How long operations wait for a server that is down, in seconds.</summary>
    public double? OutageTimeoutSeconds { get; init; }

    /// <summary>The profile of a connection.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="isDefault">Whether it is used when none is named.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.SecretUnavailable"/>: the secret was given, so it cannot be read
    /// later.</exception>
    public static ConnectionProfile From(IngestConnection connection, bool isDefault)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ConnectionSettings settings = connection.Settings;
        if (settings.SignIn != SignInKind.None && settings.SecretFrom is null)
        {
            throw new IngestException(ErrorId.SecretUnavailable, "A secret that was given cannot be saved.")
            {
                Service = settings.Service,
                Advice = "Give -SecretFrom env:NAME, file:PATH or vault:NAME, and the secret is read from there when it is needed.",
            };
        }

        if (settings.ProxyCredential is not null)
        {
            throw new IngestException(ErrorId.SecretUnavailable, "The credentials of a proxy that were given cannot be saved.")
            {
                Service = settings.Service,
                Advice =
                    "Save the connection without -Proxy and -ProxyCredential, and set the environment variable https_proxy "
                    + "(http://user:password@host:port) where it is used.",
            };
        }

        return new ConnectionProfile
        {
            Name = connection.Name,
            Service = settings.Service,
            IsDefault = isDefault,
            Uri = settings.Uri!,
            SignIn = settings.SignIn,
            UserName = settings.UserName,
            SecretFrom = settings.SecretFrom,
            AuthenticationUri = settings.AuthenticationUri,
            Proxy = settings.Proxy,
            NoProxy = settings.NoProxy,
            CertificateAuthority = settings.CertificateAuthority,
            SkipCertificateCheck = settings.SkipCertificateCheck,
            AllowInsecure = settings.AllowInsecure,
            TimeoutSeconds = settings.Timeout?.TotalSeconds,
            MaxAttempts = settings.MaxAttempts,
            OutageTimeoutSeconds = settings.OutageTimeout?.TotalSeconds,
        };
    }

    /// <summary>The settings that make this connection.</summary>
    /// <param name="vault">Reads vaults; null where there are none.</param>
    public ConnectionSettings ToSettings(VaultReader? vault) =>
        new()
        {
            Service = Service,
            Name = Name,
            Uri = Uri,
            SignIn = SignIn,
            UserName = UserName,
            Secret = SecretFrom is null ? null : SecretReference.Parse(SecretFrom).CreateReader(vault),
            SecretFrom = SecretFrom,
            AuthenticationUri = AuthenticationUri,
            Proxy = Proxy,
            NoProxy = NoProxy,
            CertificateAuthority = CertificateAuthority,
            SkipCertificateCheck = SkipCertificateCheck,
            AllowInsecure = AllowInsecure,
            Timeout = TimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            MaxAttempts = MaxAttempts,
            OutageTimeout = OutageTimeoutSeconds is { } outage ? TimeSpan.FromSeconds(outage) : null,
        };

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
