using IngestTools.Connections;
using IngestTools.Files;

namespace IngestTools.Logging;

/// <summary>
/// Adds bytes to a file that other processes add to as well, and rotates it. Processes take turns by a file beside it, <c>.lock</c>: the
/// log itself may be open in whatever reads it.
/// </summary>
internal sealed class LogFileWriter
{
    /// <summary>The size from which on the file is rotated.</summary>
    public const long MaxLength = 10 * 1024 * 1024;

    /// <summary>The number of rotated files that are kept.</summary>
    public const int Kept = 5;

    /// <summary>How long another process may write.</summary>
    private static readonly TimeSpan LockLimit = TimeSpan.FromSeconds(10);

    private bool _canRotate = true;

    /// <param name="path">The file. A link is followed.</param>
    /// <exception cref="IOException">It leads to a folder, a device, a pipe or a socket, or is another account's.</exception>
    public LogFileWriter(string path)
    {
        Path = UserFile.Find(path).FullPath;
        if (FileAccount.FindRisk(Path, allowsSticky: true) is { } risk && File.Exists(Path))
            throw new IOException(risk.Reason);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>A file that is not an older part of this log and has the name of one, so that the log is not rotated.</summary>
    public string? Obstacle { get; private set; }

    /// <summary>Adds bytes as a whole.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be written.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        using FileStream turn = LockFile.Acquire(LockOf(Path), LockLimit);
        bool isFull;
        using (FileStream file = PrivateFiles.Open(Path, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            long end = file.Seek(0, SeekOrigin.End);
            try
            {
                file.Write(bytes);
            }
            catch (IOException)
            {
                // No part of a line stays: what could not be written is written again as a whole.
                file.SetLength(end);
                throw;
            }

            // A file that was there ends with a line of this log before it is renamed.
            isFull = bytes.Length > 0 && file.Length >= MaxLength;
        }

        if (isFull && _canRotate)
            Rotate();
    }

    /// <summary>
    /// A log that cannot be rotated, such as in a folder that may not be written, grows. So does one beside a file that is not an older
    /// part of it, until that file is moved.
    /// </summary>
    private void Rotate()
    {
        try
        {
            Obstacle = Enumerable.Range(1, Kept).Select(NameOf).FirstOrDefault(name => Exists(name) && !IsOlderPart(name));
            if (Obstacle is not null)
                return;
            for (int number = Kept - 1; number >= 1; number--)
            {
                if (File.Exists(NameOf(number)))
                    File.Move(NameOf(number), NameOf(number + 1), overwrite: number == Kept - 1);
            }

            File.Move(Path, NameOf(1), overwrite: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _canRotate = false;
        }
    }

    /// <summary>Whether a name is taken, also by a link that leads nowhere.</summary>
    private static bool Exists(string path) => System.IO.Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    /// <summary>
    /// Whether a file was made by a rotation: it has the size from which on a log is rotated, begins or ends with a line of a log, and is
    /// not a log of its own, which has a lock beside it.
    /// </summary>
    private static bool IsOlderPart(string path)
    {
        FileInfo found = new(path);
        // A pipe must not be opened: that waits until somebody writes to it.
        if (!found.Exists || found.LinkTarget is not null || FileAccount.IsRegularFile(path) == false)
            return false;
        if (found.Length < MaxLength)
            return false;
        if (File.Exists(LockOf(path)))
            return false;
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return LogLine.IsOf(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string LockOf(string path) => path + ".lock";

    private string NameOf(int number) =>
        System.IO.Path.Join(
            System.IO.Path.GetDirectoryName(Path),
            $"{System.IO.Path.GetFileNameWithoutExtension(Path)}.{number}{System.IO.Path.GetExtension(Path)}"
        );
}
