using System.IO.Enumeration;
using System.Runtime.InteropServices;
using System.Text;
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
    string Path, string? Root, long Length, DateTime LastWriteTime, IngestException? Error = null, SkipReason? LeftOut = null)
{
    public static FoundFile Failed(string path, string? root, IngestException error, SkipReason? leftOut = null) => new(path, root, 0, default, error, leftOut);
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
        if (!file.Exists)
            return [FoundFile.Failed(path, null, LocalFileErrors.NotFound(path))];
        if (!IsWanted(file.Name))
            return [];
        (long length, DateTime written) = file.LinkTarget is null ? (file.Length, file.LastWriteTimeUtc) : TargetOf(path);
        return [Look(path, null, length, written)];
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
                else if (!entry.IsFolder && IsWanted(entry.Name))
                    yield return Look(entry.Path, root, entry.Length, entry.LastWriteTime);
            }

            if (reader.Error is { } error)
                yield return FoundFile.Failed(folder, root, error);
        }
    }

    /// <summary>Whether a file of this name is asked for.</summary>
    public bool IsWanted(string name) =>
        (options.Include.Count == 0 || options.Include.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name)))
        && !options.Exclude.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name));

    /// <summary>Length and last write time of the file that a link leads to; 0 where it leads nowhere, which is reported when it is opened.</summary>
    private static (long Length, DateTime LastWriteTime) TargetOf(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true) is FileInfo { Exists: true } target ? (target.Length, target.LastWriteTimeUtc) : default;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <summary>What has no length may be a pipe or a device, which would hang when it is opened.</summary>
    private static FoundFile Look(string path, string? root, long length, DateTime written) =>
        length == 0 && UnixFileKind.WhatElse(path) is { } what
            ? FoundFile.Failed(path, root, LocalFileErrors.NotRegular(path, what))
            : new FoundFile(path, root, length, written);

    private readonly record struct Entry(string Path, string Name, long Length, DateTime LastWriteTime, bool IsFolder, bool IsLink);

    /// <summary>Reads one folder. A folder that cannot be read, or no longer, ends with an error, and the search goes on elsewhere.</summary>
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
            (long length, DateTime written) = entry.IsDirectory ? default
                : isLink ? TargetOf(path) : (entry.Length, entry.LastWriteTimeUtc.UtcDateTime);
            return new Entry(path, entry.FileName.ToString(), length, written, entry.IsDirectory, isLink);
        }

    }
}

/// <summary>Tells what is no regular file on Unix, without waiting for the other end of a pipe.</summary>
internal static class UnixFileKind
{
    private const int ReadOnly = 0;

    private const int SeekCurrent = 1;

    private static readonly int NonBlocking = OperatingSystem.IsMacOS() ? 0x4 : 0x800;

    /// <summary>What a file is, if it is none that can be read from its beginning to its end; null where it is.</summary>
    public static string? WhatElse(string path)
    {
        if (OperatingSystem.IsWindows())
            return null;
        using SafeFileHandle handle = new(Open(Encoding.UTF8.GetBytes(path + '\0'), ReadOnly | NonBlocking), ownsHandle: true);
        // A file that cannot be opened says why when it is sent.
        return !handle.IsInvalid && Seek(handle, 0, SeekCurrent) < 0 ? "a pipe or a device" : null;
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "lseek", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern long Seek(SafeFileHandle handle, long offset, int whence);
}
