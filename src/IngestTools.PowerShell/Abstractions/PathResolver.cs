using System.Management.Automation;
using IngestTools.PowerShell.Errors;
using DriveNotFoundException = System.Management.Automation.DriveNotFoundException;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>Turns paths of PowerShell, which know drives and the session's location, into full paths of the file system.</summary>
internal static class PathResolver
{
    private const string FileSystem = "FileSystem";

    /// <summary>The full path of a file or folder that need not exist.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.FileNotFound"/>: the path does not lead to the file system.</exception>
    internal static string Resolve(PSCmdlet cmdlet, string path)
    {
        try
        {
            string full = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
            return IsFileSystem(provider) ? full : throw NotInFileSystem(path, provider);
        }
        catch (Exception e) when (IsNotFound(e))
        {
            throw NoSuchDrive(path, e);
        }
    }

    /// <summary>The full path of a parameter's file; null where it was not given.</summary>
    internal static string? ResolveOptional(PSCmdlet cmdlet, string? path) => path is null ? null : Resolve(cmdlet, path);

    /// <summary>
    /// A reference to where a text is kept, a file by its full path: it is read later, from another place. Anything else stays as it is.
    /// </summary>
    internal static string? ResolveReference(PSCmdlet cmdlet, string? reference)
    {
        const string file = "file:";
        return reference?.Length > file.Length && reference.StartsWith(file, StringComparison.OrdinalIgnoreCase)
            ? file + Resolve(cmdlet, reference[file.Length..])
            : reference;
    }

    /// <summary>Whether PowerShell says that a path does not exist.</summary>
    internal static bool IsNotFound(Exception exception) =>
        exception is ItemNotFoundException or DriveNotFoundException or ProviderNotFoundException;

    internal static bool IsFileSystem(ProviderInfo provider) => provider.Name == FileSystem;

    private static IngestException NoSuchDrive(string path, Exception cause) =>
        new(ErrorId.FileNotFound, $"'{path}' is not a path of the file system. {cause.Message}", cause)
        {
            Advice = "Give a path of the file system.",
            Target = path,
        };

    internal static IngestException NotInFileSystem(string path, ProviderInfo provider) =>
        IngestErrors.Create(
            ErrorId.FileNotFound,
            $"'{path}' is a path of the provider {provider.Name}, which has no files.",
            "Give a path of the file system.",
            path
        );
}
