using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using IngestTools.Connections;
using IngestTools.Files;
using IngestTools.Scheduler.Store;

namespace IngestTools.Scheduler.Control;

/// <summary>
/// The socket at which the daemon listens: a place where only its account can make one, and where no other daemon listens.
/// </summary>
internal static class ControlPlace
{
    /// <summary>What a Unix domain socket's address has room for, without the zero at its end.</summary>
    public static readonly int LongestPath = OperatingSystem.IsMacOS() ? 103 : 107;

    /// <summary>
    /// Octal 077. What others of this process make meanwhile is for the owner alone too, and folders of them can still be entered.
    /// </summary>
    private const uint OwnerOnly = 0x3F;

    /// <summary>Clears the place of a socket that a daemon left.</summary>
    /// <exception cref="StoreException">No socket can be there; the message says why.</exception>
    public static void Prepare(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        int bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes > LongestPath)
            throw new StoreException(
                $"The socket's path {path} has {bytes} bytes, and the system takes {LongestPath}. Give a shorter one with --socket."
            );
        string folder = Path.GetDirectoryName(path)!;
        PrivateFiles.CreateFolder(folder);
        if (FileAccount.FindRiskOfFolder(folder) is { } risk)
            throw new StoreException(
                $"The folder {folder} cannot hold the scheduler's socket: {risk.Reason}, so another account could put a socket of its "
                    + $"own there. {risk.Advice} Or give another --socket."
            );
        if (!Path.Exists(path))
            return;
        if (!IsSocket(path))
            throw new StoreException($"{path} exists, and is not a socket. Move it away, or give another --socket.");
        if (WhoListens(path) is { } who)
            throw new StoreException($"Another scheduler listens at {path}{who}. Stop that one, or give another --socket.");
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                $"The socket {path} is left over from another account's scheduler and cannot be removed: {e.Message} Give another "
                    + $"--socket.",
                e
            );
        }
    }

    /// <summary>A socket needs no right to be run.</summary>
    public static void Finish(string path)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>Whatever is made until the answer is disposed can be used by its owner alone.</summary>
    public static IDisposable Private() => OperatingSystem.IsWindows() ? new MemoryStream(0) : new Mask();

    /// <summary>The account at the other end of a connection; null where the system does not tell.</summary>
    public static uint? PeerOf(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        // SOL_SOCKET, SO_PEERCRED: process, user and group, four bytes each.
        const int level = 1;
        const int peerCredentials = 17;
        Span<byte> credentials = stackalloc byte[12];
        return socket.GetRawSocketOption(level, peerCredentials, credentials) == credentials.Length
            ? BitConverter.ToUInt32(credentials[4..8])
            : null;
    }

    /// <summary>This process's account.</summary>
    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern uint CurrentUser();

    private static bool IsSocket(string path)
    {
        if (Directory.Exists(path))
            return false;
        try
        {
            using FileStream file = File.OpenRead(path);
            return false;
        }
        catch (IOException)
        {
            // A socket cannot be opened as a file.
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>What there is to say of a daemon that listens; null where none does.</summary>
    private static string? WhoListens(string path)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return PeerOf(socket) is { } user && user != CurrentUser() ? $", as the account with the number {user}" : "";
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            return ", as another account";
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private sealed class Mask : IDisposable
    {
        private readonly uint _before = SetMask(OwnerOnly);

        public void Dispose() => _ = SetMask(_before);

        [DllImport("libc", EntryPoint = "umask")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern uint SetMask(uint mask);
    }
}
