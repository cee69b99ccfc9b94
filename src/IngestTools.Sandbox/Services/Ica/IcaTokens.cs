using System.Collections.Concurrent;

namespace IngestTools.Sandbox.Services.Ica;

/// <summary>The JWTs of ICA. The sandbox knows each one it gave out.</summary>
public sealed class IcaTokens
{
    private static readonly string[] Audience = ["ica"];

    private readonly ConcurrentDictionary<string, Grant> _grants = new(StringComparer.Ordinal);
    private readonly JsonWebTokens _tokens = new();
    private readonly TimeProvider _clock;
    private int _issued;

    internal IcaTokens(string? fixedToken, TimeProvider clock)
    {
        _clock = clock;
        if (fixedToken is not null)
            _grants[fixedToken] = new Grant(DateTimeOffset.MaxValue, IsOfApiKey: false);
    }

    /// <summary>How many tokens were given out.</summary>
    public int Issued => Volatile.Read(ref _issued);

    /// <summary>Makes a token that is valid for <paramref name="lifetime"/>.</summary>
    /// <param name="lifetime">How long it is valid.</param>
    /// <param name="isOfApiKey">Whether an API key was given for it: such a token cannot be refreshed.</param>
    public string Issue(TimeSpan lifetime, bool isOfApiKey)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        DateTimeOffset expires = now + lifetime;
        string token = _tokens.Make(
            new
            {
                iss = "ingest-sandbox",
                aud = Audience,
                exp = expires.ToUnixTimeSeconds(),
                iat = now.ToUnixTimeSeconds(),
                jti = Guid.NewGuid(),
            }
        );
        _grants[token] = new Grant(expires, isOfApiKey);
        Interlocked.Increment(ref _issued);
        return token;
    }

    /// <summary>Makes every token known now an expired one.</summary>
    public void ExpireAll()
    {
        foreach ((string token, Grant grant) in _grants)
            _grants[token] = grant with { Expires = _clock.GetUtcNow() };
    }

    internal bool IsValid(string token) => _grants.TryGetValue(token, out Grant? grant) && grant.Expires > _clock.GetUtcNow();

    internal bool IsOfApiKey(string token) => _grants.TryGetValue(token, out Grant? grant) && grant.IsOfApiKey;

    private sealed record Grant(DateTimeOffset Expires, bool IsOfApiKey);
}
