using System.Management.Automation;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>Refuses what looks like a wildcard of PowerShell and is none of a file name pattern: it would match nothing, and nothing would say so.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FileNamePatternAttribute : ValidateEnumeratedArgumentsAttribute
{
    /// <inheritdoc/>
    protected override void ValidateElement(object element)
    {
        if (element is string pattern && pattern.AsSpan().IndexOfAny('[', ']', '`') >= 0)
        {
            throw new ValidationMetadataException(
                $"'{pattern}' has a [, ] or backtick in it, and file name patterns know * and ? only. Give several patterns, or ? where a bracket stands.");
        }
    }
}
