namespace IngestTools;

/// <summary>Where a transaction stands, in words that mean the same for every service.</summary>
public enum TransactionStatus
{
    /// <summary>Taken by the server, and not begun.</summary>
    Queued,

    /// <summary>Under way, or in a state whose name is not known.</summary>
    Running,

    /// <summary>Ended, with all its items.</summary>
    Succeeded,

    /// <summary>Ended, with some of its items failed.</summary>
    PartlySucceeded,

    /// <summary>Ended without success.</summary>
    Failed,

    /// <summary>Stopped on request.</summary>
    Canceled,

    /// <summary>The server no longer knows it, or never reported it.</summary>
    Unknown,
}
