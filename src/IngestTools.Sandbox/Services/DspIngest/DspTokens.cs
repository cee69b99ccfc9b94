using System.Collections.Concurrent;
using System.Globalization;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>The bearer tokens of DSP-API. They have the shape of its JWTs, but the sandbox knows each one it gave out.</summary>
public sealed class DspTokens
{
    private static readonly string[] Audience = ["Knora", "Sipi", "ingest"];

    private readonly ConcurrentDictionary<string, Grant> _grants = new(StringComparer.Ordinal);
    private readonly JsonWebTokens _tokens = new();
    private readonly TimeProvider _clock;

    internal DspTokens(string? fixedToken, TimeProvider clock)
    {
        _clock = clock;
        if (fixedToken is not null)
            _grants[fixedToken] = new Grant("admin", DateTimeOffset.MaxValue);
    }

    /// <summary>Makes a token that is valid for <paramref name="lifetime"/>.</summary>
    public string Issue(string scope, TimeSpan lifetime)
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
                scope,
            }
        );
        _grants[token] = new Grant(scope, expires);
        return token;
    }

    /// <summary>Makes every token known now an expired one.</summary>
    public void ExpireAll()
    {
        foreach ((string token, Grant grant) in _grants)
            _grants[token] = grant with { Expires = _clock.GetUtcNow() };
    }

    /// <summary>Makes a token unknown, as a logout does. False when it was unknown already.</summary>
    public bool Revoke(string token) => _grants.TryRemove(token, out _);

    /// <summary>Gives the token's scope, or the reason to refuse it in the words of the server's JWT library.</summary>
    internal bool TryGetScope(string token, out string scope, out string reason)
    {
        scope = reason = "";
        if (!_grants.TryGetValue(token, out Grant? grant))
        {
            // The library does repeat the token here: a client that shows the reason as it is gives a mistyped secret away.
            reason = token.Count(static c => c == '.') is 1 or 2
                ? "Invalid signature for this token or wrong algorithm."
                : $"Expected token [{token}] to be composed of 2 or 3 parts separated by dots.";
            return false;
        }
        if (grant.Expires <= _clock.GetUtcNow())
        {
            string since = grant.Expires.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            reason = $"The token is expired since {since}";
            return false;
        }
        scope = grant.Scope;
        return true;
    }

    private sealed record Grant(string Scope, DateTimeOffset Expires);
}
