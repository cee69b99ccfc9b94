using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;

namespace IngestTools.Http;

/// <summary>Signs requests.</summary>
internal interface IAuthenticator
{
    /// <summary>The header that a request carries; null for none.</summary>
    ValueTask<AuthenticationHeaderValue?> GetAsync(ILogger logger, CancellationToken cancellationToken);

    /// <summary>Gets a new token in place of one that the server no longer accepted; false where there is no other.</summary>
    ValueTask<bool> RenewAsync(AuthenticationHeaderValue refused, ILogger logger, CancellationToken cancellationToken);
}

/// <summary>Signs nothing.</summary>
internal sealed class NoAuthenticator : IAuthenticator
{
    public ValueTask<AuthenticationHeaderValue?> GetAsync(ILogger logger, CancellationToken cancellationToken) => default;

    public ValueTask<bool> RenewAsync(AuthenticationHeaderValue refused, ILogger logger, CancellationToken cancellationToken) => default;
}

/// <summary>Signs with a token that is got when it is first needed and again when the server refuses it.</summary>
/// <param name="getToken">Gets a token: reads it from where it is kept, or signs in for it.</param>
internal sealed class TokenAuthenticator(Func<ILogger, CancellationToken, ValueTask<string>> getToken) : IAuthenticator, IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private volatile AuthenticationHeaderValue? _header;

    public ValueTask<AuthenticationHeaderValue?> GetAsync(ILogger logger, CancellationToken cancellationToken) =>
        _header is { } header ? new(header) : GetFirstAsync(logger, cancellationToken);

    public async ValueTask<bool> RenewAsync(AuthenticationHeaderValue refused, ILogger logger, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!ReferenceEquals(_header, refused))
                return true;
            string token = await getToken(logger, cancellationToken).ConfigureAwait(false);
            if (token == refused.Parameter)
                return false;
            _header = new AuthenticationHeaderValue("Bearer", token);
            return true;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public void Dispose()
    {
        _header = null;
        _oneAtATime.Dispose();
    }

    private async ValueTask<AuthenticationHeaderValue?> GetFirstAsync(ILogger logger, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return _header ??= new AuthenticationHeaderValue("Bearer", await getToken(logger, cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _oneAtATime.Release();
        }
    }
}
