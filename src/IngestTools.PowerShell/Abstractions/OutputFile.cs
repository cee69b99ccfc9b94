using System.Management.Automation;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A file that one thing is written to; a second would overwrite the first.</summary>
internal sealed class OutputFile
{
    private readonly string _path;
    private string? _content;

    private OutputFile(string path) => _path = path;

    /// <summary>
    /// The file that a path of PowerShell means; null where there is no path. The cmdlet ends where it is none of the file system.
    /// </summary>
    internal static OutputFile? Resolve(PSCmdlet cmdlet, string? path)
    {
        if (path is null)
            return null;
        try
        {
            return new OutputFile(PathResolver.Resolve(cmdlet, path));
        }
        catch (IngestException e)
        {
            cmdlet.ThrowTerminatingError(e.ToErrorRecord(path));
            throw;
        }
    }

    /// <summary>The file's full path, for the one project whose mapping goes there.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NameInUse"/>: another project's mapping is there.</exception>
    internal string TakeFor(string shortcode)
    {
        if (_content is not null && !string.Equals(_content, shortcode, StringComparison.OrdinalIgnoreCase))
        {
            throw IngestErrors.Create(
                ErrorId.NameInUse,
                $"The mapping of project {_content} was written to '{_path}'; that of project {shortcode} would overwrite it.",
                "Do this for one project at a time, each with a file of its own.",
                shortcode
            );
        }

        _content = shortcode;
        return _path;
    }
}
