using System.Net;

namespace IngestTools.Sandbox.Http;

/// <summary>
/// The names by which the sandbox is asked. A page in a browser can give a name of its own the address 127.0.0.1, and would then read and
/// change the sandbox as if it were its own server; but the Host header of its requests has that name.
/// </summary>
internal static class LoopbackHosts
{
    private const string LocalName = "localhost";

    /// <summary>Whether a request names this machine.</summary>
    /// <param name="context">The request.</param>
    /// <param name="rawTarget">Its target as it came: a full address came by way of a proxy, for which the sandbox stands in, and no
    /// browser sends one by itself.</param>
    public static bool Allow(HttpContext context, string rawTarget)
    {
        string host = context.Request.Host.Host;
        if (host.Length == 0 || !rawTarget.StartsWith('/'))
            return true;
        if (IPAddress.TryParse(host, out IPAddress? address))
            return IPAddress.IsLoopback(address) || address.Equals(context.Connection.LocalIpAddress);
        host = host.TrimEnd('.');
        return host.Equals(LocalName, StringComparison.OrdinalIgnoreCase)
            || host.EndsWith("." + LocalName, StringComparison.OrdinalIgnoreCase);
    }

    public static Task RefuseAsync(HttpContext context)
    {
        // What follows on the connection would be of the same host.
        context.Response.Headers.Connection = "close";
        return Answer.Text(
            context,
            StatusCodes.Status421MisdirectedRequest,
            "The sandbox answers to localhost, 127.0.0.1 and [::1], and not to the host that this request names.\n"
        );
    }
}
