using IngestTools.Connections;

namespace IngestTools.Files;

/// <summary>
/// Writes a file that a user named: first beside it, then in its place, so that the file is there whole or as it was. A file of other
/// content that is there is not overwritten but set aside: <c>mapping.csv</c> becomes <c>mapping-1.csv</c>.
/// </summary>
public sealed class UserFile
{
    private const int MaxSetAside = 100_000;

    private readonly string _path;

    private UserFile(string path) => _path = path;

    /// <summary>The file's full path.</summary>
    internal string FullPath => _path;

    /// <summary>The file that a path leads to, over links. Nothing is opened.</summary>
    /// <param name="path">The path.</param>
    /// <exception cref="IOException">The path leads to a folder, a device, a pipe or a socket, or in a circle.</exception>
    public static UserFile Find(string path)
    {
        path = Path.GetFullPath(path);
        // What a link leads to is replaced, not the link.
        for (int links = 0; new FileInfo(path).LinkTarget is { } target; links++)
        {
            const int maxLinks = 40;
            if (links == maxLinks)
                throw new IOException("its links lead in a circle");
            path = Path.GetFullPath(target, Path.GetDirectoryName(path)!);
        }

        if (Directory.Exists(path))
            throw new IOException("it is a folder");
        if (path.StartsWith(@"\\.\", StringComparison.Ordinal) || FileAccount.IsRegularFile(path) == false)
            throw new IOException("it is a device, a pipe or a socket, and only a regular file keeps what is written");
        return new UserFile(path);
    }

    /// <summary>Writes the file.</summary>
    /// <param name="write">Writes the content.</param>
    /// <param name="cancellationToken">Ends the writing; the file stays as it was.</param>
    /// <returns>The path of an earlier file that was set aside; null where there was none, or it is the beginning of this one.</returns>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file cannot be written.</exception>
    public async Task<string?> WriteAsync(Func<FileStream, Task> write, CancellationToken cancellationToken)
    {
        string temporary = Path.Join(Path.GetDirectoryName(_path), $".{Guid.NewGuid():N}.tmp");
        try
        {
            Earlier earlier;
            FileStream file = new(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0, useAsync: true);
            await using (file.ConfigureAwait(false))
            {
                await write(file).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
                earlier = await CompareWithEarlierAsync(file, cancellationToken).ConfigureAwait(false);
            }

            if (!OperatingSystem.IsWindows() && File.Exists(_path))
                File.SetUnixFileMode(temporary, File.GetUnixFileMode(_path));
            cancellationToken.ThrowIfCancellationRequested();
            string? aside = earlier == Earlier.Other ? SetAside() : null;
            try
            {
                File.Move(temporary, _path, overwrite: earlier == Earlier.Beginning);
            }
            catch (IOException) when (earlier != Earlier.Beginning && File.Exists(_path))
            {
                // Another process has written it meanwhile.
                aside = SetAside();
                File.Move(temporary, _path, overwrite: false);
            }

            return aside;
        }
        catch
        {
            PrivateFiles.TryDelete(temporary);
            throw;
        }
    }

    /// <summary>Compares the new file with the one that is there.</summary>
    private async Task<Earlier> CompareWithEarlierAsync(FileStream file, CancellationToken cancellationToken)
    {
        const int pieceLength = 128 * 1024;
        if (!File.Exists(_path))
            return Earlier.None;
        FileStream earlier = new(
            _path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete,
            bufferSize: 0,
            useAsync: true
        );
        await using (earlier.ConfigureAwait(false))
        {
            if (earlier.Length > file.Length)
                return Earlier.Other;
            byte[] old = new byte[pieceLength];
            byte[] now = new byte[pieceLength];
            file.Position = 0;
            while (true)
            {
                int length = await earlier
                    .ReadAtLeastAsync(old, old.Length, throwOnEndOfStream: false, cancellationToken)
                    .ConfigureAwait(false);
                if (length == 0)
                    return Earlier.Beginning;
                int same = await file.ReadAtLeastAsync(now.AsMemory(0, length), length, throwOnEndOfStream: false, cancellationToken)
                    .ConfigureAwait(false);
                if (same < length || !old.AsSpan(0, length).SequenceEqual(now.AsSpan(0, length)))
                    return Earlier.Other;
            }
        }
    }

    /// <summary>Gives the file that is there the first name that is free.</summary>
    private string? SetAside()
    {
        string extension = Path.GetExtension(_path);
        string name = _path[..^extension.Length];
        for (int number = 1; number <= MaxSetAside; number++)
        {
            string free = $"{name}-{number}{extension}";
            try
            {
                // Where the name is taken, this fails: another process can look for one at the same time.
                File.Move(_path, free, overwrite: false);
                return free;
            }
            catch (FileNotFoundException)
            {
                return null;
            }
            catch (IOException) when (Path.Exists(free))
            {
                // The next number.
            }
        }

        throw new IOException($"it holds something else, and all names from {Path.GetFileName(name)}-1{extension} on are taken");
    }

    private enum Earlier
    {
        /// <summary>The file does not exist.</summary>
        None,

        /// <summary>It is the beginning of the new one, or the same: nothing is lost with it.</summary>
        Beginning,

        /// <summary>It has other content.</summary>
        Other,
    }
}
