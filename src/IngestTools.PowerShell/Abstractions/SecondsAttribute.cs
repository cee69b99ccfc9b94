using System.Globalization;
using System.Management.Automation;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>
/// Takes a bare number for a time span as seconds. PowerShell would take <c>30</c> as 30 ticks of 100 ns, and <c>'30'</c> as 30 days.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SecondsAttribute : ArgumentTransformationAttribute
{
    /// <summary>Whether no time at all is a time to wait.</summary>
    public bool AllowsZero { get; init; }

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        object? input = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        object? time = ReadSeconds(input) is { } seconds ? TimeSpan.FromSeconds(seconds) : input;
        if (LanguagePrimitives.TryConvertTo(time, out TimeSpan span) && (span < TimeSpan.Zero || (span == TimeSpan.Zero && !AllowsZero)))
            throw new ArgumentTransformationMetadataException(
                $"'{inputData}' is not a duration: give seconds, or a time span such as 00:30:00."
            );
        return time;
    }

    private static double? ReadSeconds(object? input) =>
        input switch
        {
            string text => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
                ? seconds
                : null,
            byte or short or int or long or float or double or decimal => Convert.ToDouble(input, CultureInfo.InvariantCulture),
            _ => null,
        };
}
