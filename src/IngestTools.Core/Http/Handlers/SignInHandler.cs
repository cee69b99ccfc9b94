using Microsoft.Extensions.Logging;

namespace IngestTools.Http.Handlers;

/// <summary>
/// Signs each request. Where the server no longer accepts the credentials, they are renewed once, and the request is sent again.
/// </summary>
/// <param name="service">The service.</param>
/// <param name="text">Learns the secrets that requests carry, since the server may repeat them.</param>
/// <param name="authenticator">Has the credentials.</param>
/// <param name="outage">Learns that the server answers.</param>
internal sealed class SignInHandler(IngestService service, ServerText text, IAuthenticator authenticator, Outage outage) : DelegatingHandler
{
    private RequestCredentials? _known;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequestContext context = RequestContext.Of(request);
        if (context.Operation.Slot is { } slot)
            await slot.EnterAsync(cancellationToken).ConfigureAwait(false);
        for (bool isRenewed = false; ; isRenewed = true)
        {
            context.Begin();
            RequestCredentials? own = context.Operation.RequestCredentials;
            Sign(request, context, own ?? await GetAsync(context, cancellationToken).ConfigureAwait(false));
            context.MayRenew = !isRenewed && own is null && context.Credentials is not null;
            try
            {
                return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (RefusedException e)
            {
                context.Refused();
                if (!await RenewAsync(context, cancellationToken).ConfigureAwait(false))
                {
                    outage.Answered(context.SentAt, context.Logger);
                    throw e.Error;
                }
            }

            context.Logger.LogInformation(
                "{Service} no longer accepted the sign-in; it was renewed, and '{Operation}' is sent again.",
                service,
                context.Name
            );
        }
    }

    private ValueTask<RequestCredentials?> GetAsync(RequestContext context, CancellationToken cancellationToken)
    {
        if (!context.Operation.SignsIn)
            return default;
        ValueTask<RequestCredentials?> signingIn = authenticator.GetAsync(context.Logger, cancellationToken);
        return signingIn.IsCompletedSuccessfully ? signingIn : CompleteAsync(signingIn, context, cancellationToken);
    }

    private ValueTask<bool> RenewAsync(RequestContext context, CancellationToken cancellationToken) =>
        CompleteAsync(authenticator.RenewAsync(context.Credentials!, context.Logger, cancellationToken), context, cancellationToken);

    /// <summary>A sign-in that fails has made its own attempts, and left the operation itself unsent.</summary>
    private async ValueTask<T> CompleteAsync<T>(ValueTask<T> signingIn, RequestContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await signingIn.ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            throw e.BeforeSending();
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw AttemptFailure.Of(service, context.Operation, e, text, stallTimeout: null, cancellationToken);
        }
    }

    private void Sign(HttpRequestMessage request, RequestContext context, RequestCredentials? credentials)
    {
        if (ReferenceEquals(credentials, context.Credentials))
            return;
        context.Credentials?.RemoveFrom(request);
        credentials?.Sign(request);
        context.Credentials = credentials;
        if (credentials is null || ReferenceEquals(credentials, _known))
            return;
        foreach (string secret in credentials.Secrets)
            text.Secrets.Add(secret);
        _known = credentials;
    }
}

/// <summary>The server refused the credentials of a request, which may be renewed.</summary>
/// <param name="error">The error, where they cannot be renewed.</param>
internal sealed class RefusedException(IngestException error) : Exception(error.Message, error)
{
    public IngestException Error => error;
}
