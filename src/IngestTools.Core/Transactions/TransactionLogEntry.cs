namespace IngestTools;

/// <summary>A line of a transaction's log.</summary>
/// <remarks>VOSS Automate, GET /api/tool/Transaction/{pkid}/.</remarks>
/// <param name="Time">When it was written, in UTC; null where the server does not tell.</param>
/// <param name="Severity">How grave it is, in the server's word.</param>
/// <param name="Message">What it says.</param>
public sealed record TransactionLogEntry(DateTimeOffset? Time, string? Severity, string? Message);
