using System.Globalization;

namespace IngestTools.Reports;

/// <summary>Values as text that is the same on every machine: JSON and CSV are read by programs.</summary>
internal static class ReportText
{
    /// <summary>A time in ISO 8601, with its zone.</summary>
    public static string Of(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fffzzz", CultureInfo.InvariantCulture);
}
