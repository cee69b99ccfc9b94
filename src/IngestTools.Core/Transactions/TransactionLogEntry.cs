using System.Globalization;

namespace IngestTools;

/// <summary>A line of a transaction's log.</summary>
/// <remarks>VOSS Automate, GET /api/tool/Transaction/{pkid}/.</remarks>
/// <param name="Time">When it was written, in UTC; null where the server does not tell.</param>
/// <param name="Severity">How grave it is, in the server's word.</param>
/// <param name="Message">What it says.</param>
public sealed record TransactionLogEntry(DateTimeOffset? Time, string? Severity, string? Message)
{
    /// <summary>The line as it is read: its time in UTC, its severity where it is not "Information", what it says.</summary>
    public override string ToString() =>
        (Time is { } time ? time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z' ", CultureInfo.InvariantCulture) : "")
        + (Severity is null or "Information" ? "" : Severity + ": ")
        + Message;
}
