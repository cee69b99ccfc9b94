using Microsoft.Extensions.Logging;

namespace IngestTools.Http.Handlers;

/// <summary>
/// Logs each request and each answer. No secret is logged: only headers that are known to be harmless, and they are cleaned.
/// </summary>
/// <param name="text">The door for what the server answers.</param>
internal sealed class LoggingHandler(ServerText text) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ILogger logger = RequestContext.Of(request).Logger;
        return logger.IsEnabled(LogLevel.Debug)
            ? SendLoggedAsync(request, logger, cancellationToken)
            : base.SendAsync(request, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendLoggedAsync(HttpRequestMessage request, ILogger logger, CancellationToken cancellationToken)
    {
        logger.LogDebug("{Method} {Uri} ({Headers})", request.Method, Redaction.Of(request.RequestUri), Redaction.Of(request.Headers));
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        text.Clean(response);
        logger.LogDebug(
            "{Status} from {Uri} ({Headers})",
            (int)response.StatusCode,
            Redaction.Of(request.RequestUri),
            Redaction.Of(response.Headers)
        );
        return response;
    }
}
