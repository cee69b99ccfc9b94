using System.Net;

namespace IngestTools.Http;

/// <summary>
/// One thing that is asked of a service, and how. It takes one request, or several. It never changes: how far it is, is in <see
/// cref="RequestContext"/>.
/// </summary>
internal sealed class HttpOperation
{
    private static readonly Func<StallTimeout?, HttpContent?> NoContent = _ => null;

    /// <summary>What is done, in the service's words: "upload", "start bulk ingest".</summary>
    public required string Name { get; init; }

    public required OperationKind Kind { get; init; }

    public required HttpMethod Method { get; init; }

    public required Uri Uri { get; init; }

    public string? Accept { get; init; }

    /// <summary>Makes the body of each request. An upload's body reports its progress to the timeout.</summary>
    public Func<StallTimeout?, HttpContent?> Content { get; init; } = NoContent;

    /// <summary>Answers that are not an error for this operation, beyond 2xx.</summary>
    public Func<HttpStatusCode, bool>? Expects { get; init; }

    /// <summary>Says what an error means at this service.</summary>
    public Func<IngestException, IngestException>? Refine { get; init; }

    /// <summary>Errors after which it is not sent again, beyond those of its kind; null for none.</summary>
    public Func<ErrorId, bool>? IsFinal { get; init; }

    /// <summary>The item it is about, for the error.</summary>
    public object? Target { get; init; }

    /// <summary>An upload has no limit of time, only of time without progress, which its body keeps.</summary>
    public bool IsUpload { get; init; }

    /// <summary>Whether the body is held back until the server says that it will take it.</summary>
    public bool ExpectContinue { get; init; }

    /// <summary>The credentials of a sign-in, which the request carries in place of the connection's; null for none of its own.</summary>
    public RequestCredentials? RequestCredentials { get; init; }

    /// <summary>Whether the request carries the connection's credentials.</summary>
    public bool SignsIn { get; init; } = true;

    /// <summary>Whether its answer brings credentials, which are taken as they are.</summary>
    public bool BringsCredentials { get; init; }

    /// <summary>Whether its answer brings keys that are handed back to the server, with whatever characters they have.</summary>
    public bool BringsKeys { get; init; }

    /// <summary>
    /// Its slot among other requests. It is given up during a pause before the request is sent again. Null where it needs none.
    /// </summary>
    public IRequestSlot? Slot { get; init; }

    /// <summary>What is done with each text of its answer.</summary>
    public Func<string, string> CleanerOf(ServerText text) =>
        BringsCredentials ? static text => text
        : BringsKeys ? text.Key
        : text.Value;

    public bool IsAnswer(HttpStatusCode status) => (int)status is >= 200 and < 300 || Expects?.Invoke(status) == true;
}
