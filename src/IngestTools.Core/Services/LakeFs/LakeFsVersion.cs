using System.Text.RegularExpressions;

namespace IngestTools.Services.LakeFs;

/// <summary>A server's version, and what follows from it. One that cannot be read ("dev-1a2b3c") is taken for a new one.</summary>
/// <param name="Text">As the server says it; null where it does not.</param>
internal sealed partial record LakeFsVersion(string? Text)
{
    private static readonly Version FirstReleased = new(0, 101, 0);

    private static readonly Version FirstReplacing = new(0, 105, 0);

    private static readonly Version FirstWithRanges = new(0, 65, 0);

    private static readonly Version FirstWithoutRanges = new(0, 111, 0);

    private Version? Number { get; } = Parse(Text);

    /// <summary>Whether imports are spoken of as in v0.101.0 and later.</summary>
    public bool IsReleased => Number is null || Number >= FirstReleased;

    /// <summary>Whether an import deletes what is under its destination.</summary>
    public bool Replaces => Number is null || Number >= FirstReplacing;

    /// <summary>Whether ranges can be made; null where that cannot be known.</summary>
    public bool? HasRanges => Number is null ? null : Number >= FirstWithRanges && Number < FirstWithoutRanges;

    public override string ToString() => Text ?? "an unknown version";

    private static Version? Parse(string? text) =>
        text is not null
        && Start().Match(text) is { Success: true } match
        && Version.TryParse(match.Groups["number"].Value, out Version? number)
            ? new Version(number.Major, number.Minor, Math.Max(number.Build, 0))
            : null;

    [GeneratedRegex(
        @"^\s*[vV]?(?<number>[0-9]+\.[0-9]+(\.[0-9]+)?)(?![0-9.])",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture
    )]
    private static partial Regex Start();
}
