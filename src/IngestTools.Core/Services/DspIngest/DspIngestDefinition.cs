using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Journal;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.DspIngest;

/// <summary>DSP-INGEST, as the rest of the library sees it.</summary>
internal sealed class DspIngestDefinition : ServiceDefinition
{
    public override IngestService Service => IngestService.DspIngest;

    public override IReadOnlyList<string> Schemes => ["dsp"];

    public override string IdForm => "dsp:0001";

    public override void Validate(ConnectionSettings settings)
    {
        if (settings.SignIn is SignInKind.ApiKey or SignInKind.Cookie)
            throw Refused(
                $"DSP-INGEST takes no {(settings.SignIn == SignInKind.ApiKey ? "API key" : "session cookie")}.",
                "Give -Token, or -Credential with -AuthenticationUri."
            );
        if (settings.SignIn == SignInKind.Password && settings.AuthenticationUri is null)
            throw Refused(
                "DSP-INGEST has no sign-in of its own: DSP-API exchanges a password for a token.",
                "Give DSP-API's address, such as https://api.example.org, as -AuthenticationUri."
            );
    }

    public override IAuthenticator CreateAuthenticator(ConnectionSettings settings, Func<IngestHttp> createHttp, TimeProvider time) =>
        settings.SignIn switch
        {
            SignInKind.None => new NoAuthenticator(),
            SignInKind.Password => new SecretAuthenticator(new DspLogin(settings, createHttp()).SignInAsync, time),
            _ => BearerOf(settings, time),
        };

    public override Transaction ReadId(string id, string[] parts)
    {
        if (parts.Length != 1)
            throw NoTransaction(id, "after dsp: comes one shortcode");
        return BulkIngestTransactions.Describe(Shortcode.Parse(parts[0]), connection: null);
    }

    public override ITransactionSource CreateTransactionSource(IngestConnection connection, ILogger logger, IIngestJournal journal) =>
        new BulkIngestTransactions(new BulkIngestRoutes(connection, logger), journal);

    /// <remarks>
    /// DSP-INGEST, GET /projects/{shortcode}/bulk-ingest/mapping.csv, which looks at the token before all else; any shortcode will do.
    /// </remarks>
    public override async Task<bool> TrySignInAsync(IngestConnection connection, ILogger logger, CancellationToken cancellationToken)
    {
        await new BulkIngestRoutes(connection, logger).ProbeAsync(Shortcode.Parse("0000"), cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <remarks>
    /// DSP-INGEST, GET /health and GET /info; then GET /projects/{shortcode}/bulk-ingest/mapping.csv, which looks at the token before all
    /// else.
    /// </remarks>
    public override async Task<ServiceReport> CheckAsync(
        IngestConnection connection,
        string? scope,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        Shortcode? project = scope is null ? null : Shortcode.Parse(scope);
        BulkIngestRoutes routes = new(connection, logger);
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
            string health = await routes.GetHealthAsync(cancellationToken).ConfigureAwait(false);
            report = report with { Reachable = health == "UP", ResponseTime = connection.Time.GetElapsedTime(started) };
            details.Add(
                report.Reachable
                    ? $"Reachable: the service says {health}."
                    : $"Reachable: the service answers, and says {health}. Wait until it is up."
            );
        }
        catch (IngestException e)
        {
            details.Add($"Reachable: no. {e.Message} {e.Advice}");
            return report;
        }

        report = report with { Version = await routes.TryGetVersionAsync(cancellationToken).ConfigureAwait(false) };
        details.Add(report.Version is null ? "Version: the service does not report it." : $"Version: {report.Version}.");
        return await CheckSignInAsync(routes, report, project, details, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<ServiceReport> CheckSignInAsync(
        BulkIngestRoutes routes,
        ServiceReport report,
        Shortcode? project,
        List<string> details,
        CancellationToken cancellationToken
    )
    {
        // Any shortcode shows whether the token is good; only the user's shows whether it is enough.
        Shortcode asked = project ?? Shortcode.Parse("0000");
        try
        {
            await routes.ProbeAsync(asked, cancellationToken).ConfigureAwait(false);
            details.Add("Signed in: yes.");
            details.Add(project is null ? "Allowed: yes, for any project." : $"Allowed: yes, for project {project}.");
            return report with { SignedIn = true, Allowed = true };
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotAllowed)
        {
            details.Add("Signed in: yes.");
            details.Add(
                project is null
                    ? "Allowed: not for every project. Give -Shortcode to look at one."
                    : $"Allowed: no, not for project {project}: {e.ServerMessage}. {e.Advice}"
            );
            return report with { SignedIn = true, Allowed = project is null ? null : false };
        }
        catch (IngestException e)
        {
            bool isNo = e.ErrorId is ErrorId.NotSignedIn or ErrorId.SecretUnavailable;
            details.Add($"Signed in: {(isNo ? "no" : "could not be found out")}. {e.Message} {e.Advice}");
            return report with { SignedIn = isNo ? false : null };
        }
    }

    private static IngestException Refused(string message, string advice) =>
        new(ErrorId.Rejected, message) { Service = IngestService.DspIngest, Advice = advice };
}
