using System.Management.Automation;
using IngestTools.Uploads;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>
/// Refuses what looks like a wildcard of PowerShell and is none of a file name pattern: it would match nothing, and nothing would say so.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FileNamePatternAttribute : ValidateEnumeratedArgumentsAttribute
{
    /// <summary>What else can be done where a pattern names a folder.</summary>
    public string FolderAdvice { get; init; } = "";

    /// <inheritdoc/>
    protected override void ValidateElement(object element)
    {
        if (element is string pattern && FileNamePattern.FindProblem(pattern) is { } problem)
            throw new ValidationMetadataException(
                FileNamePattern.HasFolder(pattern) && FolderAdvice.Length > 0 ? $"{problem} {FolderAdvice}" : problem
            );
    }
}
