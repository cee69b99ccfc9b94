using System.Text.RegularExpressions;

namespace IngestTools.Logging;

/// <summary>Messages that say the same but for their numbers and times, or but for the names of what they are about.</summary>
internal static partial class RepeatedText
{
    /// <summary>A text that is the same for messages that differ only in numbers and times.</summary>
    public static string KeyOf(string message) => Numbers().Replace(message, "0");

    /// <summary>A text without the names of the item that it is about: what remains is the same for all items with this cause.</summary>
    /// <param name="text">The text, in which control characters are escaped.</param>
    /// <param name="names">The names, the longest first: a path ends with the name of its file.</param>
    public static string WithoutNames(string text, params string?[] names) => names.Aggregate(text, WithoutName);

    private static string WithoutName(string text, string? name)
    {
        if (string.IsNullOrEmpty(name))
            return text;
        name = Http.Redaction.EscapeControls(name);
        int found = text.IndexOf(name, StringComparison.Ordinal);
        while (found >= 0)
        {
            int end = found + name.Length;
            // A file named "a" is not every a.
            if (IsEdge(text, found - 1) && IsEdge(text, end))
            {
                text = string.Concat(text.AsSpan(0, found), "…", text.AsSpan(end));
                end = found + 1;
            }

            found = text.IndexOf(name, end, StringComparison.Ordinal);
        }

        return text;
    }

    private static bool IsEdge(string text, int index) => index < 0 || index >= text.Length || !char.IsLetterOrDigit(text[index]);

    /// <remarks>A number within a word or a path, such as file7 or scans/7.tif, is part of a name and stays.</remarks>
    [GeneratedRegex(@"(?<![\w/\\.-])\d(?:[\d.,:T+-]*\d)?Z?(?![\w/\\-]|\.\w)", RegexOptions.CultureInvariant)]
    private static partial Regex Numbers();
}
