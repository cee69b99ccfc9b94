using System.Text.RegularExpressions;

namespace IngestTools.Logging;

/// <summary>Messages that say the same but for their numbers and times.</summary>
internal static partial class RepeatedText
{
    /// <summary>A text that is the same for messages that differ only in numbers and times.</summary>
    public static string KeyOf(string message) => Numbers().Replace(message, "0");

    /// <remarks>A number within a word or a path, such as file7 or scans/7.tif, is part of a name and stays.</remarks>
    [GeneratedRegex(@"(?<![\w/\\.-])\d(?:[\d.,:T+-]*\d)?Z?(?![\w/\\-]|\.\w)", RegexOptions.CultureInvariant)]
    private static partial Regex Numbers();
}
