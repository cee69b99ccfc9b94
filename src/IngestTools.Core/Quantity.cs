namespace IngestTools;

/// <summary>A number and what it counts, for messages: "1 file", "2,000 files".</summary>
public static class Quantity
{
    /// <summary>The number and the noun.</summary>
    /// <param name="count">The number.</param>
    /// <param name="noun">The noun for one; its plural ends with s.</param>
    public static string Of(long count, string noun) => $"{count:N0} {noun}{(count == 1 ? "" : "s")}";
}
