namespace IngestTools.Sandbox.Faults;

/// <summary>The ways in which the sandbox misbehaves on purpose.</summary>
public enum FaultKind
{
    /// <summary>The request is answered as usual, but <see cref="Fault.Time"/> later.</summary>
    Latency,

    /// <summary>Nothing is done; the answer is <see cref="Fault.Status"/>, with <see cref="Fault.Time"/> as its Retry-After.</summary>
    Status,

    /// <summary>The connection is reset before the body is read.</summary>
    Reset,

    /// <summary>The connection is reset after <see cref="Fault.Bytes"/> of the request's body, or its half.</summary>
    ResetInBody,

    /// <summary>The request is carried out; the connection is reset after <see cref="Fault.Bytes"/> of the answer, or its half.</summary>
    ResetInAnswer,

    /// <summary>The body is read in pieces of <see cref="Fault.Bytes"/> with a pause of <see cref="Fault.Time"/> before each.</summary>
    SlowBody,

    /// <summary>The body is never read and the request is never answered, until the client goes away.</summary>
    Stall,

    /// <summary>
    /// The request is carried out; the answer ends after <see cref="Fault.Bytes"/>, or its half, although its Content-Length says more.
    /// </summary>
    Truncated,

    /// <summary>Nothing is done; the answer is 200 with an HTML page.</summary>
    Html,

    /// <summary>Nothing is done; the answer is 200 without a body.</summary>
    Empty,

    /// <summary>The request is carried out; the connection is reset instead of an answer.</summary>
    LostAnswer,

    /// <summary>Nothing is done; the answer is 302 to another host.</summary>
    Redirect,

    /// <summary>Another client takes what the request needs (for DSP-INGEST: the project's lock) for <see cref="Fault.Time"/>.</summary>
    HoldLock,
}

/// <summary>One rule by which requests to the services go wrong. Control requests never do.</summary>
/// <param name="Kind">What goes wrong.</param>
public sealed record Fault(FaultKind Kind)
{
    /// <summary>The share of the matching requests that go wrong, from 0 to 1.</summary>
    public double Share { get; init; } = 1;

    /// <summary>The maximum number of requests that it affects; null for no limit.</summary>
    public int? First { get; init; }

    /// <summary>Only requests with this method; null for any.</summary>
    public string? Method { get; init; }

    /// <summary>Only requests whose raw path fits: "*" is anything within a segment, "**" anything; null for any.</summary>
    public string? Path { get; init; }

    /// <summary>The status of <see cref="FaultKind.Status"/>, from 400 to 599.</summary>
    public int Status { get; init; }

    /// <summary>How long; what it means depends on the kind.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>How much; what it means depends on the kind.</summary>
    public long? Bytes { get; init; }

    /// <summary>Whether the client gets no complete answer.</summary>
    internal bool BreaksConnection =>
        Kind
            is FaultKind.Reset
                or FaultKind.ResetInBody
                or FaultKind.ResetInAnswer
                or FaultKind.Stall
                or FaultKind.Truncated
                or FaultKind.LostAnswer;

    /// <summary>Reads the form of the command line, for example "503=1%,2s" or "lost=2,POST /projects/*/bulk-ingest".</summary>
    /// <exception cref="FormatException">The text is no fault; the message says what is wrong with it.</exception>
    public static Fault Parse(string text) => FaultText.Parse(text);

    /// <summary>The form of the command line.</summary>
    public override string ToString() => FaultText.Format(this);
}
