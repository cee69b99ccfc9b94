using System.Management.Automation;
using IngestTools.PowerShell.Errors;
using DriveNotFoundException = System.Management.Automation.DriveNotFoundException;

namespace IngestTools.PowerShell.Scheduler;

/// <summary>Full paths: the daemon has another current folder, and no drives of PowerShell.</summary>
internal static class LocalPath
{
    /// <summary>The full path of a file or folder that need not exist.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.FileNotFound"/>: the path is not one of the file system.</exception>
    internal static string Resolve(PSCmdlet cmdlet, string path)
    {
        try
        {
            string full = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
            return provider.Name == "FileSystem" ? full : throw IngestErrors.Create(
                ErrorId.FileNotFound, $"'{path}' is in the provider {provider.Name}, and the scheduler knows files only.", "Give a path of the file system.", path);
        }
        catch (Exception e) when (e is ItemNotFoundException or DriveNotFoundException or ProviderNotFoundException)
        {
            throw new IngestException(ErrorId.FileNotFound, $"'{path}' is not a path: {e.Message}", e) { Advice = "Give a path of the file system.", Target = path };
        }
    }
}
