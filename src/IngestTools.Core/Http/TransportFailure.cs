using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;

namespace IngestTools.Http;

/// <summary>A request without an answer: no connection came about, or it broke.</summary>
internal sealed class TransportFailure
{
    /// <summary>
    /// What an answer in another protocol begins with: a record of TLS, a frame of HTTP/2, and what other servers greet with.
    /// </summary>
    private static readonly string[] OtherProtocols =
    [
        "\u0015\u0003",
        "\\u0015\\u0003",
        "\0\0",
        "\\u0000\\u0000",
        "SSH-",
        "220 ",
        "+OK",
        "* OK",
    ];

    private readonly IngestService _service;
    private readonly HttpOperation _operation;
    private readonly Exception _exception;
    private readonly ServerText _text;
    private readonly Exception _root;
    private readonly string _words;
    private readonly string _host;

    public TransportFailure(IngestService service, HttpOperation operation, Exception exception, ServerText text)
    {
        _service = service;
        _operation = operation;
        _exception = exception;
        _text = text;
        _root = exception.GetBaseException();
        _words = text.Words(_root.Message) ?? _root.GetType().Name;
        Uri uri = operation.Uri;
        _host = uri.IsDefaultPort ? uri.Host : string.Create(CultureInfo.InvariantCulture, $"{uri.Host}:{uri.Port}");
    }

    private bool IsPlainHttp => _operation.Uri.Scheme == Uri.UriSchemeHttp;

    /// <summary>The error that it means.</summary>
    public IngestException ToError()
    {
        if (OpenFileLimit.IsReached(_exception))
            return TooManyFiles();
        HttpRequestError? kind = (_exception as HttpRequestException)?.HttpRequestError;
        bool isOfTls = kind == HttpRequestError.SecureConnectionError || Chain(_exception).Any(e => e is AuthenticationException);
        return kind switch
        {
            _ when WantsClientCertificate(_exception) => WantedClientCertificate(),
            _ when isOfTls => NotSecure(),
            HttpRequestError.NameResolutionError => UnknownHost(),
            HttpRequestError.ProxyTunnelError => RefusedByProxy(),
            HttpRequestError.InvalidResponse when IsNotHttp(_root.Message) => OtherProtocol(),
            HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded => Unreadable(),
            HttpRequestError.ConnectionError => NoConnection(),
            HttpRequestError.ResponseEnded => Closed(),
            _ => Broken(),
        };
    }

    private IngestException TooManyFiles() =>
        NotSent(ErrorId.ConnectionFailed, $"No connection to {_host}: {OpenFileLimit.Reason}", OpenFileLimit.Advice, isTransient: true);

    private IngestException WantedClientCertificate() =>
        NotSent(
            ErrorId.InsecureConnection,
            $"The server {_host} asks for a client certificate, and IngestTools has none to send: {_words}",
            HttpFailure.ClientCertificateAdvice
        );

    private IngestException NotSecure()
    {
        if (Chain(_exception).Any(e => e.Message.Contains("handshake failure", StringComparison.OrdinalIgnoreCase)))
        {
            return NotSent(
                ErrorId.InsecureConnection,
                $"{_host} refused the TLS handshake: {_words}",
                "The server may ask for a client certificate, which IngestTools does not send, or have no cipher in common with this "
                    + "machine. Its administrator knows which."
            );
        }

        return IsPlainAnswer(_exception)
            ? NotSent(
                ErrorId.InsecureConnection,
                $"{_host} does not answer in TLS: {_words}",
                "Check the port in -Uri. If the port takes plain http, write http:// (and -AllowInsecure where it is another machine); "
                    + "if it takes https, check that the server and the proxies on the way are well."
            )
            : NotSent(
                ErrorId.InsecureConnection,
                $"No secure connection to {_host}: {_words}",
                "Check the server's certificate. For one of your own authority give -CertificateAuthority with its PEM file."
            );
    }

    private IngestException UnknownHost() =>
        NotSent(
            ErrorId.ConnectionFailed,
            $"The host {_operation.Uri.Host} was not found: {_words}",
            "Check the host in -Uri, and the DNS of this machine.",
            isTransient: true
        );

    private IngestException RefusedByProxy() =>
        _root.Message.Contains("'407'", StringComparison.Ordinal)
            ? NotSent(
                ErrorId.NotAllowed,
                $"The proxy wants credentials of its own before it connects to {_host}: {_words}",
                HttpFailure.ProxyCredentialAdvice
            )
            : NotSent(
                ErrorId.ConnectionFailed,
                $"The proxy does not connect to {_host}: {_words}",
                "Check -Proxy, or use -NoProxy.",
                isTransient: true
            );

