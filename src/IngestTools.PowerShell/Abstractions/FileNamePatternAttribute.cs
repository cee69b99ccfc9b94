using System.Management.Automation;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>
/// Refuses what looks like a wildcard of PowerShell and is none of a file name pattern: it would match nothing, and nothing would say so.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FileNamePatternAttribute : ValidateEnumeratedArgumentsAttribute
{
    /// <inheritdoc/>
    protected override void ValidateElement(object element)
    {
        if (element is not string pattern)
            return;
        if (pattern.AsSpan().IndexOfAny('[', ']', '`') >= 0)
        {
            throw new ValidationMetadataException(
                $"'{pattern}' has a [, ] or backtick in it, and file name patterns know * and ? only. Give several patterns, or ? "
                    + $"where a bracket stands."
            );
        }

        if (pattern.AsSpan().IndexOfAny('/', '\\') >= 0)
        {
            throw new ValidationMetadataException(
                $"'{pattern}' has a slash in it, and matches no file: patterns are compared with file names, not with folders. Write "
                    + $"the last part, such as '*.tif', "
                    + "or send the files of the folders that you want: Get-ChildItem ./scans -Recurse -File | Where-Object FullName "
                    + "-NotLike '*/private/*' | Send-IngestFile."
            );
        }

        string[] parts = pattern.Split([',', ';'], StringSplitOptions.TrimEntries);
        if (
            parts.Length > 1
            && Array.TrueForAll(parts, part => part.Contains('.', StringComparison.Ordinal) && part.AsSpan().IndexOfAny('*', '?') >= 0)
        )
            throw new ValidationMetadataException(
                $"'{pattern}' is one pattern, and looks like {parts.Length}. Write them as a list: "
                    + $"{string.Join(", ", parts.Select(part => $"'{part}'"))}."
            );
    }
}
