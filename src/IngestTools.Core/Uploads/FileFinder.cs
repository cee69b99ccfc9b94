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
/// <param name="IsLeftOut">Whether it is left out on purpose.</param>
internal readonly record struct FoundFile(string Path, string? Root, long Length, IngestException? Error = null, bool IsLeftOut = false);

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
            return [new FoundFile(path, null, 0, LocalFileErrors.NotFound(path))];
        return IsWanted(file.Name) ? [Look(path, null, file.LinkTarget is null ? file.Length : LengthOfTarget(path))] : [];
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
                    yield return new FoundFile(entry.Path, root, 0, LocalFileErrors.LinkToFolder(entry.Path), IsLeftOut: true);
                else if (entry.IsFolder && options.Recurse)
                    folders.Push(entry.Path);
                else if (!entry.IsFolder && IsWanted(entry.Name))
                    yield return Look(entry.Path, root, entry.Length);
            }

            if (reader.Error is { } error)
                yield return new FoundFile(folder, root, 0, error);
        }
    }

    /// <summary>Whether a file of this name is asked for.</summary>
    public bool IsWanted(string name) =>
        (options.Include.Count == 0 || options.Include.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name)))
        && !options.Exclude.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name));

    /// <summary>The length of the file that a link leads to; 0 where it leads nowhere, which is told when it is opened.</summary>
    private static long LengthOfTarget(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true) is FileInfo { Exists: true } target ? target.Length : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>What has no length may be a pipe or a device, which would hang when it is opened.</summary>
    private static FoundFile Look(string path, string? root, long length) =>
        length == 0 && UnixFileKind.WhatElse(path) is { } what
            ? new FoundFile(path, root, 0, LocalFileErrors.NotRegular(path, what))
            : new FoundFile(path, root, length);

    private readonly record struct Entry(string Path, string Name, long Length, bool IsFolder, bool IsLink);

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
            long length = isLink && !entry.IsDirectory ? LengthOfTarget(path) : entry.IsDirectory ? 0 : entry.Length;
            return new Entry(path, entry.FileName.ToString(), length, entry.IsDirectory, isLink);
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
