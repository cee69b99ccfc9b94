namespace IngestTools.Services.LakeFs;

/// <summary>What is known of an import from one look to the next, beside what the server tells.</summary>
internal sealed record ImportWatch
{
    /// <summary>The message of its commit; null where the import was not started here.</summary>
    public string? CommitMessage { get; init; }

    /// <summary>
    /// The branch's last commit before the import was started; null where that is not known, or the import commits elsewhere.
    /// </summary>
    public string? HeadBefore { get; init; }

    /// <summary>When the answer to the start came, by the client's clock of intervals; 0 where the import was not started here.</summary>
    public long AnsweredAt { get; init; }

    /// <summary>When the server first said that it does not know the import; 0 before that. By the client's clock of intervals.</summary>
    public long MissedSince { get; init; }

    /// <summary>
    /// The server's last word on when it last wrote the status. It is compared with the next one, and never with a clock here.
    /// </summary>
    public DateTimeOffset? UpdateTime { get; init; }

    /// <summary>Since when that has not changed, by the client's clock of intervals.</summary>
    public long StandsSince { get; init; }

    /// <summary>Whether the stalled import was reported.</summary>
    public bool IsStallTold { get; init; }

    /// <summary>The count of the look before, and when that was.</summary>
    public long? Objects { get; init; }

    /// <summary>When the look before was, by the client's clock of intervals.</summary>
    public long SeenAt { get; init; }
}
