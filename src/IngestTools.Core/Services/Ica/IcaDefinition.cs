using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Journal;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.Ica;

/// <summary>Illumina Connected Analytics, as the rest of the library sees it.</summary>
internal sealed class IcaDefinition : ServiceDefinition
{
    public override IngestService Service => IngestService.Ica;

    public override IReadOnlyList<string> Schemes => ["ica"];

    public override string IdForm => "ica:<projectId>/<batchId>";

    public override Uri? DefaultUri => new("https://ica.illumina.com/ica/rest");

    public override void Validate(ConnectionSettings settings)
    {
        if (settings.SignIn == SignInKind.Cookie)
            throw Refused("ICA takes no session cookie.", "Give -ApiKey, -Token or -Credential.");
        if (settings.AuthenticationUri is not null)
            throw Refused("ICA signs in at its own address.", "Leave -AuthenticationUri out.");
        if (settings.SignIn == SignInKind.Password && settings.UserName?.Contains(':', StringComparison.Ordinal) == true)
            throw Refused(
                "A user name with a colon cannot be sent to ICA.",
                "Give the e-mail address that you sign in with, or an -ApiKey."
            );
    }

    public override IAuthenticator CreateAuthenticator(ConnectionSettings settings, Func<IngestHttp> createHttp, TimeProvider time) =>
        settings.SignIn switch
        {
            SignInKind.None => new NoAuthenticator(),
            SignInKind.ApiKey or SignInKind.Password => new SecretAuthenticator(
                new IcaLogin(settings, createHttp(), time).SignInAsync,
                time
            ),
            _ => BearerOf(settings, time),
        };

    public override Transaction ReadId(string id, string[] parts) =>
        parts.Length == 2
            ? LinkingBatchTransactions.Describe(BatchOperation.Linking.Kind, BatchPath.Of(parts[0], parts[1]), connection: null)
            : throw NoTransaction(id, "after ica: come the project's id, a slash and the batch's id");

    public override ITransactionSource CreateTransactionSource(IngestConnection connection, ILogger logger, IIngestJournal journal) =>
        new LinkingBatchTransactions(new IcaRoutes(connection, BatchOperation.Linking, logger));

    /// <remarks>ICA, GET /api/jobs, which any user may.</remarks>
    public override async Task<bool> TrySignInAsync(IngestConnection connection, ILogger logger, CancellationToken cancellationToken)
    {
        await new IcaRoutes(connection, BatchOperation.Linking, logger).ListJobsAsync(0, 1, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <remarks>ICA, GET /api/jobs, which any user may; and for a project GET /api/projects/{projectId}/data/eligibleForLinking.</remarks>
    public override async Task<ServiceReport> CheckAsync(
        IngestConnection connection,
        string? scope,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        string? project = scope is null ? null : IcaIds.Project(scope);
        IcaRoutes routes = new(connection, BatchOperation.Linking, logger);
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
            await routes.ListJobsAsync(0, 1, cancellationToken).ConfigureAwait(false);
            report = report with { Reachable = true, SignedIn = true, ResponseTime = connection.Time.GetElapsedTime(started) };
            details.AddRange(["Reachable: yes.", VersionLine, "Signed in: yes."]);
        }
        catch (IngestException e) when (e.ErrorId is ErrorId.NotSignedIn or ErrorId.SecretUnavailable or ErrorId.NotAllowed)
        {
            // Where the secret could not be read nothing was asked.
            bool isReached = e.ErrorId != ErrorId.SecretUnavailable;
            details.AddRange([
                isReached ? "Reachable: yes." : "Reachable: not looked at.",
                VersionLine,
                $"Signed in: no. {e.Message} {e.Advice}",
            ]);
            return report with
            {
                Reachable = isReached,
                SignedIn = false,
                ResponseTime = isReached ? connection.Time.GetElapsedTime(started) : null,
            };
        }
        catch (IngestException e)
        {
            details.Add($"Reachable: no. {e.Message} {e.Advice}");
            return report;
        }

        return await CheckProjectAsync(routes, report, project, details, cancellationToken).ConfigureAwait(false);
    }

    private const string VersionLine = "Version: the service does not report it.";

    private static async Task<ServiceReport> CheckProjectAsync(
        IcaRoutes routes,
        ServiceReport report,
        string? project,
        List<string> details,
        CancellationToken cancellationToken
    )
    {
        if (project is null)
        {
            details.Add("Allowed: not looked at. Give -ProjectId to look at a project.");
            return report;
        }

        try
        {
            await routes.ProbeProjectAsync(project, cancellationToken).ConfigureAwait(false);
            details.Add($"Allowed: yes, project {project} may be seen. Whether data may be linked into it shows when it is.");
            return report with { Allowed = true };
        }
        catch (IngestException e)
        {
            bool isNo = e.ErrorId is ErrorId.NotAllowed or ErrorId.NotFound;
            details.Add($"Allowed: {(isNo ? "no" : "could not be found out")}. {e.Message} {e.Advice}");
            return report with { Allowed = isNo ? false : null };
        }
    }

    private static IngestException Refused(string message, string advice) =>
        new(ErrorId.Rejected, message) { Service = IngestService.Ica, Advice = advice };
}
