using IngestTools.Logging;
using IngestTools.Services;
using Microsoft.Extensions.Logging;

namespace IngestTools.Connections;

/// <summary>Looks whether a service is there and takes the credentials.</summary>
public static class ServiceCheck
{
    /// <summary>Looks at the service of a connection, for a host with a log of its own.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="scope">What to look whether it is allowed: a DSP-INGEST project's shortcode; null looks at the sign-in alone.</param>
    /// <param name="log">Takes what happens.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    public static Task<ServiceReport> RunAsync(IngestConnection connection, string? scope, IngestLog log, CancellationToken cancellationToken) =>
        RunAsync(connection, scope, log.Logger, cancellationToken);

    /// <summary>Looks at the service of a connection. What is wrong is in the report, not thrown.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="scope">What to look whether it is allowed: a DSP-INGEST project's shortcode; null looks at the sign-in alone.</param>
    /// <param name="logger">Takes what happens.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    public static Task<ServiceReport> RunAsync(IngestConnection connection, string? scope, ILogger logger, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return ServiceDefinition.Of(connection.Service).CheckAsync(connection.ForCheck(), scope, logger, cancellationToken);
    }
}
