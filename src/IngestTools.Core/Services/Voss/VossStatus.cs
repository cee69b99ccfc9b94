using System.Globalization;
using System.Text.RegularExpressions;

namespace IngestTools.Services.Voss;

/// <summary>What VOSS Automate's words for a status mean.</summary>
/// <remarks>
/// Queued, Processing (the portal says In Progress), Success, Fail, "Success With Async Failures"; an old example says Completed.
/// </remarks>
internal static partial class VossStatus
{
    private const string CanceledMessage = "Transaction cancel";

    /// <summary>What a word means by itself; null where nobody knows it.</summary>
    public static TransactionStatus? Of(string? word) =>
        word?.Trim().ToUpperInvariant() switch
        {
            "QUEUED" or "SUBMITTED" => TransactionStatus.Queued,
            "PROCESSING" or "IN PROGRESS" or "RUNNING" => TransactionStatus.Running,
            "SUCCESS" or "COMPLETED" => TransactionStatus.Succeeded,
            "FAIL" or "FAILED" => TransactionStatus.Failed,
            "CANCELED" or "CANCELLED" => TransactionStatus.Canceled,
            { } success when success.StartsWith("SUCCESS WITH", StringComparison.Ordinal) => TransactionStatus.PartlySucceeded,
            _ => null,
        };

    /// <summary>
    /// What it means for a load. A load whose rows failed in part can end with either word, so the count of its rows decides; one that was
    /// canceled has no word of its own.
    /// </summary>
    public static TransactionStatus OfLoad(TransactionStatus status, string? message, RowCount? rows)
    {
        bool hasEnded = status is TransactionStatus.Succeeded or TransactionStatus.Failed or TransactionStatus.PartlySucceeded;
        if (!hasEnded)
            return status;
        if (status == TransactionStatus.Failed && IsCanceled(message))
            return TransactionStatus.Canceled;
        return rows switch
        {
            { Succeeded: 0, Total: > 0 } => TransactionStatus.Failed,
            { } some when some.Succeeded < some.Total => TransactionStatus.PartlySucceeded,
            _ => status,
        };
    }

    /// <summary>Whether a message says that the end was asked for.</summary>
    public static bool IsCanceled(string? message) => message?.StartsWith(CanceledMessage, StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>
    /// How many rows a load's detail says succeeded: "[ 8/9 ] succeeded from [ 1 ] sheet in book.xlsx"; null where it does not say.
    /// </summary>
    public static RowCount? RowsOf(string? detail)
    {
        Match match = Rows().Match(detail ?? "");
        return
            match.Success
            && long.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out long succeeded)
            && long.TryParse(match.Groups[2].Value, NumberStyles.None, CultureInfo.InvariantCulture, out long total)
            ? new RowCount(succeeded, total)
            : null;
    }

    [GeneratedRegex(
        @"\[ *([0-9]+) */ *([0-9]+) *\] *succeeded",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex Rows();
}

/// <summary>How many rows succeeded, of how many.</summary>
/// <param name="Succeeded">Rows that were loaded.</param>
/// <param name="Total">Rows in all.</param>
internal readonly record struct RowCount(long Succeeded, long Total);
