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

    /// <summary>No signature or token in an address is as short as this; a number or a date is.</summary>
    private const int MinSignature = 8;

    /// <summary>Headers known to be harmless. All others are logged by name only.</summary>
    private static readonly HashSet<string> HarmlessHeaders = new(StringComparer.OrdinalIgnoreCase)
    {
        "Accept",
        "Accept-Encoding",
        "Content-Disposition",
        "Content-Encoding",
        "Content-Length",
        "Content-Type",
        "Date",
        "ETag",
        "Expect",
        "Retry-After",
        "Server",
        "Transfer-Encoding",
        "User-Agent",
        "Via",
        "X-Request-Id",
        "X-Correlation-Id",
    };

    /// <summary>Query parameters known to be harmless. The values of all others are hidden.</summary>
    private static readonly HashSet<string> HarmlessParameters = new(StringComparer.OrdinalIgnoreCase)
    {
        "format",
        "hierarchy",
        "method",
        "nowait",
        "limit",
        "skip",
        "count",
        "status",
        "pageSize",
        "pageOffset",
        "sort",
        "id",
        "amount",
        "prefix",
        "after",
        "transactions",
    };

    /// <summary>An address without user information and without the values of parameters that could be secret.</summary>
    /// <param name="uri">The address; null gives an empty text.</param>
    public static string Of(Uri? uri)
    {
        if (uri is null)
            return "";
        string[] relative = uri.IsAbsoluteUri ? [] : uri.OriginalString.Split('#')[0].Split('?', 2);
        StringBuilder text = new(
            uri.IsAbsoluteUri ? uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) : relative[0]
        );
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
        int start = address.IndexOf(AfterScheme, StringComparison.Ordinal) is >= 0 and int scheme ? scheme + AfterScheme.Length : 0;
        int user = EndOfUser(address, start);
        string text = user < start ? address : $"{address[..start]}{Hidden}@{address[(user + 1)..]}";
        int query = text.IndexOf('?', StringComparison.Ordinal);
        return EscapeControls(query < 0 ? text : $"{text[..query]}?{Hidden}");
    }

    /// <summary>What <see cref="Of(string)"/> hides of an address: its password, and the values in its query.</summary>
    internal static IEnumerable<string> SecretsOf(string address)
    {
        int start = address.IndexOf("://", StringComparison.Ordinal) is >= 0 and int scheme ? scheme + 3 : 0;
        int user = EndOfUser(address, start);
        if (user > start)
        {
            string userInfo = address[start..user];
            yield return Uri.UnescapeDataString(userInfo);
            yield return Uri.UnescapeDataString(userInfo[(userInfo.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        }

        int query = address.IndexOf('?', Math.Max(user, 0));
        foreach (string parameter in query < 0 ? [] : address[(query + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (parameter.IndexOf('=', StringComparison.Ordinal) is >= 0 and int equals && parameter.Length - equals > MinSignature)
                yield return Uri.UnescapeDataString(parameter[(equals + 1)..]);
        }
    }

    /// <summary>
    /// The sign that ends the user information of an address; a number below <paramref name="start"/> if it has no user information.
    /// </summary>
    private static int EndOfUser(string address, int start)
    {
        int query = address.IndexOf('?', StringComparison.Ordinal);
        string path = query < 0 ? address : address[..query];
        int slash = path.IndexOf('/', Math.Min(start, path.Length));
        string host = path[Math.Min(start, path.Length)..(slash < 0 ? path.Length : slash)];
        // Secrets of object stores have slashes in them, and passwords any sign. What follows a colon is a port, or else the beginning of
        // one.
        int colon = host.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || host[(colon + 1)..].All(char.IsAsciiDigit))
            return host.Contains('@', StringComparison.Ordinal) ? start + host.LastIndexOf('@') : -1;
        return path.Contains('@', StringComparison.Ordinal) ? path.LastIndexOf('@') : address.LastIndexOf('@');
    }

    /// <summary>Headers as they may be logged.</summary>
    /// <param name="headers">A request's or an answer's headers.</param>
    internal static string Of(HttpHeaders headers) =>
        string.Join(
            "; ",
            headers.NonValidated.Select(header =>
                $"{header.Key}: {(HarmlessHeaders.Contains(header.Key) ? EscapeControls(string.Join(", ", header.Value)) : Hidden)}"
            )
        );

    /// <summary>
    /// A text in which what looks like a secret is hidden: bearer tokens, signatures in addresses, JSON members named like secrets.
    /// </summary>
    public static string HideSecrets(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = AuthorizationText()
            .Replace(text, static match => LooksSecret(match.Groups[2].Value) ? $"{match.Groups[1].Value} {Hidden}" : match.Value);
        text = JsonWebToken().Replace(text, Hidden);
        text = SecretParameter().Replace(text, "$1=" + Hidden);
        return SecretMember().Replace(text, "$1\"" + Hidden + "\"");
    }

    /// <summary>
    /// A text in which control characters, line separators and marks that turn the direction of writing are written as escapes.
    /// </summary>
    public static string EscapeControls(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int first = FirstToEscape(text);
        if (first < 0)
            return text;
        StringBuilder escaped = new(text, 0, first, text.Length + 16);
        for (int i = first; i < text.Length; i++)
        {
            if (NeedsEscape(text, i))
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
            else
                escaped.Append(text[i]);
        }

        return escaped.ToString();
    }

    private static int FirstToEscape(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (NeedsEscape(text, i))
                return i;
        }

        return -1;
    }

    private static bool NeedsEscape(string text, int index)
    {
        char c = text[index];
        return c is < ' ' or (> '~' and not (> '\u00a0' and < '\u2000')) && (NeedsEscape(c) || IsHalf(text, index));
    }

    /// <summary>Whether half of a surrogate pair stands alone. No encoder takes it.</summary>
    private static bool IsHalf(string text, int index) =>
        text[index] switch
        {
            >= '\uD800' and <= '\uDBFF' => index + 1 == text.Length || !char.IsLowSurrogate(text[index + 1]),
            >= '\uDC00' and <= '\uDFFF' => index == 0 || !char.IsHighSurrogate(text[index - 1]),
            _ => false,
        };

    /// <summary>Whether what follows the name of a kind of credentials is one, and not the next word of a sentence.</summary>
    private static bool LooksSecret(string text) => text.Length >= 16 && text.Any(char.IsAsciiDigit) && text.Any(char.IsAsciiLetter);

    private static bool NeedsEscape(char c) =>
        char.IsControl(c)
        || c is '\u2028' or '\u2029' or '\u200E' or '\u200F' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    [GeneratedRegex(
        @"\b(Bearer|Basic|Token)\s+([A-Za-z0-9._~+/=-]{6,})",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex AuthorizationText();

    [GeneratedRegex(
        @"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex JsonWebToken();

    [GeneratedRegex(
        @"\b(sig|signature|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|token|access_token|api_?key|password|secret)=[^&\s""'<>]+",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex SecretParameter();

    [GeneratedRegex(
        @"(""(?:token|access_token|password|secret|api_?key|apiKey|secret_access_key)""\s*:\s*)""(?:[^""\\]|\\.)*""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex SecretMember();
}
