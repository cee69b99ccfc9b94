namespace IngestTools.Connections;

/// <summary>
/// The credentials for a proxy: those that are given, and those that the environment has in an address, such as
/// <c>http://user:password@proxy:8080</c>. .NET reads the latter itself.
/// </summary>
internal static class ProxyCredentials
{
    private static readonly string[] Variables = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

    /// <summary>Every form of them: the password, and both as an address and as HTTP Basic has them.</summary>
    public static IEnumerable<string> Read(ConnectionSettings settings)
    {
        if (settings.ProxyCredential is { } given)
        {
            yield return given.Password;
            yield return $"{given.UserName}:{given.Password}";
        }

        if (settings.NoProxy || settings.Proxy is not null)
            yield break;
        foreach (string variable in Variables)
        {
            string? address = Environment.GetEnvironmentVariable(variable);
            if (string.IsNullOrEmpty(address))
                continue;
            // As .NET reads it: up to the last '@', so that a password may have characters that an address could not.
            int scheme = address.IndexOf("://", StringComparison.Ordinal);
            int start = scheme < 0 ? 0 : scheme + "://".Length;
            int end = address.LastIndexOf('@');
            if (end <= start)
                continue;
            string written = address[start..end];
            foreach (string userInfo in new[] { written, Uri.UnescapeDataString(written) }.Distinct(StringComparer.Ordinal))
            {
                yield return userInfo;
                if (userInfo.IndexOf(':', StringComparison.Ordinal) is >= 0 and int colon)
                    yield return userInfo[(colon + 1)..];
            }
        }
    }
}
