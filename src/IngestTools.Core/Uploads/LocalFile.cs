using Microsoft.Win32.SafeHandles;

namespace IngestTools.Uploads;

/// <summary>A file that is being sent: opened anew for each attempt, and held against what it was when it was opened.</summary>
internal sealed class LocalFile : IDisposable
{
    private readonly string _path;
    private readonly SafeFileHandle _handle;

    private LocalFile(string path, SafeFileHandle handle)
    {
        _path = path;
        _handle = handle;
        Length = RandomAccess.GetLength(handle);
        LastWriteTime = File.GetLastWriteTimeUtc(handle);
    }

    /// <summary>Bytes, when it was opened.</summary>
    public long Length { get; }

    /// <summary>When it was last written, in UTC, when it was opened.</summary>
    public DateTime LastWriteTime { get; }

    /// <exception cref="IngestException"><see cref="ErrorId.FileNotFound"/>, <see cref="ErrorId.FileUnreadable"/></exception>
    public static LocalFile Open(string path)
    {
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return new LocalFile(path, handle);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw LocalFileErrors.NotFound(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            handle?.Dispose();
            throw LocalFileErrors.Unreadable(path, e.Message, e);
        }
    }

    /// <exception cref="IngestException"><see cref="ErrorId.FileChanged"/>: it became shorter.
    /// <see cref="ErrorId.FileUnreadable"/></exception>
    public void ReadExactly(Span<byte> buffer, long position)
    {
        try
        {
            while (buffer.Length > 0)
            {
                int read = RandomAccess.Read(_handle, buffer, position);
                if (read == 0)
                    throw LocalFileErrors.Changed(_path);
                buffer = buffer[read..];
                position += read;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LocalFileErrors.Unreadable(_path, e.Message, e);
        }
    }

    /// <exception cref="IngestException"><see cref="ErrorId.FileChanged"/>: it is not what it was when it was opened.</exception>
    public void CheckUnchanged()
    {
        if (RandomAccess.GetLength(_handle) != Length || File.GetLastWriteTimeUtc(_handle) != LastWriteTime)
            throw LocalFileErrors.Changed(_path);
    }

    public void Dispose() => _handle.Dispose();
}

/// <summary>What can be wrong with a local file or folder.</summary>
internal static class LocalFileErrors
{
    public static IngestException NotFound(string path, Exception? cause = null) =>
        TargetOf(path) is not null
            ? DeadLink(path, cause)
            : Make(
                ErrorId.FileNotFound,
                $"There is no file or folder {Show(path)}.",
                "Check the path. A file that was there when the folder was listed may have been removed since.",
                path,
                cause
            );

    public static IngestException Unreadable(string path, string why, Exception? cause = null) =>
        OpenFileLimit.IsReached(cause)
            ? Make(ErrorId.FileUnreadable, $"{Show(path)} cannot be opened: {OpenFileLimit.Reason}.", OpenFileLimit.Advice, path, cause)
            : Make(
                ErrorId.FileUnreadable,
                $"{Show(path)} cannot be read: {Http.Redaction.EscapeControls(why)}",
                "Give this account the right to read it, then send it again.",
                path,
                cause
            );

    public static IngestException Changed(string path) =>
        Make(
            ErrorId.FileChanged,
            $"{Show(path)} changed while it was read, so the server has a mixture or nothing of it.",
            "Send it again when no program writes to it.",
            path,
            null
        );

    public static IngestException NotRegular(string path) =>
        Make(ErrorId.FileUnreadable, $"{Show(path)} is a pipe or a device, not a file.", "Send files only.", path, null);

    public static IngestException LengthUnknown(string path) =>
        Make(
            ErrorId.FileUnreadable,
            $"{Show(path)} has content and reports a length of 0, as files that the system makes when they are read do.",
            "Copy its content to a file, and send that.",
            path,
            null
        );

    public static IngestException DeadLink(string path, Exception? cause = null) =>
        Make(
            ErrorId.FileNotFound,
            $"{Show(path)} is a link that leads to no file: {Show(TargetOf(path) ?? "its target")} does not exist.",
            "Remove the link, or put back the file that it leads to.",
            path,
            cause
        );

    public static IngestException LinkToFolder(string path) =>
        Make(
            ErrorId.FileUnreadable,
            $"{Show(path)} is a link to a folder, and was left out: links are not followed, since they can lead in circles.",
            "Send the folder that it leads to by its own path.",
            path,
            null
        );

    /// <summary>Where a link leads; null where the path is not a link.</summary>
    private static string? TargetOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Show(string path) => Http.Redaction.EscapeControls(path);

    private static IngestException Make(ErrorId errorId, string message, string advice, string path, Exception? cause) =>
        new(errorId, message, cause)
        {
            Operation = "upload",
            Advice = advice,
            Target = path,
        };
}
