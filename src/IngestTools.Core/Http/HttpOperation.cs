using System.Net;

namespace IngestTools.Http;

/// <summary>One thing that is asked of a service; it may take several requests.</summary>
internal sealed class HttpOperation
{
    private static readonly Func<ProgressWatch?, HttpContent?> NoContent = _ => null;

    /// <summary>What is done, in the service's words: "upload", "start bulk ingest".</summary>
    public required string Name { get; init; }

    public required OperationKind Kind { get; init; }

    public required HttpMethod Method { get; init; }

    public required Uri Uri { get; init; }

    public string? Accept { get; init; }

    /// <summary>Makes the body of each attempt. An upload's body reports its progress to the watch.</summary>
    public Func<ProgressWatch?, HttpContent?> Content { get; init; } = NoContent;

    /// <summary>Answers that are no error for this operation, beyond 2xx.</summary>
    public Func<HttpStatusCode, bool>? Expects { get; init; }

    /// <summary>Says what an error means at this service.</summary>
    public Func<IngestException, IngestException>? Refine { get; init; }

    /// <summary>Errors after which it is not sent again, though it might be; null for none beyond those of its kind.</summary>
    public Func<ErrorId, bool>? IsFinal { get; init; }

    /// <summary>The item it is about, for the error.</summary>
    public object? Target { get; init; }

    /// <summary>An upload has no limit of time, only of time without progress, which its body keeps.</summary>
    public bool IsUpload { get; init; }

    /// <summary>Whether the body is held back until the server says that it will take it.</summary>
    public bool ExpectContinue { get; init; }

    /// <summary>What the request carries in place of the connection's credentials: a sign-in that others take a token for; null for nothing of its own.</summary>
    public RequestCredentials? RequestCredentials { get; init; }

    /// <summary>Whether the request carries the connection's credentials.</summary>
    public bool SignsIn { get; init; } = true;

    /// <summary>Whether its answer brings credentials, which are taken as they are.</summary>
    public bool BringsCredentials { get; init; }

    /// <summary>Whether its answer brings keys that are handed back to the server, with whatever characters they have.</summary>
    public bool BringsKeys { get; init; }

    /// <summary>The door for what the server answers. It is the connection's, from when the operation is sent.</summary>
    public ServerText Text { get; set; } = ServerText.OfNoSecrets;

    /// <summary>Its slot among other requests. It is given up during a pause before the request is sent again. Null where it needs none.</summary>
    public IRequestSlot? Slot { get; init; }

    /// <summary>How often it was sent so far.</summary>
    public int Attempts { get; set; }

    /// <summary>Whether the attempt under way has given its request to the network: before that the server cannot have acted.</summary>
    public bool IsSent { get; set; }

    /// <summary>What becomes of the texts in its answer.</summary>
    public Func<string, string> PassOf() => BringsCredentials ? static text => text : BringsKeys ? Text.Key : Text.Value;

    public bool IsAnswer(HttpStatusCode status) => (int)status is >= 200 and < 300 || Expects?.Invoke(status) == true;
}

/// <summary>A slot among requests whose concurrency is limited.</summary>
internal interface IRequestSlot
{
    /// <summary>Waits for the slot.</summary>
    ValueTask EnterAsync(CancellationToken cancellationToken);

    /// <summary>Gives the slot to others for the time of a pause.</summary>
    /// <param name="isAttempt">Whether what was done in the slot counts as an attempt.</param>
    void Pause(bool isAttempt);
}
