using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace IngestTools.Http;

/// <summary>Turns what came back, or did not, into the one error type.</summary>
internal static class HttpFailure
{
    /// <summary>A server's request to wait for longer than this is not followed to the letter.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);

    /// <summary>No address that helps a person is longer.</summary>
    private const int MaxAddressLength = 500;

    private const string ClientCertificateAdvice =
        "IngestTools sends no client certificate. Ask the service's administrator for an address that takes credentials alone, or give with -Proxy a proxy that holds the certificate.";

    private const string HttpVersionAdvice = "IngestTools uses HTTP/1.1, and the server takes HTTP/2 only. Ask its administrator to permit HTTP/1.1.";

    private const string ProxyCredentialAdvice = "Give the proxy's user name and password with -ProxyCredential, beside -Proxy. Or use -NoProxy.";

    /// <summary>
    /// What an answer in another protocol begins with: a record of TLS, a frame of HTTP/2, and what other servers greet with.
    /// </summary>
    private static readonly string[] OtherProtocols = ["\u0015\u0003", "\\u0015\\u0003", "\0\0", "\\u0000\\u0000", "SSH-", "220 ", "+OK", "* OK"];

    private static readonly string[] RequestIdHeaders = ["X-Request-Id", "X-Correlation-Id", "X-Amzn-RequestId", "X-Amz-Request-Id"];

    /// <summary>The error that an answer means. Reads the body's beginning.</summary>
    public static async ValueTask<IngestException> FromAnswerAsync(
        IngestService service,
        HttpOperation operation,
        HttpResponseMessage response,
        ServerText text,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        ServerMessage said = await AnswerBody.ReadMessageAsync(response, text, cancellationToken).ConfigureAwait(false);
        int status = (int)response.StatusCode;
        TimeSpan? retryAfter = RetryAfterOf(response, time);
        bool saidItDidNotAct = status is 420 or 429 || (status == 503 && retryAfter is not null);
        (ErrorId errorId, string? advice) = Meaning(status);
        advice = AdviceOfWords(status, said.Text) ?? advice;
        string words = said.Text is null ? "" : $": {said.Text}";
        string where = status is >= 300 and < 400 ? $" It redirects to {Shorten(Redaction.Of(response.Headers.Location))}." : "";
        IngestException error = new(errorId, $"{service} answered {status} {Name(response)} to '{operation.Name}'{words.TrimEnd('.')}.{where}")
        {
            Service = service,
            Operation = operation.Name,
            StatusCode = response.StatusCode,
            ServerMessage = said.Text,
            Code = said.Code,
            RequestId = RequestIdOf(response) ?? (errorId == ErrorId.NotFound ? null : said.RequestId),
            IsTransient = status is 408 or 420 or 429 or 500 or 502 or 503 or 504 or 507 or 520 or 522 or 524,
            Advice = advice,
            Target = operation.Target,
            MayHaveActed = status >= 500 && !saidItDidNotAct || status == 408,
            RetryAfter = retryAfter,
        };
        return operation.Refine?.Invoke(error) ?? error;
    }

