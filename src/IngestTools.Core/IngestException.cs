using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace IngestTools;

/// <summary>
/// The one error of this library: what failed, at which service, in the server's own words, and what to do about it.
/// It never holds a secret.
/// </summary>
public sealed class IngestException : Exception
{
    private readonly string? _advice;

    /// <summary>Makes an error.</summary>
    /// <param name="errorId">What went wrong, as one word.</param>
    /// <param name="message">What went wrong, with which item, for a person.</param>
    /// <param name="innerException">The cause, if another exception was.</param>
    public IngestException(ErrorId errorId, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        ErrorId = errorId;
    }

    /// <summary>What went wrong, as one stable word.</summary>
    public ErrorId ErrorId { get; }

    /// <summary>The service that was spoken to; null where the error is local.</summary>
    public IngestService? Service { get; init; }

    /// <summary>What was tried, in the service's words: "upload", "start bulk ingest".</summary>
    public string? Operation { get; init; }

    /// <summary>The HTTP status of the last answer; null where none came.</summary>
    public HttpStatusCode? StatusCode { get; init; }

    /// <summary>What the server said, as it said it, at most 2 KB, control characters escaped.</summary>
    public string? ServerMessage { get; init; }

    /// <summary>The server's own code for the error, where it has one.</summary>
    public string? Code { get; init; }

    /// <summary>The server's id of the request, for a support case.</summary>
    public string? RequestId { get; init; }

    /// <summary>Whether the same thing may work later, unchanged.</summary>
    public bool IsTransient { get; init; }

    /// <summary>What the user can do. Never empty: where nothing more precise is known, it is what helps with errors of this id.</summary>
    [AllowNull]
    public string Advice
    {
        get => string.IsNullOrEmpty(_advice) ? ErrorAdvice.Of(ErrorId) : _advice;
        init => _advice = value;
    }

    /// <summary>The item it happened to: a path, a remote name, a data id; null where there is none.</summary>
    public object? Target { get; init; }

    /// <summary>How often the request was sent; 0 where it was refused before.</summary>
    public int Attempts { get; init; }

    /// <summary>Whether the server may have done what was asked, although it did not say so.</summary>
    internal bool MayHaveActed { get; init; }

    /// <summary>
    /// Whether the server is down: no connection came about, or the request was held back since the server keeps failing.
    /// </summary>
    internal bool IsUnreachable { get; init; }

    /// <summary>How long the server asks to wait before the next try.</summary>
    internal TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// The error as text for a person, as it stands in a table or a CSV file: what happened and what to do, without the places in the code.
    /// Those are in <see cref="Exception.StackTrace"/> of the error and of <see cref="Exception.InnerException"/>.
    /// </summary>
    public override string ToString() => $"{ErrorId}: {Message} {Advice}";

    /// <summary>
    /// The same error to be kept in a result, as what happened to one item: without the places in the code, which would fill a file of
    /// errors. An error that nobody thought of keeps its cause.
    /// </summary>
    internal IngestException ForResult() =>
        ErrorId == ErrorId.InvalidAnswer
            ? Copy(ErrorId, Message, _advice, Target, Attempts)
            : Copy(ErrorId, Message, _advice, Target, Attempts, isOfThisRequest: true, IsTransient, IsBeforeSending, cause: null);

    /// <summary>The same error in other words; what is not given stays.</summary>
    /// <param name="errorId">What went wrong.</param>
    /// <param name="message">The message.</param>
    /// <param name="advice">What the user can do.</param>
    /// <param name="target">The item it happened to.</param>
    public IngestException With(ErrorId? errorId = null, string? message = null, string? advice = null, object? target = null) =>
        Copy(errorId ?? ErrorId, message ?? Message, advice ?? _advice, target ?? Target, Attempts);

    /// <summary>The same error with its number of attempts.</summary>
    internal IngestException After(int attempts) => Copy(ErrorId, Message, _advice, Target, attempts);

    /// <summary>
    /// Whether it came of a request that went before the one that matters, such as a sign-in, and has made its own attempts.
    /// </summary>
    internal bool IsBeforeSending { get; private init; }

    /// <summary>
    /// The same error of a request that went before the one that matters, such as a sign-in: that one was not sent. It is no reason to send
    /// that one again at once; whether all of it may work later stays as it is.
    /// </summary>
    internal IngestException BeforeSending() =>
        Copy(ErrorId, Message, _advice, Target, Attempts, isOfThisRequest: false, IsTransient, isBeforeSending: true, InnerException);

    /// <summary>The same error, where the server surely did not act and trying again is of no use, whatever its status says.</summary>
    internal IngestException ForGood() =>
        Copy(
            ErrorId,
            Message,
            _advice,
            Target,
            Attempts,
            isOfThisRequest: false,
            isTransient: false,
            isBeforeSending: false,
            InnerException
        );

    private IngestException Copy(ErrorId errorId, string message, string? advice, object? target, int attempts) =>
        Copy(errorId, message, advice, target, attempts, isOfThisRequest: true, IsTransient, IsBeforeSending, InnerException);

    private IngestException Copy(
        ErrorId errorId,
        string message,
        string? advice,
        object? target,
        int attempts,
        bool isOfThisRequest,
        bool isTransient,
        bool isBeforeSending,
        Exception? cause
    ) =>
        new(errorId, message, cause)
        {
            Service = Service,
            Operation = Operation,
            StatusCode = StatusCode,
            ServerMessage = ServerMessage,
            Code = Code,
            RequestId = RequestId,
            IsTransient = isTransient,
            IsBeforeSending = isBeforeSending,
            IsUnreachable = isTransient && IsUnreachable,
            Advice = advice,
            Target = target,
            Attempts = attempts,
            MayHaveActed = isOfThisRequest && MayHaveActed,
            RetryAfter = isOfThisRequest ? RetryAfter : null,
        };
}
