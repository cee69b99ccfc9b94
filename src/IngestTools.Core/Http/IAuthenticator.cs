using System.Net;
using Microsoft.Extensions.Logging;

namespace IngestTools.Http;

/// <summary>Signs requests.</summary>
internal interface IAuthenticator
{
    /// <summary>What a request carries; null for nothing.</summary>
    ValueTask<RequestCredentials?> GetAsync(ILogger logger, CancellationToken cancellationToken);

    /// <summary>Gets a new signature in place of one that the server no longer accepted; false where there is no other.</summary>
    ValueTask<bool> RenewAsync(RequestCredentials refused, ILogger logger, CancellationToken cancellationToken);

    /// <summary>Whether an answer says that the signature is not accepted. Asked before the answer's body is read.</summary>
    bool IsRefusal(HttpResponseMessage response) => response.StatusCode == HttpStatusCode.Unauthorized;
}

/// <summary>Signs nothing.</summary>
internal sealed class NoAuthenticator : IAuthenticator
{
    public ValueTask<RequestCredentials?> GetAsync(ILogger logger, CancellationToken cancellationToken) => default;

    public ValueTask<bool> RenewAsync(RequestCredentials refused, ILogger logger, CancellationToken cancellationToken) => default;
}

/// <summary>Signs with a secret, or with what it is exchanged for: got when it is first needed, before it ends, and once when the server refuses it.</summary>
/// <param name="getSignature">Reads the secret from where it is kept, or signs in for a token or a session.</param>
/// <param name="time">The clock.</param>
internal sealed class SecretAuthenticator(Func<ILogger, CancellationToken, ValueTask<RequestCredentials>> getSignature, TimeProvider time) : IAuthenticator, IDisposable
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
            Held held = _held is { } current && !HasEnded(current) ? current : await HoldNewAsync(logger, cancellationToken).ConfigureAwait(false);
            return held.RequestCredentials;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async ValueTask<Held> HoldNewAsync(ILogger logger, CancellationToken cancellationToken)
    {
        RequestCredentials signature = await getSignature(logger, cancellationToken).ConfigureAwait(false);
        return _held = new Held(signature, RenewalOf(signature));
    }

    private bool HasEnded(Held held) => held.RenewAt is { } renewAt && time.GetUtcNow() >= renewAt;

    private DateTimeOffset? RenewalOf(RequestCredentials signature)
    {
        if (signature.EndsAt is not { } endsAt)
            return null;
        TimeSpan lastPart = (endsAt - time.GetUtcNow()) * LastPart;
        return endsAt - (lastPart < RenewBefore ? lastPart : RenewBefore);
    }

    /// <summary>A signature, and when to renew it; null where only the server knows.</summary>
    private sealed record Held(RequestCredentials RequestCredentials, DateTimeOffset? RenewAt);
}
