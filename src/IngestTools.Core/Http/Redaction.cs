using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;

namespace IngestTools.Http;

/// <summary>Keeps secrets and control characters out of everything that a person or a log reads.</summary>
public static partial class Redaction
{
    /// <summary>What stands in a secret's place.</summary>
    public const string Hidden = "***";

    /// <summary>Headers known to be harmless. All others are logged by name only.</summary>
    private static readonly HashSet<string> HarmlessHeaders = new(StringComparer.OrdinalIgnoreCase)
    {
        "Accept", "Accept-Encoding", "Content-Disposition", "Content-Encoding", "Content-Length", "Content-Type", "Date", "ETag", "Expect",
        "Retry-After", "Server", "Transfer-Encoding", "User-Agent", "Via", "X-Request-Id", "X-Correlation-Id",
    };

    /// <summary>Query parameters known to be harmless. The values of all others are hidden.</summary>
    private static readonly HashSet<string> HarmlessParameters = new(StringComparer.OrdinalIgnoreCase)
    {
        "format", "hierarchy", "method", "nowait", "limit", "skip", "count", "status", "pageSize", "pageOffset", "sort", "id", "amount", "prefix", "after", "transactions",
    };

    /// <summary>An address without user information and without the values of parameters that could be secret.</summary>
    /// <param name="uri">The address; null gives an empty text.</param>
    public static string Of(Uri? uri)
    {
        if (uri is null)
            return "";
        string[] relative = uri.IsAbsoluteUri ? [] : uri.OriginalString.Split('#')[0].Split('?', 2);
        StringBuilder text = new(uri.IsAbsoluteUri ? uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) : relative[0]);
        string query = uri.IsAbsoluteUri ? uri.Query.TrimStart('?') : relative.ElementAtOrDefault(1) ?? "";
        char separator = '?';
        foreach (string parameter in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string name = parameter.Split('=')[0];
            text.Append(separator).Append(HarmlessParameters.Contains(Uri.UnescapeDataString(name)) ? parameter : $"{name}={Hidden}");
            separator = '&';
        }

        return EscapeControls(text.ToString());
    }

    /// <summary>An address as somebody wrote it, whatever its form, without user information and without its query.</summary>
    /// <param name="address">The address, such as <c>s3://bucket/prefix/</c>.</param>
    public static string Of(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        const string AfterScheme = "://";
        int query = address.IndexOf('?', StringComparison.Ordinal);
        string text = query < 0 ? address : address[..query];
        int start = text.IndexOf(AfterScheme, StringComparison.Ordinal) is >= 0 and int scheme ? scheme + AfterScheme.Length : 0;
        int slash = text.IndexOf('/', start);
        string host = text[start..(slash < 0 ? text.Length : slash)];
        // Secrets of object stores have slashes in them. What follows a colon is a port, or else the beginning of one.
        int colon = host.IndexOf(':', StringComparison.Ordinal);
        bool hasSlashedSecret = colon >= 0 && !host[(colon + 1)..].All(char.IsAsciiDigit);
        int user = hasSlashedSecret ? text.LastIndexOf('@') : start + host.LastIndexOf('@');
        if (user >= start)
            text = $"{text[..start]}{Hidden}@{text[(user + 1)..]}";
        return EscapeControls(query < 0 ? text : $"{text}?{Hidden}");
    }

    /// <summary>Headers as they may be logged.</summary>
    /// <param name="headers">A request's or an answer's headers.</param>
    internal static string Of(HttpHeaders headers) => string.Join("; ", headers.NonValidated.Select(header =>
        $"{header.Key}: {(HarmlessHeaders.Contains(header.Key) ? EscapeControls(string.Join(", ", header.Value)) : Hidden)}"));

    /// <summary>A text in which what looks like a secret is hidden: bearer tokens, signatures in addresses, JSON members named like secrets.</summary>
    public static string HideSecrets(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = AuthorizationText().Replace(text, "$1 " + Hidden);
        text = JsonWebToken().Replace(text, Hidden);
        text = SecretParameter().Replace(text, "$1=" + Hidden);
        return SecretMember().Replace(text, "$1\"" + Hidden + "\"");
    }

    /// <summary>A text in which control characters, line separators and marks that turn the direction of writing are written as escapes.</summary>
    public static string EscapeControls(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.Any(NeedsEscape))
            return text;
        StringBuilder escaped = new(text.Length + 16);
        foreach (char c in text)
        {
            if (NeedsEscape(c))
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                escaped.Append(c);
        }

        return escaped.ToString();
    }

    private static bool NeedsEscape(char c) =>
        char.IsControl(c) || c is '\u2028' or '\u2029' or '\u200E' or '\u200F' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    [GeneratedRegex(@"\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+/=-]{6,}", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex AuthorizationText();

    [GeneratedRegex(@"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex JsonWebToken();

    [GeneratedRegex(@"\b(sig|signature|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|token|access_token|api_?key|password|secret)=[^&\s""'<>]+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex SecretParameter();

    [GeneratedRegex(@"(""(?:token|access_token|password|secret|api_?key|apiKey|secret_access_key)""\s*:\s*)""(?:[^""\\]|\\.)*""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex SecretMember();
}
