namespace IngestTools.Http.Handlers;

/// <summary>
/// Holds a request back until it may be sent: the rate of requests is kept, and the guard of requests that change something is asked last,
/// after all that can take time.
/// </summary>
/// <param name="rateLimiter">Keeps requests below a rate; null without a limit.</param>
internal sealed class GuardHandler(RateLimiter? rateLimiter) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequestContext context = RequestContext.Of(request);
        bool isGuarded = context.BeforeWrite is not null && context.Operation.Kind != OperationKind.Safe;
        return rateLimiter is null && !isGuarded
            ? base.SendAsync(request, cancellationToken)
            : SendGuardedAsync(request, context, isGuarded, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendGuardedAsync(
        HttpRequestMessage request,
        RequestContext context,
        bool isGuarded,
        CancellationToken cancellationToken
    )
    {
        if (rateLimiter is not null)
            await rateLimiter.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (isGuarded)
            await CheckGuardAsync(context, cancellationToken).ConfigureAwait(false);
        return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs the guard, whose objection ends the operation. Its time does not count against the attempt's timeout.</summary>
    private static async ValueTask CheckGuardAsync(RequestContext context, CancellationToken ofAttempt)
    {
        await context.BeforeWrite!(context.Operation.Kind, context.Canceled).ConfigureAwait(false);
        if (ofAttempt.IsCancellationRequested && !context.Canceled.IsCancellationRequested)
            throw new LateConsentException();
    }
}

/// <summary>
/// The guard permitted a request when the time of its attempt was over. Nothing was sent, and the service had no part in it.
/// </summary>
internal sealed class LateConsentException() : Exception("The request was permitted too late to be sent; it is tried again.");
