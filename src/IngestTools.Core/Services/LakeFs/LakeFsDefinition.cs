using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Journal;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.LakeFs;

/// <summary>lakeFS, as the rest of the library sees it.</summary>
internal sealed class LakeFsDefinition : ServiceDefinition
{
    /// <summary>The sessions that a browser's sign-in leaves: lakeFS's own, and those of the two kinds of single sign-on.</summary>
    private static readonly string[] SessionCookies = ["internal_auth_session", "oidc_auth_session", "saml_auth_session"];

    public override IngestService Service => IngestService.LakeFs;

    public override IReadOnlyList<string> Schemes => [ImportId.Scheme, ImportId.LegacyScheme];

    public override string IdForm => "lakefs:repository/branch/id";

    public override void Validate(ConnectionSettings settings)
    {
        if (settings.SignIn == SignInKind.ApiKey)
            throw Refused("lakeFS takes no API key.", "Give the access key and its secret as -Credential.");
        if (settings.SignIn == SignInKind.Cookie && !SessionCookies.Contains(settings.UserName, StringComparer.Ordinal))
            throw Refused(
                "lakeFS knows no session cookie of this name.",
                $"Its names are {string.Join(", ", SessionCookies)}; the value is the password of -SessionCookie."
            );
        if (
            settings.SignIn == SignInKind.Password
            && (string.IsNullOrEmpty(settings.UserName) || settings.UserName.Contains(':', StringComparison.Ordinal))
        )
            throw Refused(
                "An access key is not empty and has no colon in it.",
                "Give the access key as the user name of -Credential, and its secret as the password."
            );
    }

    public override IAuthenticator CreateAuthenticator(ConnectionSettings settings, Func<IngestHttp> createHttp, TimeProvider time) =>
        settings.SignIn switch
        {
            SignInKind.None => new NoAuthenticator(),
            SignInKind.Password when settings.AuthenticationUri is not null => new SecretAuthenticator(
                new LakeFsLogin(settings, createHttp()).SignInAsync,
                time
            ),
            SignInKind.Password => new SecretAuthenticator(
                async (_, token) => RequestCredentials.Basic(settings.UserName!, await settings.Secret!(token).ConfigureAwait(false)),
                time
            ),
            SignInKind.Cookie => new SecretAuthenticator(
                async (_, token) => CookieOf(settings.UserName!, Secrets.CheckToken(await settings.Secret!(token).ConfigureAwait(false))),
                time
            ),
            _ => BearerOf(settings, time),
        };

    public override Transaction ReadId(string id, string[] parts)
    {
        if (parts.Length != 3 || parts.Any(string.IsNullOrEmpty))
            throw NoTransaction(id, "after lakefs: come repository, branch and import, with slashes between");
        bool isLegacy = id.StartsWith(ImportId.LegacyScheme + ":", StringComparison.OrdinalIgnoreCase);
        return ImportTransactions.Describe(new ImportId(parts[0], parts[1], parts[2], isLegacy), connection: null);
    }

    public override ITransactionSource CreateTransactionSource(IngestConnection connection, ILogger logger, IIngestJournal journal) =>
        new ImportTransactions(new LakeFsRoutes(connection, logger));

    /// <remarks>
    /// lakeFS, GET /healthcheck and /config/version. A version that a server does not report does not keep it from importing.
    /// </remarks>
    public override async Task<bool> TrySignInAsync(IngestConnection connection, ILogger logger, CancellationToken cancellationToken)
    {
        LakeFsRoutes routes = new(connection, logger);
        await routes.GetHealthAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await routes.GetVersionAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (IngestException e) when (e.ErrorId is ErrorId.ServerError or ErrorId.NotFound or ErrorId.InvalidAnswer or ErrorId.Rejected)
        {
            logger.LogInformation("lakeFS answers, and does not report its version: {Reason}", e.Message);
            return false;
        }
    }

    public override Task<ServiceReport> CheckAsync(
        IngestConnection connection,
        string? scope,
        ILogger logger,
        CancellationToken cancellationToken
    ) => new LakeFsCheck(new LakeFsRoutes(connection, logger)).RunAsync(scope, cancellationToken);

    private static RequestCredentials CookieOf(string name, string value) =>
        value.Contains(';', StringComparison.Ordinal)
            ? throw new IngestException(ErrorId.SecretUnavailable, "The cookie's value has a semicolon, which no value has.")
            {
                Advice = "Copy the value alone, without the name and without what follows it.",
            }
            : RequestCredentials.Of([new("Cookie", $"{name}={value}")], [value]);

    private static IngestException Refused(string message, string advice) =>
        new(ErrorId.Rejected, message) { Service = IngestService.LakeFs, Advice = advice };
}