    /// <summary>The error that a request without an answer means.</summary>
    public static IngestException FromException(
        IngestService service, HttpOperation operation, Exception exception, ServerText? text = null)
    {
        text ??= ServerText.OfNoSecrets;
        HttpRequestException? request = exception as HttpRequestException;
        Exception root = exception.GetBaseException();
        string words = text.Words(root.Message) ?? root.GetType().Name;
        string host = operation.Uri.IsDefaultPort ? operation.Uri.Host : $"{operation.Uri.Host}:{operation.Uri.Port.ToString(CultureInfo.InvariantCulture)}";
        if (OpenFileLimit.IsReached(exception))
            return Make(ErrorId.ConnectionFailed, $"No connection to {host}: {OpenFileLimit.Reason}", isTransient: true, acted: false, OpenFileLimit.Advice);
        if (WantsClientCertificate(exception))
        {
            return Make(ErrorId.InsecureConnection, $"The server {host} asks for a client certificate, and IngestTools has none to send: {words}", isTransient: false, acted: false,
                ClientCertificateAdvice);
        }

        if (request?.HttpRequestError == HttpRequestError.SecureConnectionError || Chain(exception).Any(e => e is AuthenticationException))
        {
            if (Chain(exception).Any(e => e.Message.Contains("handshake failure", StringComparison.OrdinalIgnoreCase)))
            {
                return Make(ErrorId.InsecureConnection, $"{host} refused the TLS handshake: {words}", isTransient: false, acted: false,
                    "The server may ask for a client certificate, which IngestTools does not send, or have no cipher in common with this machine. Its administrator knows which.");
            }

            return IsPlainAnswer(exception)
                ? Make(ErrorId.InsecureConnection, $"{host} does not answer in TLS: {words}", isTransient: false, acted: false,
                    "Check the port in -Uri. If the port takes plain http, write http:// (and -AllowInsecure where it is another machine); if it takes https, check that the server and the proxies on the way are well.")
                : Make(ErrorId.InsecureConnection, $"No secure connection to {host}: {words}", isTransient: false, acted: false,
                    "Check the server's certificate. For one of your own authority give -CertificateAuthority with its PEM file.");
        }

        if (request?.HttpRequestError == HttpRequestError.NameResolutionError)
        {
            return Make(ErrorId.ConnectionFailed, $"The host {operation.Uri.Host} was not found: {words}", isTransient: true, acted: false,
                "Check the host in -Uri, and the DNS of this machine.");
        }

        if (request?.HttpRequestError == HttpRequestError.ProxyTunnelError)
        {
            return root.Message.Contains("'407'", StringComparison.Ordinal)
                ? Make(ErrorId.NotAllowed, $"The proxy wants credentials of its own before it connects to {host}: {words}", isTransient: false, acted: false, ProxyCredentialAdvice)
                : Make(ErrorId.ConnectionFailed, $"The proxy does not connect to {host}: {words}", isTransient: true, acted: false, "Check -Proxy, or use -NoProxy.");
        }

        // Another protocol has not acted on the request. A line that is garbled may come from a server that has.
        if (request?.HttpRequestError == HttpRequestError.InvalidResponse && IsNotHttp(root.Message))
        {
            return Make(ErrorId.InvalidAnswer, $"{host} does not answer in HTTP/1.1: {words}", isTransient: false, acted: !IsOtherProtocol(root.Message), operation.Uri.Scheme == Uri.UriSchemeHttp
                ? "Check the port in -Uri. If the port takes https, write https://. If the server takes HTTP/2 only, ask its administrator to permit HTTP/1.1, which IngestTools uses."
                : "Check the port in -Uri. If the server takes HTTP/2 only, ask its administrator to permit HTTP/1.1, which IngestTools uses.");
        }

        if (request?.HttpRequestError is HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded)
            return Unreadable(service, operation, $"something that is not HTTP: {words.TrimEnd('.')}", status: null, body: null, text, exception);

        if (request?.HttpRequestError == HttpRequestError.ConnectionError)
        {
            return Make(ErrorId.ConnectionFailed, $"No connection to {host}: {text.Words(request?.Message) ?? words}", isTransient: true, acted: false,
                "Check that the server runs at the address in -Uri, and -Proxy and the firewall between.");
        }

        if (request?.HttpRequestError == HttpRequestError.ResponseEnded)
        {
            return Make(ErrorId.ConnectionFailed, $"{host} closed the connection during '{operation.Name}' without a whole answer", isTransient: true, acted: true,
                $"Try again. If it stays so, check -Uri: {(operation.Uri.Scheme == Uri.UriSchemeHttp ? "a port that takes https closes so where it is asked with http://, and so does" : "so closes")} a server that takes HTTP/2 only or asks for a client certificate; IngestTools has neither. Otherwise check the server and the proxies on the way.");
        }

        return Make(ErrorId.ConnectionFailed, $"The connection to {host} broke during '{operation.Name}': {words}", isTransient: true, acted: true,
            "Try again. If it stays so, look at the server and at proxies on the way.");

        IngestException Make(ErrorId errorId, string message, bool isTransient, bool acted, string advice) => new(errorId, message.TrimEnd('.', ' ') + ".", text.Cause(exception))
        {
            Service = service,
            Operation = operation.Name,
            IsTransient = isTransient,
            Advice = advice,
            Target = operation.Target,
            MayHaveActed = acted,
            IsUnreachable = !acted && IsOutage(exception),
        };
    }

    /// <summary>
    /// Whether the other end closed the connection with a TLS alert that it wants a certificate of the client (116), or cannot go on
    /// without (40, of TLS 1.2).
    /// OpenSSL and Schannel have these words for them.
    /// </summary>
    private static bool WantsClientCertificate(Exception exception) => Chain(exception).Any(e =>
        e.Message.Contains("certificate required", StringComparison.OrdinalIgnoreCase) || e.Message.Contains("CertificateRequired", StringComparison.Ordinal));

    /// <summary>Whether a server answered the beginning of TLS with something else, as one does that takes plain http.</summary>
    private static bool IsPlainAnswer(Exception exception) => Chain(exception).Any(e =>
        e.Message.Contains("frame size or a corrupted frame", StringComparison.Ordinal)
        || e.Message.Contains("wrong version number", StringComparison.Ordinal)
        || e.Message.Contains("packet length too long", StringComparison.Ordinal)
        || e.Message.Contains("unexpected EOF", StringComparison.Ordinal));

    /// <summary>
    /// Whether the first line of an answer is not one of HTTP/1: a frame of HTTP/2, an alert of TLS, or another protocol's greeting.
    /// </summary>
    private static bool IsOtherProtocol(string message) => OtherProtocols.Any(beginning => message.Contains($"'{beginning}", StringComparison.Ordinal));

    private static bool IsNotHttp(string message) => message.Contains("invalid status line", StringComparison.Ordinal) && !message.Contains("'HTTP/1.", StringComparison.Ordinal);

    /// <summary>
    /// Whether no connection came about for a reason that passes when the server, or the network, is up again. A name that nobody knows is
    /// not such a
    /// reason; a name server that cannot be reached is.
    /// </summary>
    private static bool IsOutage(Exception exception) => exception.GetBaseException() is SocketException
    {
        SocketErrorCode: SocketError.ConnectionRefused or SocketError.TimedOut or SocketError.HostUnreachable or SocketError.HostDown
            or SocketError.NetworkUnreachable or SocketError.NetworkDown or SocketError.TryAgain,
    };

    /// <summary>The error of an unexpected exception. It is reported like any other, so that the rest of the work continues.</summary>
    public static IngestException Unexpected(IngestService service, HttpOperation operation, Exception exception, ServerText text) =>
        new(ErrorId.InvalidAnswer, $"'{operation.Name}' failed in an unknown way: {text.Words(exception.Message)}", text.Cause(exception))
        {
            Service = service,
            Operation = operation.Name,
            Advice = "Look at the inner exception ($Error[0].Exception | Format-List * -Force), and report it.",
            Target = operation.Target,
            MayHaveActed = true,
        };

    /// <summary>The error of an answer that could not be understood: <paramref name="what"/> says how.</summary>
    public static IngestException Unreadable(
        IngestService service,
        HttpOperation operation,
        string what,
        HttpStatusCode? status,
        string? body,
        ServerText text,
        Exception? cause = null)
    {
        // What was to bring a token may have it in any form.
        string quoted = operation.BringsCredentials ? "" : body ?? "";
        ServerMessage said = ServerMessage.Parse(System.Text.Encoding.UTF8.GetBytes(quoted), charset: null, text);
        string words = said.Text is null ? "" : $" It begins: {(said.Text.Length > 200 ? said.Text[..200] + "…" : said.Text)}";
        return new IngestException(ErrorId.InvalidAnswer, $"{service} answered '{operation.Name}' with {what}.{words}", text.Cause(cause))
        {
            Service = service,
            Operation = operation.Name,
            StatusCode = status,
            ServerMessage = said.Text,
            IsTransient = true,
            Advice = "Check that -Uri is the service's own address, and no web page or proxy answers in its place.",
            Target = operation.Target,
            MayHaveActed = true,
        };
    }

    private static (ErrorId ErrorId, string? Advice) Meaning(int status) => status switch
    {
        >= 300 and < 400 => (ErrorId.Redirected, "Redirects are not followed, since one can lose an upload. Connect with the address it names, if you trust it."),
        401 => (ErrorId.NotSignedIn, "Check the credentials, and whether they have expired; then use Connect-IngestService again."),
        403 => (ErrorId.NotAllowed, "The credentials are good, and not enough. Ask for the right, then sign in again."),
        404 or 410 => (ErrorId.NotFound, null),
        407 => (ErrorId.NotAllowed, ProxyCredentialAdvice),
        // AWS' load balancer has 464 for a protocol that its target does not take, and the standard 505 for a version.
        426 or 464 or 505 => (ErrorId.Rejected, HttpVersionAdvice),
        // nginx: what came to a port of TLS was plain, and a client certificate that was not sent or not accepted.
        497 => (ErrorId.Rejected, "The port takes https: write https:// in -Uri."),
        495 or 496 => (ErrorId.NotAllowed, ClientCertificateAdvice),
        408 or 504 => (ErrorId.TimedOut, "Try again later."),
        409 => (ErrorId.Conflict, null),
        413 => (ErrorId.TooLarge, "The server, or a proxy before it, limits the size of a body."),
        // lakeFS said 420 for 429 up to v1.64.0.
        420 or 429 => (ErrorId.TooManyRequests, "The server asks for fewer requests. Try again later, or with a lower -ThrottleLimit."),
        >= 500 => (ErrorId.ServerError, "Try again later. If it stays so, the server's log says more."),
        _ => (ErrorId.Rejected, null),
    };

    /// <summary>What nginx and Go's server say in a 400 about the port that was asked; null for other answers.</summary>
    private static string? AdviceOfWords(int status, string? words) => (status, words) switch
    {
        (400, { } said) when said.Contains("plain HTTP request was sent to HTTPS port", StringComparison.OrdinalIgnoreCase)
            || said.Contains("HTTP request to an HTTPS server", StringComparison.OrdinalIgnoreCase) => "The port takes https: write https:// in -Uri.",
        (400, { } said) when said.Contains("HTTP/2 only", StringComparison.OrdinalIgnoreCase) => HttpVersionAdvice,
        (400, { } said) when said.Contains("No required SSL certificate was sent", StringComparison.OrdinalIgnoreCase) => ClientCertificateAdvice,
        _ => null,
    };

    private static string Name(HttpResponseMessage response) =>
        string.IsNullOrEmpty(response.ReasonPhrase) ? response.StatusCode.ToString() : response.ReasonPhrase;

    private static string Shorten(string address) => address.Length > MaxAddressLength ? string.Concat(address.AsSpan(0, MaxAddressLength), "…") : address;

    private static TimeSpan? RetryAfterOf(HttpResponseMessage response, TimeProvider time)
    {
        if (response.Headers.RetryAfter is not { } header)
            return null;
        TimeSpan wait = header.Delta ?? (header.Date is { } date ? date - time.GetUtcNow() : TimeSpan.Zero);
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > LongestRetryAfter ? LongestRetryAfter : wait;
    }

    private static string? RequestIdOf(HttpResponseMessage response)
    {
        foreach (string name in RequestIdHeaders)
        {
            if (response.Headers.TryGetValues(name, out IEnumerable<string>? values) && values.FirstOrDefault() is { Length: > 0 } id)
                return id.Length > ServerText.MaxWord ? id[..ServerText.MaxWord] : id;
        }

        return null;
    }

    private static IEnumerable<Exception> Chain(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
            yield return exception;
    }
}
