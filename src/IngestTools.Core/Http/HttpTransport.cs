namespace IngestTools.Http;

/// <summary>What all requests of a connection go through.</summary>
/// <param name="Kept">Sends requests over connections that it keeps.</param>
/// <param name="Fresh">
/// Sends each request over a connection of its own, for what must not be sent twice: a load balancer may have cut a connection that was
/// idle, and a request
/// that goes into such a connection ends with nobody knowing whether the server has seen it.
/// </param>
/// <param name="Text">The door for what the server answers.</param>
/// <param name="LearnSecret">Makes the connection's secret known to the door, ahead of the first answer.</param>
/// <param name="RateLimiter">Keeps requests below a rate; null without a limit.</param>
/// <param name="Time">The clock.</param>
internal sealed record HttpTransport(
    HttpMessageHandler Kept,
    HttpMessageHandler Fresh,
    ServerText Text,
    Func<CancellationToken, ValueTask> LearnSecret,
    RateLimiter? RateLimiter,
    TimeProvider Time
) : IDisposable
{
    public void Dispose()
    {
        Kept.Dispose();
        Fresh.Dispose();
    }
}
