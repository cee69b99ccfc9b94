using System.Management.Automation;
using IngestTools.PowerShell.Errors;
using DriveNotFoundException = System.Management.Automation.DriveNotFoundException;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A file that one thing is written to; a second would overwrite the first.</summary>
internal sealed class OutputFile
{
    private readonly string _path;
    private string? _content;

    private OutputFile(string path) => _path = path;

    /// <summary>The file that a path of PowerShell means; null where there is no path. The cmdlet ends where it is none of the file system.</summary>
    internal static OutputFile? Resolve(PSCmdlet cmdlet, string? path)
    {
        if (path is null)
            return null;
        try
        {
            return new OutputFile(FullPathOf(cmdlet, path));
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
                shortcode);
        }

        _content = shortcode;
        return _path;
    }

    private static string FullPathOf(PSCmdlet cmdlet, string path)
    {
        const string Advice = "Give a path of the file system.";
        try
        {
            string full = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
            return provider.Name == "FileSystem" ? full : throw IngestErrors.Create(
                ErrorId.FileUnreadable, $"'{path}' is in the provider {provider.Name}, and only files can be written.", Advice, path);
        }
        catch (Exception e) when (e is ItemNotFoundException or DriveNotFoundException or ProviderNotFoundException)
        {
            throw new IngestException(ErrorId.FileNotFound, $"'{path}' cannot be written: {e.Message}", e) { Advice = Advice, Target = path };
        }
    }
}
