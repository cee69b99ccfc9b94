namespace IngestTools.Http;

/// <summary>
/// What may be done with an operation whose answer is missing or says that the server failed. It depends on the operation, not on the HTTP
/// verb.
/// </summary>
public enum OperationKind
{
    /// <summary>It reads. It can be sent again at any time.</summary>
    Safe,

    /// <summary>It changes something, and twice has the effect of once.</summary>
    Repeatable,

    /// <summary>
    /// Twice is not once. It is sent again only where the server cannot have seen it (no connection came about)
    /// or said that it did not act (429; 503 with Retry-After).
    /// </summary>
    Once,
}
