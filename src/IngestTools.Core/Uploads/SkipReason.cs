namespace IngestTools;

/// <summary>Why a file was not sent, although nothing is wrong with it.</summary>
public enum SkipReason
{
    /// <summary>It was sent before, and has not changed since. It was not ingested yet, as far as is known.</summary>
    AlreadySent,

    /// <summary>It was sent and ingested before, and has not changed since.</summary>
    AlreadyIngested,

    /// <summary>It was given more than once in this call.</summary>
    GivenTwice,

    /// <summary>The server takes the file and never uses it.</summary>
    NotUsed,

    /// <summary>It is a link to a folder. Links are not followed.</summary>
    LinkToFolder,

    /// <summary>It is a link that leads to no file.</summary>
    DeadLink,
}
