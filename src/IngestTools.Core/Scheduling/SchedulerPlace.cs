using System.Security.Cryptography;
using System.Text;
using IngestTools.Connections;

namespace IngestTools.Scheduling;

/// <summary>Where the daemon's files are, and where it listens, by default.</summary>
public static class SchedulerPlace
{
    /// <summary>Names another socket or pipe.</summary>
    public const string SocketVariable = "INGESTTOOLS_SCHEDULER_SOCKET";

    /// <summary>The folder of the store, its lock and its spool: <c>scheduler</c> in <see cref="IngestFolders.Configuration"/>.</summary>
    public static string Folder => Path.Join(IngestFolders.Configuration, "scheduler");

    /// <summary>
    /// The socket's path, or on Windows the pipe's name: what <see cref="SocketVariable"/> says, else one that belongs to
    /// <see cref="Folder"/>.
    /// </summary>
    public static string Socket => Environment.GetEnvironmentVariable(SocketVariable) is { Length: > 0 } given ? given : SocketOf(Folder);

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
