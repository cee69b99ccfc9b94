namespace IngestTools.Logging;

/// <summary>The weight of a logged message.</summary>
public enum LogSeverity
{
    /// <summary>For somebody who looks for an error in this library or the server.</summary>
    Debug,

    /// <summary>What is done.</summary>
    Information,

    /// <summary>What a user should know, and nothing failed.</summary>
    Warning,

    /// <summary>Something failed.</summary>
    Error,
}
