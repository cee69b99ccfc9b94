using System.Security.Cryptography;
using System.Text;
using IngestTools.Connections;

namespace IngestTools.Scheduling;

/// <summary>Where the daemon's files are, and where it listens, by default.</summary>
public static class SchedulerPlace
{
    /// <summary>Names another socket or pipe.</summary>
    public const string SocketVariable = "INGESTTOOLS_SCHEDULER_SOCKET";

    /// <summary>The exit code of a daemon that did not begin since another one with its store runs (EX_TEMPFAIL of sysexits.h).</summary>
    public const int RunsAlready = 75;

    /// <summary>The folder of the store, its lock and its spool: <c>scheduler</c> in <see cref="IngestFolders.Configuration"/>.</summary>
    public static string Folder => Path.Join(IngestFolders.Configuration, "scheduler");

    /// <summary>
    /// The socket's path, or on Windows the pipe's name: what <see cref="SocketVariable"/> says, else one that belongs to
    /// <see cref="Folder"/>.
    /// </summary>
    public static string Socket => Environment.GetEnvironmentVariable(SocketVariable) is { Length: > 0 } given ? given : SocketOf(Folder);

    /// <summary>The store of a daemon whose files lie in a folder.</summary>
    /// <param name="folder">The folder.</param>
    public static string StoreOf(string folder) => Path.Join(folder, "scheduler.db");

    /// <summary>The log of a daemon whose files lie in a folder, where Start-IngestScheduler started it.</summary>
    /// <param name="folder">The folder.</param>
    public static string LogOf(string folder) => Path.Join(folder, "scheduler.log");

    /// <summary>
    /// What a daemon that Start-IngestScheduler started wrote to its error stream: why it did not start, and what its runtime says of a
    /// crash.
    /// </summary>
    /// <param name="folder">The folder.</param>
    public static string ErrorsOf(string folder) => Path.Join(folder, "scheduler-errors.log");

    /// <summary>The folder of the daemon that listens at a socket or pipe; null where that cannot be told from it.</summary>
    /// <param name="socket">The socket's path, or on Windows the pipe's name.</param>
    public static string? FolderOf(string socket)
    {
        if (socket == SocketOf(Folder))
            return Folder;
        return !OperatingSystem.IsWindows() && Path.GetDirectoryName(Path.GetFullPath(socket)) is { } folder && SocketOf(folder) == socket
            ? folder
            : null;
    }

    /// <summary>The socket's path, or on Windows the pipe's name, of a daemon whose files lie in a folder.</summary>
    /// <param name="folder">The folder.</param>
    public static string SocketOf(string folder)
    {
        if (!OperatingSystem.IsWindows())
            return Path.Join(folder, "control.sock");
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(folder).ToUpperInvariant()));
        return $"ingesttools-scheduler-{Convert.ToHexString(hash, 0, 8)}";
    }
}
