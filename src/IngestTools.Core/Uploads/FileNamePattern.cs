namespace IngestTools.Uploads;

/// <summary>Patterns of file names: * and ? stand for any characters and any one character.</summary>
public static class FileNamePattern
{
    /// <summary>Why a pattern matches no file, and what to write instead; null where it can match one.</summary>
    /// <param name="pattern">The pattern.</param>
    public static string? FindProblem(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        if (pattern.AsSpan().IndexOfAny('[', ']', '`') >= 0)
            return $"'{pattern}' has a [, ] or backtick in it, and file name patterns know * and ? only. Give several patterns, or ? "
                + "where a bracket stands.";
        if (HasFolder(pattern))
            return $"'{pattern}' has a slash in it, and matches no file: patterns are compared with file names, not with folders. Write "
                + "the last part, such as '*.tif'.";
        string[] parts = pattern.Split([',', ';'], StringSplitOptions.TrimEntries);
        return
            parts.Length > 1
            && Array.TrueForAll(parts, part => part.Contains('.', StringComparison.Ordinal) && part.AsSpan().IndexOfAny('*', '?') >= 0)
            ? $"'{pattern}' is one pattern, and looks like {parts.Length}. Write them as a list: "
                + $"{string.Join(", ", parts.Select(part => $"'{part}'"))}."
            : null;
    }

    /// <summary>Whether a pattern names a folder, which is not compared.</summary>
    /// <param name="pattern">The pattern.</param>
    public static bool HasFolder(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        return pattern.AsSpan().IndexOfAny('/', '\\') >= 0;
    }
}
