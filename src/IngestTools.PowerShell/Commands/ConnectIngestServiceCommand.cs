using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Security;
using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Commands;

/// <summary>Connect-IngestService: makes a connection of this session, after the sign-in was tried.</summary>
[Cmdlet(
    VerbsCommunications.Connect,
    "IngestService",
    DefaultParameterSetName = NoSecretSet,
    SupportsShouldProcess = true,
    ConfirmImpact = ConfirmImpact.Low
)]
[OutputType(typeof(IngestConnection))]
public sealed class ConnectIngestServiceCommand : AsyncCmdlet
{
    private const string NoSecretSet = "NoSecret";
    private const string TokenSet = "Token";
    private const string CredentialSet = "Credential";
    private const string ApiKeySet = "ApiKey";
    private const string SessionCookieSet = "SessionCookie";
    private const string SecretFromSet = "SecretFrom";

    /// <summary>The longest that the engine of retries takes for one attempt.</summary>
    private const int SecondsOfADay = 86400;

    // In a box, for a field of one of Core's enums would need Core before it can be found.
    private readonly StrongBox<IngestService> _service = new();
    private readonly StrongBox<SignInKind?> _secretType = new();

    /// <summary>The service.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    public IngestService Service
    {
        get => _service.Value;
        set => _service.Value = value;
    }

    /// <summary>The service's base address. ICA alone has a default.</summary>
    [Parameter(Position = 1)]
    [Address]
    public Uri? Uri { get; set; }

    /// <summary>The connection's name; the service's name where it is left out.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ConnectionCompleter))]
    [NameText]
    public string? Name { get; set; }

    /// <summary>A bearer token, sent as it is.</summary>
    [Parameter(Mandatory = true, ParameterSetName = TokenSet)]
    public SecureString? Token { get; set; }

    /// <summary>A user name and a password, or an access key and its secret.</summary>
    [Parameter(Mandatory = true, ParameterSetName = CredentialSet)]
    [Credential]
    public PSCredential? Credential { get; set; }

    /// <summary>An API key.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ApiKeySet)]
    public SecureString? ApiKey { get; set; }

    /// <summary>A session's cookie: its name, and as password its value.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SessionCookieSet)]
    public PSCredential? SessionCookie { get; set; }

    /// <summary>Where the secret is read when it is needed: env:NAME, file:PATH or vault:[VAULT/]NAME.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SecretFromSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(SecretFromCompleter))]
    [NameText]
    public string? SecretFrom { get; set; }

    /// <summary>
    /// What the secret is. Without it: a password where there is a user name, else an API key for ICA and a token for the others.
    /// </summary>
    [Parameter(ParameterSetName = SecretFromSet)]
    [ValidateSet(nameof(SignInKind.Token), nameof(SignInKind.Password), nameof(SignInKind.ApiKey), nameof(SignInKind.Cookie))]
    public SignInKind SecretType
    {
        get => _secretType.Value ?? SignInKind.None;
        set => _secretType.Value = value;
    }

    /// <summary>The user's name, or the cookie's.</summary>
    [Parameter(ParameterSetName = SecretFromSet)]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? UserName { get; set; }

    /// <summary>Saves the connection as a profile, for the sessions to come.</summary>
    [Parameter(ParameterSetName = SecretFromSet)]
    public SwitchParameter Save { get; set; }

    /// <summary>Saves the connection as the profile that is used where none is named.</summary>
    [Parameter(ParameterSetName = SecretFromSet)]
    public SwitchParameter Default { get; set; }

    /// <summary>
    /// DSP-INGEST: where a password is exchanged for a token: DSP-API's base address, or its full login address. VOSS: its own, for a
    /// session.
    /// </summary>
    [Parameter]
    [Address]
    public Uri? AuthenticationUri { get; set; }

    /// <summary>The proxy; without it, the system's.</summary>
    [Parameter]
    [Address]
    public Uri? Proxy { get; set; }

    /// <summary>The user name and password that the proxy wants.</summary>
    [Parameter]
    [Credential]
    public PSCredential? ProxyCredential { get; set; }

    /// <summary>Uses no proxy, not even the system's.</summary>
    [Parameter]
    public SwitchParameter NoProxy { get; set; }

    /// <summary>A PEM file of the certificates that are trusted, instead of the system's.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? CertificateAuthority { get; set; }

