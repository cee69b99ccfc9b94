using System.Net.Http.Headers;
using System.Text;

namespace IngestTools.Http;

/// <summary>What a request carries to prove who sends it.</summary>
internal sealed class RequestCredentials
{
    private readonly AuthenticationHeaderValue? _authorization;
    private readonly KeyValuePair<string, string>[] _headers = [];

    private RequestCredentials(AuthenticationHeaderValue authorization, params string[] secrets)
    {
        _authorization = authorization;
        Secrets = [authorization.Parameter!, .. secrets];
    }

    private RequestCredentials(KeyValuePair<string, string>[] headers, string[] secrets)
    {
        _headers = headers;
        Secrets = secrets;
    }

    /// <summary>When the server will no longer accept it; null where it did not tell.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>What of it is secret.</summary>
    public IReadOnlyList<string> Secrets { get; }

    /// <summary>A bearer token.</summary>
    public static RequestCredentials Bearer(string token, DateTimeOffset? endsAt = null) =>
        new(new AuthenticationHeaderValue("Bearer", token)) { EndsAt = endsAt };

    /// <summary>A user name and a password, in UTF-8.</summary>
    /// <remarks>RFC 7617: the server splits at the first colon, so the name has none.</remarks>
    public static RequestCredentials Basic(string userName, string password) =>
        new(new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{userName}:{password}"))), password);

    /// <summary>Headers of any kind, such as a cookie.</summary>
    public static RequestCredentials Of(
        IEnumerable<KeyValuePair<string, string>> headers,
        IEnumerable<string> secrets,
        DateTimeOffset? endsAt = null
    ) => new([.. headers], [.. secrets]) { EndsAt = endsAt };

    /// <summary>Puts it on a request.</summary>
    public void Sign(HttpRequestMessage request)
    {
        request.Headers.Authorization = _authorization;
        foreach ((string name, string value) in _headers)
            request.Headers.TryAddWithoutValidation(name, value);
    }

    /// <summary>Takes it off a request that is sent again with other credentials.</summary>
    public void RemoveFrom(HttpRequestMessage request)
    {
        request.Headers.Authorization = null;
        foreach ((string name, _) in _headers)
            request.Headers.Remove(name);
    }

    /// <summary>Whether another says the same, so that a server that refused one will refuse it too.</summary>
    public bool IsSameAs(RequestCredentials other) =>
        Equals(_authorization, other._authorization) && _headers.SequenceEqual(other._headers);
}
