using System.Collections.ObjectModel;
using System.ComponentModel;
using System.Management.Automation;
using System.Text.RegularExpressions;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A cmdlet that takes files and folders, by paths with wildcards or by paths to be taken literally.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract partial class PathCmdlet : IngestCmdlet
{
    private protected const string PathSet = "Path";
    private protected const string LiteralPathSet = "LiteralPath";

    /// <summary>How the provider's paths begin in what Get-ChildItem gives: what follows is the file's full path.</summary>
    private const string FileSystemPrefix = @"Microsoft.PowerShell.Core\FileSystem::";

    /// <summary>What a wildcard finds in PowerShell.</summary>
    private static readonly EnumerationOptions NotHidden = new() { AttributesToSkip = FileAttributes.Hidden, IgnoreInaccessible = false };

    /// <summary>Files or folders; wildcards are taken.</summary>
    [Parameter(
        Mandatory = true,
        Position = 0,
        ValueFromPipeline = true,
        ValueFromPipelineByPropertyName = true,
        ParameterSetName = PathSet
    )]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [NameText]
    public string[] Path { get; set; } = [];

    /// <summary>Files or folders whose names are taken as they are. What Get-ChildItem gives binds here.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The paths that the input object of this moment means, or for each that cannot be a file why not.</summary>
    private protected IEnumerable<ResolvedPath> ResolvePaths() =>
        ParameterSetName == LiteralPathSet ? LiteralPath.Select(ResolveLiteral) : Path.SelectMany(ResolveWildcards);

    /// <summary>The full path of a file that need not exist.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.FileNotFound"/>: the path is not one of the file system.</exception>
    private protected string ResolveFile(string path)
    {
        if (IsFullPath(path, out string? full))
            return full;
        return PathResolver.Resolve(this, path);
    }

    private ResolvedPath ResolveLiteral(string path)
    {
        try
        {
            return new ResolvedPath(ResolveFile(path));
        }
        catch (IngestException e)
        {
            return new ResolvedPath(path, e);
        }
    }

    /// <summary>A path without wildcards is taken as it is: whether there is such a file is for the one who opens it to say.</summary>
    private IEnumerable<ResolvedPath> ResolveWildcards(string path) =>
        !WildcardPattern.ContainsWildcardCharacters(path) ? [ResolveLiteral(path)]
        : FolderAndPattern().Match(path) is { Success: true } split ? ListFolder(path, split.Groups[1].Value, split.Groups[2].Value)
        : Expand(path);

    /// <summary>A folder that is named as it is, and a pattern of what is in it.</summary>
    [GeneratedRegex(@"^([^*?\[\]`]*[/\\])([^/\\]+)$", RegexOptions.CultureInvariant)]
    private static partial Regex FolderAndPattern();

    /// <summary>What Expand would find in one folder, but as it is found: there may be millions.</summary>
    private IEnumerable<ResolvedPath> ListFolder(string path, string folder, string pattern)
    {
        ResolvedPath root = ResolveLiteral(folder);
        if (root.Error is { } error)
        {
            yield return new ResolvedPath(path, error.With(target: path));
            yield break;
        }

        WildcardPattern names = WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase);
        bool isEmpty = true;
        using IEnumerator<string> entries = Enumerable
            .Repeat(root.Path, 1)
            .SelectMany(f => Directory.EnumerateFileSystemEntries(f, "*", NotHidden))
            .GetEnumerator();
        while (Next(entries, path) is { } found)
        {
            if (found.Error is null && !names.IsMatch(System.IO.Path.GetFileName(found.Path)))
                continue;
            isEmpty = false;
            yield return found;
        }

        if (isEmpty)
            WarnOfNone(path);
    }

    /// <summary>The next entry, null at the end. A folder that cannot be read, or no longer, ends with an error.</summary>
    private static ResolvedPath? Next(IEnumerator<string> entries, string path)
    {
        try
        {
            return entries.MoveNext() ? new ResolvedPath(entries.Current) : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new ResolvedPath(path, NotFound(path, e));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ResolvedPath(path, Unreadable(path, e));
        }
    }

    private void WarnOfNone(string path) => WriteWarning($"No file matches '{path}'.");

    private IReadOnlyList<ResolvedPath> Expand(string path)
    {
        try
        {
            Collection<string> found = SessionState.Path.GetResolvedProviderPathFromPSPath(path, out ProviderInfo provider);
            if (!PathResolver.IsFileSystem(provider))
                throw PathResolver.NotInFileSystem(path, provider);
            if (found.Count == 0)
                WarnOfNone(path);
            return [.. found.Select(p => new ResolvedPath(p))];
        }
        catch (Exception e) when (PathResolver.IsNotFound(e))
        {
            return [new ResolvedPath(path, NotFound(path, e))];
        }
        catch (IngestException e)
        {
            return [new ResolvedPath(path, e)];
        }
    }

    /// <summary>Spares PowerShell's resolution, which costs more than sending a small file, where it would change nothing.</summary>
    private static bool IsFullPath(string path, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? full)
    {
        full = path.StartsWith(FileSystemPrefix, StringComparison.OrdinalIgnoreCase) ? path[FileSystemPrefix.Length..] : null;
        return full is not null && System.IO.Path.IsPathFullyQualified(full);
    }

    private static IngestException NotFound(string path, Exception cause) =>
        new(ErrorId.FileNotFound, $"There is no file or folder '{path}'.", cause)
        {
            Advice = "Look for the path with Get-Item. Use -LiteralPath for a name that has [ or ] in it.",
            Target = path,
        };

    private static IngestException Unreadable(string path, Exception cause) =>
        new(ErrorId.FileUnreadable, $"'{path}' cannot be read: {cause.Message}", cause)
        {
            Advice = "Give this account the right to read the folder, then try again.",
            Target = path,
        };

    /// <summary>A full path, or a path as it was given and why it leads to no file.</summary>
    private protected readonly record struct ResolvedPath(string Path, IngestException? Error = null);
}
