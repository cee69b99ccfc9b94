using System.ComponentModel;
using System.Globalization;

namespace IngestTools.PowerShell.Formatting;

/// <summary>How values are shown in tables and progress bars.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class Display
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>A number of bytes, in the largest unit that keeps it at 1 or more.</summary>
    public static string Bytes(double bytes)
    {
        int unit = 0;
        while (bytes >= 1024 && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return bytes.ToString(unit == 0 ? "0" : "0.0", CultureInfo.CurrentCulture) + " " + Units[unit];
    }

    /// <summary>Bytes a second; nothing where there were none.</summary>
    public static string Rate(double bytesPerSecond) => bytesPerSecond > 0 ? Bytes(bytesPerSecond) + "/s" : "";

    /// <summary>A time span, to the second; below ten, to the hundredth.</summary>
    public static string Time(TimeSpan? time) => time switch
    {
        null => "",
        { TotalSeconds: < 10 } brief => brief.TotalSeconds.ToString("0.00", CultureInfo.CurrentCulture) + " s",
        { TotalDays: < 1 } => time.Value.ToString(@"hh\:mm\:ss", CultureInfo.InvariantCulture),
        _ => time.Value.ToString(@"d\.hh\:mm\:ss", CultureInfo.InvariantCulture),
    };

    /// <summary>A transaction's id in a narrow column. Of a long one the end tells it from others: two batches of a project begin alike.</summary>
    public static string Id(string? id)
    {
        const int Width = 22;
        const int Start = 8;
        return id is not { Length: > Width } ? id ?? "" : $"{id[..Start]}…{id[^(Width - Start - 1)..]}";
    }

    /// <summary>How far a transaction has come: "12 of 100 files".</summary>
    public static string Progress(Transaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        return (transaction.Completed, transaction.Total) switch
        {
            (null, null) => "",
            ({ } completed, null) => $"{completed:N0} {transaction.Unit}",
            var (completed, total) => $"{completed ?? 0:N0} of {total:N0} {transaction.Unit}",
        };
    }

    /// <summary>A number, with its thousands apart.</summary>
    public static string Number(long number) => number.ToString("N0", CultureInfo.CurrentCulture);

    /// <summary>The beginning of an id that is too long for a column.</summary>
    public static string BeginningOf(string? id)
    {
        const int Length = 12;
        return id is { Length: > Length } ? id[..Length] + "…" : id ?? "";
    }

    /// <summary>Yes, no, or that it is not known.</summary>
    public static string YesNo(bool? value) => value switch
    {
        true => "yes",
        false => "no",
        null => "?",
    };
}
