namespace IngestTools.Http.Handlers;

/// <summary>
/// Sends a request and judges its answer. The answer is read here, so that one that breaks off, or cannot be understood, is a failed
/// attempt. What failed is thrown as an <see cref="IngestException"/>.
/// </summary>
/// <param name="service">The service.</param>
/// <param name="transport">The door for what the server answers, and the clock.</param>
/// <param name="authenticator">Recognizes an answer that refuses the credentials.</param>
/// <param name="outage">Learns that the server answers.</param>
internal sealed class AnswerHandler(IngestService service, HttpTransport transport, IAuthenticator authenticator, Outage outage)
    : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequestContext context = RequestContext.Of(request);
        StallTimeout? stallTimeout = null;
        HttpResponseMessage? response = null;
        Exception? failure;
        try
        {
            // A server may know the secret from an earlier connection, and repeat it before this one has sent it.
            await transport.LearnSecret(cancellationToken).ConfigureAwait(false);
            if (context.Operation.IsUpload)
                stallTimeout = new StallTimeout(StallTimeout.TimeLimit, transport.Time, cancellationToken);
            request.Content = context.Operation.Content(stallTimeout);
            IngestDiagnostics.Requests.Add(1);
            context.Sending(transport.Time);
            CancellationToken ofRequest = stallTimeout?.Token ?? cancellationToken;
            response = await base.SendAsync(request, ofRequest).ConfigureAwait(false);
            transport.Text.Clean(response);
            failure = await ReadAsync(context, response, ofRequest, cancellationToken).ConfigureAwait(false);
            if (failure is null)
                return response;
        }
        catch (Exception e)
        {
            failure = AttemptFailure.Of(service, context.Operation, e, transport.Text, stallTimeout, cancellationToken);
        }
        finally
        {
            stallTimeout?.Dispose();
        }

        response?.Dispose();
        request.Content?.Dispose();
        throw failure;
    }

    /// <summary>Reads the answer. Returns the error that it says, or null where it is good.</summary>
    private async ValueTask<Exception?> ReadAsync(
        RequestContext context,
        HttpResponseMessage response,
        CancellationToken ofRequest,
        CancellationToken cancellationToken
    )
    {
        IngestException error;
        bool isRefusal = context.MayRenew && authenticator.IsRefusal(response);
        if (isRefusal || !context.Operation.IsAnswer(response.StatusCode))
        {
            error = await HttpFailure
                .FromAnswerAsync(service, context.Operation, response, transport.Text, transport.Time, cancellationToken)
                .ConfigureAwait(false);
        }
        else
        {
            try
            {
                context.Answer = await context.Read(response, ofRequest).ConfigureAwait(false);
                outage.Answered(context.SentAt, context.Logger);
                return null;
            }
            catch (IngestException e)
            {
                // A page to sign in on has the status of success.
                (error, isRefusal) = (e, context.MayRenew && e.ErrorId == ErrorId.NotSignedIn);
            }
            catch (Exception e) when (e is not (OperationCanceledException or HttpRequestException or IOException))
            {
                string? why = e is InvalidDataException ? transport.Text.Words(e.Message)?.TrimEnd('.') : null;
                string what = $"something that cannot be read ({why ?? "its content is not what it should be"})";
                error = HttpFailure.Unreadable(service, context.Operation, what, response.StatusCode, body: null, transport.Text, e);
            }
        }

        if (isRefusal)
            return new RefusedException(error);
        outage.Answered(context.SentAt, context.Logger);
        return error;
    }
}
