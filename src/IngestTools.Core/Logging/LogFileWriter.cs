namespace IngestTools.Logging;

/// <summary>Adds bytes to a file that other processes add to as well, and rotates it.</summary>
internal sealed class LogFileWriter(string path)
{
    /// <summary>The size from which on the file is rotated.</summary>
    public const long MaxLength = 10 * 1024 * 1024;

    /// <summary>The number of rotated files that are kept.</summary>
    public const int Kept = 5;

    /// <summary>How long another process may hold the file.</summary>
    private static readonly TimeSpan LockLimit = TimeSpan.FromSeconds(10);

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Adds bytes. The file is held only while they are written, so that processes take turns and each batch is whole.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be written.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        using FileStream file = Open();
        file.Seek(0, SeekOrigin.End);
        file.Write(bytes);
        // It is held meanwhile: whoever waits for it opens the new file. Another process may have rotated it in between.
        if (file.Length >= MaxLength && new FileInfo(path) is { Exists: true, Length: >= MaxLength })
            Rotate();
    }

    /// <summary>Opens the file for this process alone; on Windows others may read it, and elsewhere they may anyway.</summary>
    private FileStream Open()
    {
        long end = Environment.TickCount64 + (long)LockLimit.TotalMilliseconds;
        while (true)
        {
            try
            {
                FileStreamOptions how = new()
                {
                    Mode = FileMode.OpenOrCreate,
                    Access = FileAccess.Write,
                    Share = OperatingSystem.IsWindows() ? FileShare.Read | FileShare.Delete : FileShare.None,
                    BufferSize = 0,
                };
                if (!OperatingSystem.IsWindows())
                    how.UnixCreateMode = OwnerOnly;
                return new FileStream(path, how);
            }
            catch (IOException e) when (IsHeld(e) && Environment.TickCount64 < end)
            {
                Thread.Sleep(5 + Random.Shared.Next(10));
            }
        }
    }

    /// <summary>Whether another process has the file open: EWOULDBLOCK, or ERROR_SHARING_VIOLATION.</summary>
    private static bool IsHeld(IOException e) => e.GetType() == typeof(IOException) && (e.HResult & 0xFFFF) is 11 or 35 or 32;

    private void Rotate()
    {
        for (int number = Kept - 1; number >= 1; number--)
        {
            if (File.Exists(NameOf(number)))
                File.Move(NameOf(number), NameOf(number + 1), overwrite: true);
        }

        File.Move(path, NameOf(1), overwrite: true);
    }

    private string NameOf(int number) =>
        System.IO.Path.Join(
            System.IO.Path.GetDirectoryName(path),
            $"{System.IO.Path.GetFileNameWithoutExtension(path)}.{number}{System.IO.Path.GetExtension(path)}"
        );
}
