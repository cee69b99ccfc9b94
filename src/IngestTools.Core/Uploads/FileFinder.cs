using System.IO.Enumeration;
using System.Runtime.InteropServices;
using System.Text;
using IngestTools.Connections;
using Microsoft.Win32.SafeHandles;

namespace IngestTools.Uploads;

/// <summary>A file that was found, or why one could not be.</summary>
/// <param name="Path">The full path.</param>
/// <param name="Root">The folder that was given and in which it was found; null for a file that was given itself.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Error">Why it cannot be sent, or is left out; null where it is sent.</param>
/// <param name="LastWriteTime">When it was last written, in UTC.</param>
/// <param name="LeftOut">Why it is left out on purpose; null where it is not.</param>
internal readonly record struct FoundFile(
    string Path,
    string? Root,
    long Length,
    DateTime LastWriteTime,
    IngestException? Error = null,
    SkipReason? LeftOut = null
)
{
    public static FoundFile Failed(string path, string? root, IngestException error, SkipReason? leftOut = null) =>
        new(path, root, 0, default, error, leftOut);
}

/// <summary>Finds files one by one: nothing is collected, however large a tree is.</summary>
internal sealed class FileFinder(UploadOptions options)
{
    private static readonly EnumerationOptions EverythingHere = new()
    {
        RecurseSubdirectories = false,
        IgnoreInaccessible = false,
        AttributesToSkip = 0,
        ReturnSpecialDirectories = false,
    };

    /// <summary>The file, or the files of the folder.</summary>
    public IEnumerable<FoundFile> Find(string path)
    {
        path = Path.GetFullPath(path);
        if (Directory.Exists(path))
            return FindInFolder(path);
        FileInfo file = new(path);
        bool isLink = file.LinkTarget is not null;
        if (!file.Exists && !isLink)
            return [FoundFile.Failed(path, null, LocalFileErrors.NotFound(path))];
        if (!IsWanted(file.Name))
        {
            Unwanted++;
            return [];
        }

        LinkedFile target = isLink ? TargetOf(path) : new LinkedFile(file.Length, file.LastWriteTimeUtc);
        return
        [
            target.IsDead
                ? FoundFile.Failed(path, null, LocalFileErrors.DeadLink(path))
                : Look(path, null, target.Length, target.LastWriteTime),
        ];
    }

    private IEnumerable<FoundFile> FindInFolder(string root)
    {
        Stack<string> folders = new([root]);
        while (folders.TryPop(out string? folder))
        {
            using FolderReader reader = new(folder);
            while (reader.MoveNext())
            {
                Entry entry = reader.Current;
                if (entry.IsFolder && entry.IsLink && options.Recurse)
                    yield return FoundFile.Failed(entry.Path, root, LocalFileErrors.LinkToFolder(entry.Path), SkipReason.LinkToFolder);
                else if (entry.IsFolder && options.Recurse)
                    folders.Push(entry.Path);
                else if (!entry.IsFolder && !IsWanted(entry.Name))
                    Unwanted++;
                else if (!entry.IsFolder && entry.File.IsDead)
                    yield return FoundFile.Failed(entry.Path, root, LocalFileErrors.DeadLink(entry.Path), SkipReason.DeadLink);
                else if (!entry.IsFolder)
                    yield return Look(entry.Path, root, entry.File.Length, entry.File.LastWriteTime);
            }

            if (reader.Error is { } error)
                yield return FoundFile.Failed(folder, root, error);
        }
    }

    /// <summary>Files that the patterns left out.</summary>
    public long Unwanted { get; private set; }

    /// <summary>Whether a file of this name is asked for.</summary>
    public bool IsWanted(string name) =>
        (options.Include.Count == 0 || options.Include.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name)))
        && !options.Exclude.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name));

    /// <summary>The file that a link leads to. One that cannot be looked at is reported when it is opened.</summary>
    private static LinkedFile TargetOf(string path)
    {
        try
        {
            if (File.ResolveLinkTarget(path, returnFinalTarget: true) is FileInfo { Exists: true } target)
                return new LinkedFile(target.Length, target.LastWriteTimeUtc);
            // A link such as /proc/self/fd/0 leads to something that has no path. File.Exists cannot tell: it is true of the link itself.
            bool leadsSomewhere = !OperatingSystem.IsWindows() && FileAccount.IsRegularFile(path) is not null;
            return new LinkedFile(0, default, IsDead: !leadsSomewhere);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <summary>
    /// What has no length may be a pipe or a device, which would hang when it is opened, or a file that the system makes when it is read.
    /// </summary>
    private static FoundFile Look(string path, string? root, long length, DateTime written)
    {
        if (length > 0 || OperatingSystem.IsWindows())
            return new FoundFile(path, root, length, written);
        IngestException? error =
            FileAccount.IsRegularFile(path) == false ? LocalFileErrors.NotRegular(path)
            : UnixFileContent.HasAny(path) ? LocalFileErrors.LengthUnknown(path)
            : null;
        return error is null ? new FoundFile(path, root, length, written) : FoundFile.Failed(path, root, error);
    }

    /// <summary>A file, or the one that a link leads to.</summary>
    private readonly record struct LinkedFile(long Length, DateTime LastWriteTime, bool IsDead = false);

    private readonly record struct Entry(string Path, string Name, LinkedFile File, bool IsFolder, bool IsLink);

    /// <summary>
    /// Reads one folder. A folder that cannot be read, or no longer, ends with an error, and the search continues elsewhere.
    /// </summary>
    private sealed class FolderReader(string folder) : IDisposable
    {
        private IEnumerator<Entry>? _entries;

        public Entry Current => _entries!.Current;

        public IngestException? Error { get; private set; }

        public bool MoveNext()
        {
            try
            {
                _entries ??= new FileSystemEnumerable<Entry>(folder, Describe, EverythingHere).GetEnumerator();
                return _entries.MoveNext();
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                Error = LocalFileErrors.NotFound(folder, e);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Error = LocalFileErrors.Unreadable(folder, e.Message, e);
            }

            return false;
        }

        public void Dispose() => _entries?.Dispose();

        /// <summary>A link to a file is sent as the file. A link to a folder is left out, since it may lead back here.</summary>
        private static Entry Describe(ref FileSystemEntry entry)
        {
            string path = entry.ToFullPath();
            bool isLink = (entry.Attributes & FileAttributes.ReparsePoint) != 0;
            LinkedFile file =
                entry.IsDirectory ? default
                : isLink ? TargetOf(path)
                : new(entry.Length, entry.LastWriteTimeUtc.UtcDateTime);
            return new Entry(path, entry.FileName.ToString(), file, entry.IsDirectory, isLink);
        }
    }
}

/// <summary>Looks into files on Unix without waiting for the other end of a pipe.</summary>
internal static class UnixFileContent
{
    private const int ReadOnly = 0;

    private static readonly int NonBlocking = OperatingSystem.IsMacOS() ? 0x4 : 0x800;

    /// <summary>Whether a file has content, whatever its length. A file that cannot be read says why when it is sent.</summary>
    public static bool HasAny(string path)
    {
        using SafeFileHandle handle = new(Open(Encoding.UTF8.GetBytes(path + '\0'), ReadOnly | NonBlocking), ownsHandle: true);
        try
        {
            return !handle.IsInvalid && RandomAccess.Read(handle, new byte[1], 0) > 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Open(byte[] path, int flags);
}
