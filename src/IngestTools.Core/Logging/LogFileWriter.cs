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

    /// <summary>Adds bytes as a whole.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be written.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        using FileStream turn = LockFile.Acquire(Path + ".lock", LockLimit);
        bool isFull;
        using (FileStream file = PrivateFiles.Open(Path, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            file.Seek(0, SeekOrigin.End);
            file.Write(bytes);
            isFull = file.Length >= MaxLength;
        }

        if (isFull && _canRotate)
            Rotate();
    }

    /// <summary>A log that cannot be rotated, such as in a folder that may not be written, grows.</summary>
    private void Rotate()
    {
        try
        {
            for (int number = Kept - 1; number >= 1; number--)
            {
                if (File.Exists(NameOf(number)))
                    File.Move(NameOf(number), NameOf(number + 1), overwrite: true);
            }

            File.Move(Path, NameOf(1), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _canRotate = false;
        }
    }

    private string NameOf(int number) =>
        System.IO.Path.Join(
            System.IO.Path.GetDirectoryName(Path),
            $"{System.IO.Path.GetFileNameWithoutExtension(Path)}.{number}{System.IO.Path.GetExtension(Path)}"
        );
}
