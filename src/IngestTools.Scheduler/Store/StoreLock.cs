using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace IngestTools.Scheduler.Store;

/// <summary>A file that is locked for as long as a daemon lives, however it ends, and that says who it is.</summary>
internal sealed class StoreLock : IDisposable
{
    private static readonly TimeSpan HolderLimit = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan HolderPause = TimeSpan.FromMilliseconds(20);

    private const int MostBytes = 1024;

    private readonly SafeFileHandle _handle;

    private StoreLock(SafeFileHandle handle) => _handle = handle;

    /// <exception cref="StoreException">Another daemon has it; or the folder cannot be written.</exception>
    public static async Task<StoreLock> TakeAsync(string path)
    {
        try
        {
            SafeFileHandle? handle = OperatingSystem.IsWindows() ? TryTakeOnWindows(path) : UnixLock.TryTake(path);
            if (handle is null)
                throw new StoreHeldException(
                    $"A scheduler with this store runs already: {await HolderAsync(path)} (its lock is {path}). Use that one: "
                        + "'ingest-scheduler status' shows it. One with a store of its own needs another folder: --store DIR."
                );
            byte[] holder = Encoding.UTF8.GetBytes(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"process {Environment.ProcessId} on {Environment.MachineName}, since {DateTimeOffset.UtcNow:yyyy-MM-dd HH:mm:ss}Z\n"
                )
            );
            RandomAccess.SetLength(handle, 0);
            RandomAccess.Write(handle, holder, 0);
            return new StoreLock(handle);
        }
        catch (NotSupportedException e)
        {
            throw new StoreException($"The lock {path} is not a file. Move it away, or give another --store.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                $"The lock {path} cannot be written: {e.Message} Give this account a folder that it may write, with --store.",
                e
            );
        }
    }

    public void Dispose() => _handle.Dispose();

    private static SafeFileHandle? TryTakeOnWindows(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }

    /// <summary>Who has the lock. One that has just taken it writes in the next moment who it is.</summary>
    private static async Task<string> HolderAsync(string path)
    {
        const string unknown = "it does not say which";
        long began = Environment.TickCount64;
        try
        {
            while (true)
            {
                string text = Read(path);
                if (text.Length > 0)
                    return text;
                if (Environment.TickCount64 - began > HolderLimit.TotalMilliseconds)
                    return unknown;
                await Task.Delay(HolderPause);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return unknown;
        }
    }

    private static string Read(string path)
    {
        using SafeFileHandle handle = OperatingSystem.IsWindows()
            ? File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)
            : UnixLock.Open(path);
        byte[] holder = new byte[MostBytes];
        return Encoding.UTF8.GetString(holder, 0, RandomAccess.Read(handle, holder, 0)).Trim();
    }

    /// <summary>.NET locks a file against its readers too, who want to know who has it; so the system is asked itself.</summary>
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static class UnixLock
    {
        private const int ReadWrite = 2;

        private const int Exclusive = 2;

        private const int NonBlocking = 4;

        private static readonly int CloseOnExec = OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000;

        private static readonly int WouldBlock = OperatingSystem.IsMacOS() ? 35 : 11;

        public static SafeFileHandle Open(string path)
        {
            SafeFileHandle handle = new(Open(Encoding.UTF8.GetBytes(path + '\0'), ReadWrite | CloseOnExec), ownsHandle: true);
            if (!handle.IsInvalid)
                return handle;
            handle.Dispose();
            throw new IOException(Marshal.GetLastPInvokeErrorMessage() + ".");
        }

        public static SafeFileHandle? TryTake(string path)
        {
            CreateOnce(path);
            SafeFileHandle handle = Open(path);
            if (Flock(handle, Exclusive | NonBlocking) == 0)
                return handle;
            int error = Marshal.GetLastPInvokeError();
            handle.Dispose();
            return error == WouldBlock ? null : throw new IOException(Marshal.GetPInvokeErrorMessage(error) + ".");
        }

        private static void CreateOnce(string path)
        {
            if (File.Exists(path))
                return;
            try
            {
                using FileStream file = new(
                    path,
                    new FileStreamOptions
                    {
                        Mode = FileMode.CreateNew,
                        Access = FileAccess.Write,
                        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                    }
                );
            }
            catch (IOException) when (File.Exists(path))
            {
                // Another daemon that starts in the same moment made it.
            }
        }

        [DllImport("libc", EntryPoint = "open", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int Open(byte[] path, int flags);

        [DllImport("libc", EntryPoint = "flock", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int Flock(SafeFileHandle handle, int operation);
    }
}
