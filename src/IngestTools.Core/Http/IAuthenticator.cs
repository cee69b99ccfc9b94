using System.Net;
using Microsoft.Extensions.Logging;

namespace IngestTools.Http;

/// <summary>Signs requests.</summary>
internal interface IAuthenticator
{
    /// <summary>What a request carries; null for nothing.</summary>
    ValueTask<RequestCredentials?> GetAsync(ILogger logger, CancellationToken cancellationToken);

    /// <summary>Replaces credentials that the server refused. Returns false where there are no others.</summary>
    ValueTask<bool> RenewAsync(RequestCredentials refused, ILogger logger, CancellationToken cancellationToken);

    /// <summary>Whether an answer says that the credentials are not accepted. Called before the body is read.</summary>
    bool IsRefusal(HttpResponseMessage response) => response.StatusCode == HttpStatusCode.Unauthorized;
}

/// <summary>Signs nothing.</summary>
internal sealed class NoAuthenticator : IAuthenticator
{
    public ValueTask<RequestCredentials?> GetAsync(ILogger logger, CancellationToken cancellationToken) => default;

    public ValueTask<bool> RenewAsync(RequestCredentials refused, ILogger logger, CancellationToken cancellationToken) => default;
}

/// <summary>
/// Signs with a secret, or with what it is exchanged for: got when it is first needed, before it ends, and once when the server refuses it.
/// </summary>
/// <param name="getCredentials">Reads the secret from where it is kept, or signs in for a token or a session.</param>
/// <param name="time">The clock.</param>
/// <param name="isRefusal">Whether an answer refuses them; null where 401 says so.</param>
internal sealed class SecretAuthenticator(
    Func<ILogger, CancellationToken, ValueTask<RequestCredentials>> getCredentials,
    TimeProvider time,
    Func<HttpResponseMessage, bool>? isRefusal = null
) : IAuthenticator, IDisposable
{
    /// <summary>Renews a token this long before it expires, to cover clock skew and latency.</summary>
    private static readonly TimeSpan RenewBefore = TimeSpan.FromMinutes(2);

    /// <summary>Renews a short-lived token in the last tenth of its life.</summary>
    private const double LastPart = 0.1;

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private volatile Held? _held;

    public ValueTask<RequestCredentials?> GetAsync(ILogger logger, CancellationToken cancellationToken) =>
        _held is { } held && !HasEnded(held) ? new(held.RequestCredentials) : GetNewAsync(logger, cancellationToken);

    public async ValueTask<bool> RenewAsync(RequestCredentials refused, ILogger logger, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Another request has renewed it, and may have got the same again.
            if (_held is { } other && !ReferenceEquals(other.RequestCredentials, refused))
                return !other.RequestCredentials.IsSameAs(refused);
            Held held = await HoldNewAsync(logger, cancellationToken).ConfigureAwait(false);
            return !held.RequestCredentials.IsSameAs(refused);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public bool IsRefusal(HttpResponseMessage response) =>
        isRefusal?.Invoke(response) ?? response.StatusCode == HttpStatusCode.Unauthorized;

    public void Dispose()
    {
        _held = null;
        _oneAtATime.Dispose();
    }

    private async ValueTask<RequestCredentials?> GetNewAsync(ILogger logger, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_held is { } held && !HasEnded(held))
                return held.RequestCredentials;
            return (await HoldNewAsync(logger, cancellationToken).ConfigureAwait(false)).RequestCredentials;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async ValueTask<Held> HoldNewAsync(ILogger logger, CancellationToken cancellationToken)
    {
        RequestCredentials credentials = await getCredentials(logger, cancellationToken).ConfigureAwait(false);
        return _held = new Held(credentials, RenewalOf(credentials));
    }

    private bool HasEnded(Held held) => held.RenewAt is { } renewAt && time.GetUtcNow() >= renewAt;

    private DateTimeOffset? RenewalOf(RequestCredentials credentials)
    {
        if (credentials.EndsAt is not { } endsAt)
            return null;
        TimeSpan lastPart = (endsAt - time.GetUtcNow()) * LastPart;
        return endsAt - (lastPart < RenewBefore ? lastPart : RenewBefore);
    }

    /// <summary>Credentials, and when to renew them; null where only the server knows.</summary>
    private sealed record Held(RequestCredentials RequestCredentials, DateTimeOffset? RenewAt);
}
