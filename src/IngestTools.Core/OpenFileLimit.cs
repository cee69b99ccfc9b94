using System.Net.Sockets;

namespace IngestTools;

/// <summary>
/// The system's limit of files and sockets that a process has open. Who meets it has every right to the file, and nothing is wrong with the
/// server.
/// </summary>
internal static class OpenFileLimit
{
    /// <summary>EMFILE and ENFILE: of the process, and of the system.</summary>
    private static readonly int[] UnixErrors = [24, 23];

    /// <summary>ERROR_TOO_MANY_OPEN_FILES as a HRESULT.</summary>
    private const int WindowsError = unchecked((int)0x80070004);

    public const string Reason = "this process has too many files open";

    public const string Advice =
        "Raise the limit before the session starts (ulimit -n 4096; LimitNOFILE= for a systemd service), or use a lower "
        + "-ThrottleLimit, then try again.";

    /// <summary>Whether an exception, or one inside it, says that the limit is reached.</summary>
    public static bool IsReached(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is SocketException { SocketErrorCode: SocketError.TooManyOpenSockets })
                return true;
            if (
                exception is IOException
                && (OperatingSystem.IsWindows() ? exception.HResult == WindowsError : UnixErrors.Contains(exception.HResult))
            )
                return true;
        }

        return false;
    }
}
