using System.Net;
using IngestTools.Logging;
using IngestTools.Services;
using Microsoft.Extensions.Logging;

namespace IngestTools.Connections;

/// <summary>Looks whether a service is there and takes the credentials.</summary>
public static class ServiceCheck
{
    /// <summary>
    /// Tries whether the service of a connection answers and takes the credentials, and notes it in
    /// <see cref="IngestConnection.SignedIn"/>. Credentials that are good and not enough for everything are taken.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="log">The log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IngestException">The service did not answer, or does not take the credentials.</exception>
    public static Task TrySignInAsync(IngestConnection connection, IngestLog log, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(log);
        return TrySignInAsync(connection, log.Logger, cancellationToken);
    }

    /// <inheritdoc cref="TrySignInAsync(IngestConnection, IngestLog, CancellationToken)"/>
    /// <param name="connection">The connection.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task TrySignInAsync(IngestConnection connection, ILogger logger, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(logger);
        try
        {
            connection.SignedIn = await ServiceDefinition
                .Of(connection.Service)
                .TrySignInAsync(connection, logger, cancellationToken)
                .ConfigureAwait(false)
                ? true
                : null;
        }
        catch (IngestException e)
            when (e is { ErrorId: ErrorId.NotAllowed, StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized })
        {
            connection.SignedIn = true;
        }
        catch (IngestException e) when (e.ErrorId is ErrorId.TooManyRequests or ErrorId.Locked or ErrorId.Conflict or ErrorId.ServerError)
        {
            connection.SignedIn = null;
            logger.LogInformation(
                "{Service} answers, and did not say whether it takes the credentials: {Reason}",
                connection.Service,
                e.Message
            );
        }
        catch (IngestException e)
        {
            connection.SignedIn = false;
            throw e.With(advice: $"{e.Advice} To make the connection without trying it, use -NoCheck.", target: connection.Uri);
        }
    }

    /// <summary>Looks at the service of a connection, for a host with a log of its own.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="scope">What to look whether it is allowed: a DSP-INGEST project's shortcode; null looks at the sign-in alone.</param>
    /// <param name="log">The log.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public static Task<ServiceReport> RunAsync(
        IngestConnection connection,
        string? scope,
        IngestLog log,
        CancellationToken cancellationToken
    ) => RunAsync(connection, scope, log.Logger, cancellationToken);

    /// <summary>Looks at the service of a connection. What is wrong is in the report, not thrown.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="scope">What to look whether it is allowed: a DSP-INGEST project's shortcode; null looks at the sign-in alone.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public static Task<ServiceReport> RunAsync(
        IngestConnection connection,
        string? scope,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(connection);
        return ServiceDefinition.Of(connection.Service).CheckAsync(connection.ForCheck(), scope, logger, cancellationToken);
    }
}
