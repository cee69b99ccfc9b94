using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Journal;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services;

/// <summary>What the rest of the library asks a service for. A service is a folder with one of these.</summary>
internal abstract class ServiceDefinition
{
    private static readonly ServiceDefinition[] All =
    [
        new DspIngest.DspIngestDefinition(),
        new Ica.IcaDefinition(),
        new LakeFs.LakeFsDefinition(),
        new Voss.VossDefinition(),
    ];

    public abstract IngestService Service { get; }

    /// <summary>What the ids of its transactions begin with, without the colon.</summary>
    public abstract IReadOnlyList<string> Schemes { get; }

    /// <summary>How an id of one of its transactions looks, for messages.</summary>
    public abstract string IdForm { get; }

    /// <summary>The address where none is given; null where the service has no common one.</summary>
    public virtual Uri? DefaultUri => null;

    public static ServiceDefinition Of(IngestService service) =>
        Array.Find(All, definition => definition.Service == service)
        ?? throw new IngestException(ErrorId.Rejected, $"This version of IngestTools has no client for {service}.")
        {
            Advice = $"It drives {string.Join(", ", All.Select(definition => definition.Service))}.",
        };

    /// <summary>The service that a transaction id belongs to, and the parts of the id.</summary>
    public static (ServiceDefinition Definition, string[] Parts) OfTransaction(string id)
    {
        int colon = id.IndexOf(':', StringComparison.Ordinal);
        ServiceDefinition? definition =
            colon < 0 ? null : Array.Find(All, d => d.Schemes.Contains(id[..colon], StringComparer.OrdinalIgnoreCase));
        return definition is null
            ? throw NoTransaction(id)
            : (definition, id[(colon + 1)..].Split('/').Select(Uri.UnescapeDataString).ToArray());
    }

    /// <summary>The error for a text that is not a transaction's id.</summary>
    public static IngestException NoTransaction(string id, string? why = null) =>
        new(ErrorId.Rejected, $"'{Redaction.EscapeControls(id)}' is not an id of a transaction{(why is null ? "." : $": {why}.")}")
        {
            Advice = $"An id looks like {string.Join(" or ", IdForms)}.",
            Target = id,
        };

    private static IEnumerable<string> IdForms =>
        All.Select(d => d.IdForm).Append(Scheduling.RunTransactions.IdForm).Append(PendingStarts.IdForm);

    /// <summary>Refuses settings that this service cannot use.</summary>
    public abstract void Validate(ConnectionSettings settings);

    /// <summary>What signs the connection's requests.</summary>
    /// <param name="settings">The connection's settings.</param>
    /// <param name="createHttp">Makes a pipeline of its own, without sign-in, for the request that gets a token.</param>
    /// <param name="time">The clock that decides when a token has expired.</param>
    public abstract IAuthenticator CreateAuthenticator(ConnectionSettings settings, Func<IngestHttp> createHttp, TimeProvider time);

    /// <summary>What keeps requests below the rate that the service allows; null where it names none.</summary>
    /// <param name="time">The clock.</param>
    public virtual RateLimiter? CreateRateLimiter(TimeProvider time) => null;

    /// <summary>The transaction as far as its id tells.</summary>
    public abstract Transaction ReadId(string id, string[] parts);

    public abstract ITransactionSource CreateTransactionSource(IngestConnection connection, ILogger logger, IIngestJournal journal);

    /// <summary>Looks whether the service is there and takes the credentials.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="scope">What is to be used: a project, a repository, a hierarchy; null looks at no special one.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public abstract Task<ServiceReport> CheckAsync(
        IngestConnection connection,
        string? scope,
        ILogger logger,
        CancellationToken cancellationToken
    );

    /// <summary>Signs in and asks the cheapest question that needs it.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>False where the service answers, and not whether it takes the credentials.</returns>
    /// <exception cref="IngestException">The service did not answer, or refused.</exception>
    public abstract Task<bool> TrySignInAsync(IngestConnection connection, ILogger logger, CancellationToken cancellationToken);

    /// <summary>Signs with a token as it is kept.</summary>
    protected static IAuthenticator BearerOf(ConnectionSettings settings, TimeProvider time) =>
        new SecretAuthenticator(
            async (_, cancellationToken) =>
                RequestCredentials.Bearer(Secrets.CheckToken(await settings.Secret!(cancellationToken).ConfigureAwait(false))),
            time
        );
}
