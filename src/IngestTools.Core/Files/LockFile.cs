namespace IngestTools.Files;

/// <summary>A lock between processes: a file that one of them holds open. It is never deleted, which would let two in.</summary>
internal static class LockFile
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>Waits until this process alone has the file open, and makes it where it is missing. Disposing ends the lock.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">The maximum time to wait.</param>
    /// <exception cref="IOException">Another process held it until the limit, or it cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be opened.</exception>
    public static FileStream Acquire(string path, TimeSpan limit)
    {
        long began = Environment.TickCount64;
        while (true)
        {
            try
            {
                return PrivateFiles.Open(path, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path) && Environment.TickCount64 - began < limit.TotalMilliseconds)
            {
                Thread.Sleep(Pause);
            }
        }
    }
}
