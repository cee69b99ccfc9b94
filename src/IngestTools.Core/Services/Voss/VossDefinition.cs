using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Journal;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.Voss;

/// <summary>VOSS Automate, as the rest of the library sees it.</summary>
internal sealed class VossDefinition : ServiceDefinition
{
    /// <summary>
    /// The server takes 20 requests a second from a user and refuses more. With these, no second has more than 18, which leaves some for
    /// what the network brings together.
    /// </summary>
    private const int RequestsPerSecond = 15;
    private const int RequestsAtOnce = 3;

    public override IngestService Service => IngestService.Voss;

    public override IReadOnlyList<string> Schemes => ["voss"];

    public override string IdForm => "voss:0b340a6f-b658-48bb-ac8c-7562adc5572d";

    public override void Validate(ConnectionSettings settings)
    {
        if (settings.SignIn is SignInKind.Token or SignInKind.ApiKey or SignInKind.Cookie)
            throw Refused("VOSS signs in with a user name and a password.", "Give -Credential, or -SecretFrom with -UserName.");
        if (settings.SignIn != SignInKind.Password)
            return;
        if (string.IsNullOrEmpty(settings.UserName))
            throw Refused("No user name to sign in with was given.", "Give -UserName, such as admin@sys.hcs.");
        if (settings.AuthenticationUri is null && settings.UserName.Contains(':', StringComparison.Ordinal))
            throw Refused(
                "A user name for HTTP Basic has no colon.",
                "Sign in for a session: give VOSS's own address as -AuthenticationUri."
            );
    }

    public override IAuthenticator CreateAuthenticator(ConnectionSettings settings, Func<IngestHttp> createHttp, TimeProvider time) =>
        settings switch
        {
            { SignIn: SignInKind.None } => new NoAuthenticator(),
            { AuthenticationUri: not null } => new SecretAuthenticator(
                new VossSession(settings, createHttp()).SignInAsync,
                time,
                VossSession.IsRefusal
            ),
            _ => new SecretAuthenticator(
                async (_, cancellationToken) =>
                    RequestCredentials.Basic(settings.UserName!, await settings.Secret!(cancellationToken).ConfigureAwait(false)),
                time
            ),
        };

    public override RateLimiter? CreateRateLimiter(TimeProvider time) => new(RequestsPerSecond, RequestsAtOnce, time);

    public override Transaction ReadId(string id, string[] parts)
    {
        // The pkid becomes a part of an address, where poll is the name of another call.
        bool isPkid =
            parts is [{ Length: > 0 } only]
            && only.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
            && !only.Equals("poll", StringComparison.OrdinalIgnoreCase);
        if (!isPkid)
            throw NoTransaction(id, "after voss: comes one pkid, of letters, digits and hyphens");
        return BulkLoadTransactions.Describe(parts[0]);
    }

    public override ITransactionSource CreateTransactionSource(IngestConnection connection, ILogger logger, IIngestJournal journal) =>
        new BulkLoadTransactions(new VossRoutes(connection, logger), journal);

    /// <remarks>VOSS Automate, GET /api/data/HierarchyNode/.</remarks>
    public override async Task<bool> TrySignInAsync(IngestConnection connection, ILogger logger, CancellationToken cancellationToken)
    {
        await new VossRoutes(connection, logger).ProbeAsync(hierarchy: null, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <remarks>VOSS Automate, GET /api/data/HierarchyNode/: it documents no call that tells its version.</remarks>
    public override async Task<ServiceReport> CheckAsync(
        IngestConnection connection,
        string? scope,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        Hierarchy? hierarchy = scope is null ? null : Hierarchy.Parse(scope);
        VossRoutes routes = new(connection, logger);
        List<string> details = [];
        ServiceReport report = new()
        {
            Connection = connection.Name,
            Service = Service,
            Uri = connection.Uri,
            Details = details,
        };
        long started = connection.Time.GetTimestamp();
        try
        {
            await routes.ProbeAsync(hierarchy: null, cancellationToken).ConfigureAwait(false);
            report = report with { Reachable = true, SignedIn = true, ResponseTime = connection.Time.GetElapsedTime(started) };
            details.AddRange(["Reachable: yes.", "Version: the service does not report it.", "Signed in: yes."]);
        }
        catch (IngestException e)
        {
            return Describe(report with { ResponseTime = connection.Time.GetElapsedTime(started) }, e, details);
        }

        return await CheckHierarchyAsync(routes, report, hierarchy, details, cancellationToken).ConfigureAwait(false);
    }

    private static ServiceReport Describe(ServiceReport report, IngestException error, List<string> details)
    {
        bool isNo = error.ErrorId is ErrorId.NotSignedIn or ErrorId.SecretUnavailable or ErrorId.NotAllowed;
        bool isReachable = error.StatusCode is not null && (int)error.StatusCode < 500;
        details.Add(isReachable || isNo ? "Reachable: yes." : $"Reachable: no. {error.Message} {error.Advice}");
        if (isReachable || isNo)
            details.Add($"Signed in: {(isNo ? "no" : "could not be found out")}. {error.Message} {error.Advice}");
        return report with { Reachable = isReachable || isNo, SignedIn = isNo ? false : null };
    }

    /// <summary>A right to load is looked at by the server when a load begins; a right to the node can be looked at before.</summary>
    private static async Task<ServiceReport> CheckHierarchyAsync(
        VossRoutes routes,
        ServiceReport report,
        Hierarchy? hierarchy,
        List<string> details,
        CancellationToken cancellationToken
    )
    {
        if (hierarchy is null)
        {
            details.Add("Allowed: give -Hierarchy to look at one.");
            return report;
        }

        try
        {
            await routes.ProbeAsync(hierarchy, cancellationToken).ConfigureAwait(false);
            details.Add($"Allowed: yes, at {hierarchy}. Whether the access profile allows bulk loads is known only when one begins.");
            return report with { Allowed = true };
        }
        catch (IngestException e)
        {
            bool isNo = e.ErrorId is ErrorId.NotAllowed or ErrorId.Rejected or ErrorId.NotFound;
            details.Add($"Allowed: {(isNo ? "no" : "could not be found out")}. {e.Message} {e.Advice}");
            return report with { Allowed = isNo ? false : null };
        }
    }

    private static IngestException Refused(string message, string advice) =>
        new(ErrorId.Rejected, message) { Service = IngestService.Voss, Advice = advice };
}
