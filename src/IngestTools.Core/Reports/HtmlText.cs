using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using IngestTools.Http;

namespace IngestTools.Reports;

/// <summary>Values as text of a page for a person, and text as HTML.</summary>
internal static class HtmlText
{
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>
    /// The one way for a text into a page. Markup in it is shown as text, and so are control characters and marks that turn the direction
    /// of writing.
    /// </summary>
    public static string Escape(string? text) => string.IsNullOrEmpty(text) ? "" : Encoder.Encode(Redaction.EscapeControls(text));

    /// <summary>A count, with its thousands apart.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A count and its noun.</summary>
    public static string Count(long count, string noun) => $"{Count(count)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>A number of bytes, in the largest unit that keeps it at 1 or more.</summary>
    public static string Bytes(double bytes)
    {
        int unit = UnitOf(bytes);
        double value = bytes / Math.Pow(1024, unit);
        string digits =
            unit == 0 || value >= 100 ? "0"
            : value >= 10 ? "0.0"
            : "0.00";
        return $"{value.ToString(digits, CultureInfo.InvariantCulture)} {Units[unit]}";
    }

    /// <summary>Bytes a second.</summary>
    public static string Rate(double bytesPerSecond) => Bytes(bytesPerSecond) + "/s";

    /// <summary>Bytes a second that are round, as on an axis.</summary>
    public static string RoundRate(double bytesPerSecond)
    {
        int unit = UnitOf(bytesPerSecond);
        return $"{Number(bytesPerSecond / Math.Pow(1024, unit))} {Units[unit]}/s";
    }

    /// <summary>The next rate above one that is easy to read on an axis.</summary>
    public static double RoundUp(double bytesPerSecond)
    {
        double scale = Math.Pow(1024, UnitOf(bytesPerSecond));
        double[] steps = [1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400, 600, 800, 1024];
        double value = bytesPerSecond / scale;
        return Array.Find(steps, step => step >= value) is > 0 and var found ? found * scale : bytesPerSecond;
    }

    /// <summary>A time span, to three digits or to the second.</summary>
    public static string Duration(TimeSpan time) =>
        time switch
        {
            { TotalMilliseconds: < 1 } => "< 1 ms",
            { TotalSeconds: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
            { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s"),
            { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
            { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds:00} s"),
            { TotalDays: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Hours} h {time.Minutes:00} min"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{time.Days} d {time.Hours:00} h"),
        };

    /// <summary>A time to the second, with its zone.</summary>
    public static string Moment(DateTimeOffset time) =>
        time.ToString("yyyy-MM-dd HH':'mm':'ss", CultureInfo.InvariantCulture) + " " + Zone(time);

    /// <summary>How far a time's zone is from UTC.</summary>
    public static string Zone(DateTimeOffset time) =>
        time.Offset == TimeSpan.Zero ? "UTC" : time.ToString("zzz", CultureInfo.InvariantCulture);

    /// <summary>A number for an attribute.</summary>
    public static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static int UnitOf(double bytes)
    {
        int unit = 0;
        for (; bytes >= 1024 && unit < Units.Length - 1; unit++)
            bytes /= 1024;
        return unit;
    }
}
