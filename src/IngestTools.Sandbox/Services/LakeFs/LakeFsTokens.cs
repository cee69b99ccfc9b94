using System.Collections.Concurrent;
using System.Text.Json;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>The tokens of /auth/login. They have the shape of JWTs, but the sandbox knows each one it gave out.</summary>
public sealed class LakeFsTokens
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    private const int SignatureLength = 43;

    private readonly ConcurrentDictionary<string, DateTimeOffset> _expirations = new(StringComparer.Ordinal);
    private readonly LakeFsOptions _options;
    private readonly SandboxEnvironment _environment;

    internal LakeFsTokens(LakeFsOptions options, SandboxEnvironment environment)
    {
        _options = options;
        _environment = environment;
    }

    /// <summary>How many were given out.</summary>
    public int Issued => _expirations.Count;

    /// <summary>Makes every token known now an expired one.</summary>
    public void ExpireAll()
    {
        foreach (string token in _expirations.Keys)
            _expirations[token] = DateTimeOffset.MinValue;
    }

    internal (string Token, DateTimeOffset Ends) Issue()
    {
        DateTimeOffset ends = _environment.Clock.GetUtcNow() + _options.TokenLifetime;
        string head = Encode(new { alg = "HS256", typ = "JWT" });
        string claims = Encode(
            new
            {
                aud = "login",
                sub = _options.AccessKeyId,
                exp = ends.ToUnixTimeSeconds(),
            }
        );
        string token = $"{head}.{claims}.{_environment.NextString(Alphabet, SignatureLength)}";
        _expirations[token] = ends;
        return (token, ends);
    }

    internal bool IsValid(string token) =>
        _options.AcceptsAnyToken
        || (_options.Token is not null && token == _options.Token)
        || (_expirations.TryGetValue(token, out DateTimeOffset ends) && ends > _environment.Clock.GetUtcNow());

    /// <summary>The cookie wraps the token; it is not the token.</summary>
    internal static string Wrap(string token) => Convert.ToHexString(System.Text.Encoding.ASCII.GetBytes(token)).ToLowerInvariant();

    internal bool IsValidSession(string cookie)
    {
        try
        {
            return IsValid(System.Text.Encoding.ASCII.GetString(Convert.FromHexString(cookie)));
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static string Encode<T>(T part) => System.Buffers.Text.Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));
}