    /// <summary>Takes any certificate. Whoever is on the way can then read and change everything.</summary>
    [Parameter]
    public SwitchParameter SkipCertificateCheck { get; set; }

    /// <summary>Lets secrets go over plain http to another machine.</summary>
    [Parameter]
    public SwitchParameter AllowInsecure { get; set; }

    /// <summary>How many seconds an attempt may take. Uploads take as long as they make progress.</summary>
    [Parameter]
    [ValidateRange(1, SecondsOfADay)]
    public int? TimeoutSec { get; set; }

    /// <summary>How often a request is sent at most.</summary>
    [Parameter]
    [ValidateRange(1, 100)]
    public int? MaxAttempts { get; set; }

    /// <summary>
    /// How long to wait for a service that is down: seconds, or a time span; 0 is not at all. Without it, 1 minute, once the service has
    /// answered.
    /// </summary>
    [Parameter]
    [Seconds(AllowsZero = true)]
    public TimeSpan? OutageTimeout { get; set; }

    /// <summary>Makes the connection without trying the sign-in: nothing is sent until it is used.</summary>
    [Parameter]
    public SwitchParameter NoCheck { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            IngestConnection connection = IngestConnection.Open(CreateSettings(), Log);
            if (!ShouldProcess($"{connection.Name} to {connection.Server}", Save || Default ? "Connect and save profile" : "Connect"))
            {
                connection.Dispose();
                return;
            }

            if (!NoCheck)
                TrySignIn(connection);
            if (Save || Default)
                new ProfileStore().Save(ConnectionProfile.From(connection, Default));
            IngestSession.Current.Connections.Add(connection);
            WriteObject(connection);
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(Uri is null ? null : Redaction.Of(Uri.OriginalString)));
        }
    }

    /// <summary>A connection that does not work is not made, and not saved: its first use would be the first to say so.</summary>
    private void TrySignIn(IngestConnection connection)
    {
        try
        {
            Run(token => ServiceCheck.TrySignInAsync(connection, Log, token));
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        if (connection.SignedIn == true)
            WriteVerbose($"{connection.Service} at {connection.Uri} takes the credentials.");
        else
            WriteWarning(
                $"{connection.Service} at {connection.Uri} answers, and did not say whether it takes the credentials. "
                    + $"Test-IngestService '{connection.Name}' shows more."
            );
    }

    private ConnectionSettings CreateSettings()
    {
        (SignInKind signIn, string? userName, SecretReader? secret) = ChooseSecret();
        return new ConnectionSettings
        {
            Service = Service,
            Name = Name,
            Uri = Uri,
            SignIn = signIn,
            UserName = userName,
            Secret = secret,
            SecretFrom = PathResolver.ResolveReference(this, SecretFrom),
            AuthenticationUri = AuthenticationUri,
            Proxy = Proxy,
            ProxyCredential = ProxyCredential?.GetNetworkCredential(),
            NoProxy = NoProxy,
            CertificateAuthority = PathResolver.ResolveOptional(this, CertificateAuthority),
            SkipCertificateCheck = SkipCertificateCheck,
            AllowInsecure = AllowInsecure,
            Timeout = TimeoutSec is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            MaxAttempts = MaxAttempts,
            OutageTimeout = OutageTimeout,
        };
    }

    private (SignInKind SignIn, string? UserName, SecretReader? Secret) ChooseSecret() =>
        ParameterSetName switch
        {
            TokenSet => (SignInKind.Token, null, Secrets.ReaderOf(Token!)),
            CredentialSet => (SignInKind.Password, Credential!.UserName, Secrets.ReaderOf(Credential.Password)),
            ApiKeySet => (SignInKind.ApiKey, null, Secrets.ReaderOf(ApiKey!)),
            SessionCookieSet => (SignInKind.Cookie, SessionCookie!.UserName, Secrets.ReaderOf(SessionCookie.Password)),
            SecretFromSet => (
                _secretType.Value ?? KindOfSecret(),
                UserName,
                SecretReference.Parse(PathResolver.ResolveReference(this, SecretFrom)!).CreateReader(SecretVault.ReadAsync)
            ),
            _ => (SignInKind.None, null, null),
        };

    private SignInKind KindOfSecret() =>
        (UserName, Service) switch
        {
            (not null, _) => SignInKind.Password,
            (_, IngestService.Ica) => SignInKind.ApiKey,
            _ => SignInKind.Token,
        };
}
