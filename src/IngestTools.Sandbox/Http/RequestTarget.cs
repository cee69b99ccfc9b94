namespace IngestTools.Sandbox.Http;

/// <summary>
/// The request target as it came over the wire. ASP.NET's own path is decoded but for %2F, so a service that tells
/// "a/b" from "a%2Fb" cannot use it: here the raw path is split first, and each segment is decoded once.
/// </summary>
internal sealed class RequestTarget
{
    private RequestTarget(string path, string query, string[] segments)
    {
        Path = path;
        Query = query;
        Segments = segments;
    }

    /// <summary>The path as it came, percent-encoded, without the query.</summary>
    public string Path { get; }

    /// <summary>The query as it came, without the question mark.</summary>
    public string Query { get; }

    /// <summary>The segments after the first slash, decoded. A decoded segment may hold a slash.</summary>
    public string[] Segments { get; }

    public static RequestTarget Parse(string rawTarget)
    {
        string relative = WithoutAuthority(rawTarget);
        int question = relative.IndexOf('?', StringComparison.Ordinal);
        string path = question < 0 ? relative : relative[..question];
        string query = question < 0 ? "" : relative[(question + 1)..];

        string[] segments = path.StartsWith('/') ? path[1..].Split('/') : [];
        for (int i = 0; i < segments.Length; i++)
            segments[i] = Uri.UnescapeDataString(segments[i]);
        return new RequestTarget(path, query, segments);
    }

    /// <summary>A client that talks through a proxy sends "http://host/path" instead of "/path".</summary>
    private static string WithoutAuthority(string rawTarget)
    {
        int scheme = rawTarget.StartsWith('/') ? -1 : rawTarget.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
            return rawTarget;
        int slash = rawTarget.IndexOf('/', scheme + 3);
        return slash < 0 ? "/" : rawTarget[slash..];
    }
}
