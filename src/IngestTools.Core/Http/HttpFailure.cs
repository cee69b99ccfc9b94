using System.Net;

namespace IngestTools.Http;

/// <summary>Turns an answer, or a missing answer, into the one error type.</summary>
internal static class HttpFailure
{
    /// <summary>A server's request to wait for longer than this is not followed to the letter.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);

    /// <summary>No address that helps a person is longer.</summary>
    private const int MaxAddressLength = 500;

    public const string ClientCertificateAdvice =
        "IngestTools sends no client certificate. Ask the service's administrator for an address that takes credentials alone, "
        + "or give with -Proxy a proxy that holds the certificate.";

    private const string HttpVersionAdvice =
        "IngestTools uses HTTP/1.1, and the server takes HTTP/2 only. Ask its administrator to permit HTTP/1.1.";

    public const string ProxyCredentialAdvice =
        "Give the proxy's user name and password with -ProxyCredential, beside -Proxy. Or use -NoProxy.";

    private static readonly string[] RequestIdHeaders = ["X-Request-Id", "X-Correlation-Id", "X-Amzn-RequestId", "X-Amz-Request-Id"];

    /// <summary>The error that an answer means. Reads the body's beginning.</summary>
    public static async ValueTask<IngestException> FromAnswerAsync(
        IngestService service,
        HttpOperation operation,
        HttpResponseMessage response,
        ServerText text,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        ServerMessage said = await AnswerBody.ReadMessageAsync(response, text, cancellationToken).ConfigureAwait(false);
        int status = (int)response.StatusCode;
        TimeSpan? retryAfter = RetryAfterOf(response, time);
        bool saidItDidNotAct = status is 420 or 429 || (status == 503 && retryAfter is not null);
        (ErrorId errorId, string? advice) = Meaning(status);
        advice = AdviceOfWords(status, said.Text) ?? advice;
        string words = said.Text is null ? "" : $": {said.Text}";
        string where = status is >= 300 and < 400 ? $" It redirects to {Shorten(Redaction.Of(response.Headers.Location))}." : "";
        string answered = $"{service} answered {status} {Name(response)} to '{operation.Name}'";
        IngestException error = new(errorId, $"{answered}{words.TrimEnd('.')}.{where}")
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
        IngestService service,
        HttpOperation operation,
        Exception exception,
        ServerText? text = null
    ) => new TransportFailure(service, operation, exception, text ?? ServerText.OfNoSecrets).ToError();

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
        Exception? cause = null
    )
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

    private static (ErrorId ErrorId, string? Advice) Meaning(int status) =>
        status switch
        {
            >= 300 and < 400 => (
                ErrorId.Redirected,
                "Redirects are not followed, since one can lose an upload. Connect with the address it names, if you trust it."
            ),
            401 => (ErrorId.NotSignedIn, "Check the credentials, and whether they have expired; then use Connect-IngestService again."),
            403 => (ErrorId.NotAllowed, "The credentials are good, and not enough. Ask for the right, then sign in again."),
            404 or 410 => (ErrorId.NotFound, null),
            407 => (ErrorId.NotAllowed, ProxyCredentialAdvice),
            // AWS' load balancer has 464 for a protocol that its target does not take, and the standard 505 for a version.
            426 or 464 or 505 => (ErrorId.Rejected, HttpVersionAdvice),
            // nginx: plain HTTP at a TLS port, and a client certificate that was not sent or not accepted.
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
    private static string? AdviceOfWords(int status, string? words) =>
        (status, words) switch
        {
            (400, { } said)
                when said.Contains("plain HTTP request was sent to HTTPS port", StringComparison.OrdinalIgnoreCase)
                    || said.Contains("HTTP request to an HTTPS server", StringComparison.OrdinalIgnoreCase) =>
                "The port takes https: write https:// in -Uri.",
            (400, { } said) when said.Contains("HTTP/2 only", StringComparison.OrdinalIgnoreCase) => HttpVersionAdvice,
            (400, { } said) when said.Contains("No required SSL certificate was sent", StringComparison.OrdinalIgnoreCase) =>
                ClientCertificateAdvice,
            _ => null,
        };

    private static string Name(HttpResponseMessage response) =>
        string.IsNullOrEmpty(response.ReasonPhrase) ? response.StatusCode.ToString() : response.ReasonPhrase;

    private static string Shorten(string address) =>
        address.Length > MaxAddressLength ? string.Concat(address.AsSpan(0, MaxAddressLength), "…") : address;

    private static TimeSpan? RetryAfterOf(HttpResponseMessage response, TimeProvider time)
    {
        if (response.Headers.RetryAfter is not { } header)
            return null;
        TimeSpan wait = header.Delta ?? (header.Date is { } date ? date - time.GetUtcNow() : TimeSpan.Zero);
        return wait < TimeSpan.Zero ? TimeSpan.Zero
            : wait > LongestRetryAfter ? LongestRetryAfter
            : wait;
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
}