    /// <summary>Another protocol has not acted on the request. A line that is garbled may come from a server that has.</summary>
    private IngestException OtherProtocol() =>
        Make(
            ErrorId.InvalidAnswer,
            $"{_host} does not answer in HTTP/1.1: {_words}",
            "Check the port in -Uri. "
                + (IsPlainHttp ? "If the port takes https, write https://. " : "")
                + "If the server takes HTTP/2 only, ask its administrator to permit HTTP/1.1, which IngestTools uses.",
            isTransient: false,
            mayHaveActed: !IsOtherProtocol(_root.Message)
        );

    private IngestException Unreadable() =>
        HttpFailure.Unreadable(
            _service,
            _operation,
            $"something that is not HTTP: {_words.TrimEnd('.')}",
            status: null,
            body: null,
            _text,
            _exception
        );

    private IngestException NoConnection() =>
        NotSent(
            ErrorId.ConnectionFailed,
            $"No connection to {_host}: {_text.Words(_exception.Message) ?? _words}",
            "Check that the server runs at the address in -Uri, and -Proxy and the firewall between.",
            isTransient: true
        );

    private IngestException Closed()
    {
        string closes = IsPlainHttp ? "a port that takes https closes so where it is asked with http://, and so does" : "so closes";
        return Make(
            ErrorId.ConnectionFailed,
            $"{_host} closed the connection during '{_operation.Name}' without a whole answer",
            $"Try again. If it stays so, check -Uri: {closes} a server that takes HTTP/2 only or asks for a client certificate; "
                + "IngestTools has neither. Otherwise check the server and the proxies on the way.",
            isTransient: true,
            mayHaveActed: true
        );
    }

    private IngestException Broken() =>
        Make(
            ErrorId.ConnectionFailed,
            $"The connection to {_host} broke during '{_operation.Name}': {_words}",
            "Try again. If it stays so, look at the server and at proxies on the way.",
            isTransient: true,
            mayHaveActed: true
        );

    private IngestException NotSent(ErrorId errorId, string message, string advice, bool isTransient = false) =>
        Make(errorId, message, advice, isTransient, mayHaveActed: false);

    private IngestException Make(ErrorId errorId, string message, string advice, bool isTransient, bool mayHaveActed) =>
        new(errorId, message.TrimEnd('.', ' ') + ".", _text.Cause(_exception))
        {
            Service = _service,
            Operation = _operation.Name,
            IsTransient = isTransient,
            Advice = advice,
            Target = _operation.Target,
            MayHaveActed = mayHaveActed,
            IsUnreachable = !mayHaveActed && IsOutage(_exception),
        };

    /// <summary>
    /// Whether the other end closed the connection with a TLS alert that it wants a certificate of the client (116), or cannot go on
    /// without (40, of TLS 1.2).
    /// OpenSSL and Schannel have these words for them.
    /// </summary>
    private static bool WantsClientCertificate(Exception exception) =>
        Chain(exception)
            .Any(e =>
                e.Message.Contains("certificate required", StringComparison.OrdinalIgnoreCase)
                || e.Message.Contains("CertificateRequired", StringComparison.Ordinal)
            );

    /// <summary>Whether a server answered the beginning of TLS with something else, as one does that takes plain http.</summary>
    private static bool IsPlainAnswer(Exception exception) =>
        Chain(exception)
            .Any(e =>
                e.Message.Contains("frame size or a corrupted frame", StringComparison.Ordinal)
                || e.Message.Contains("wrong version number", StringComparison.Ordinal)
                || e.Message.Contains("packet length too long", StringComparison.Ordinal)
                || e.Message.Contains("unexpected EOF", StringComparison.Ordinal)
            );

    /// <summary>
    /// Whether the first line of an answer is not one of HTTP/1: a frame of HTTP/2, an alert of TLS, or another protocol's greeting.
    /// </summary>
    private static bool IsOtherProtocol(string message) =>
        OtherProtocols.Any(beginning => message.Contains($"'{beginning}", StringComparison.Ordinal));

    private static bool IsNotHttp(string message) =>
        message.Contains("invalid status line", StringComparison.Ordinal) && !message.Contains("'HTTP/1.", StringComparison.Ordinal);

    /// <summary>
    /// Whether no connection came about for a reason that passes when the server, or the network, is up again. A name that nobody knows is
    /// not such a
    /// reason; a name server that cannot be reached is.
    /// </summary>
    private static bool IsOutage(Exception exception) =>
        exception.GetBaseException()
            is SocketException
            {
                SocketErrorCode: SocketError.ConnectionRefused
                    or SocketError.TimedOut
                    or SocketError.HostUnreachable
                    or SocketError.HostDown
                    or SocketError.NetworkUnreachable
                    or SocketError.NetworkDown
                    or SocketError.TryAgain,
            };

    private static IEnumerable<Exception> Chain(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
            yield return exception;
    }
}
