namespace IngestTools.Http.Handlers;

/// <summary>Gives the pipeline, as its first attempt, the one that was made before the pipeline was entered, where there was one.</summary>
internal sealed class FirstAttemptHandler : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        RequestContext.Of(request).TakeFirstAttempt() ?? base.SendAsync(request, cancellationToken);
}
