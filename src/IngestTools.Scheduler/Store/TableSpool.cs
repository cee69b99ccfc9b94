using IngestTools.Files;

namespace IngestTools.Scheduler.Store;

/// <summary>Copies in the database, for nodes that share no disk. A node that loads one writes it to its own spool folder.</summary>
internal sealed class TableSpool(SchedulerStore store, string folder) : ISpool
{
    private const int PartBytes = 1024 * 1024;

    public async Task<string> KeepAsync(string path, CancellationToken cancellationToken)
    {
        string name = Path.Join(Guid.NewGuid().ToString("N"), Path.GetFileName(path));
        try
        {
            await using FileStream source = new(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete,
                0,
                useAsync: true
            );
            await store.WriteAsync(session => WritePartsAsync(session, name, source, cancellationToken), cancellationToken);
            return name;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Data.Common.DbException)
        {
            throw FolderSpool.NotKept(path, store.Dialect.Place, e);
        }
    }

    public async Task<string> GetAsync(string name, CancellationToken cancellationToken)
    {
        string path = Path.Join(folder, name);
        if (File.Exists(path))
            return path;
        string place = Path.GetDirectoryName(path)!;
        string unfinished = $"{place}.{Guid.NewGuid():N}.part";
        PrivateFiles.CreateFolder(folder);
        PrivateFiles.CreateFolder(unfinished);
        await using (FileStream copy = PrivateFiles.Create(Path.Join(unfinished, Path.GetFileName(name)), FileOptions.Asynchronous))
        {
            for (long part = 0; await ReadPartAsync(name, part, cancellationToken) is { } content; part++)
                await copy.WriteAsync(content, cancellationToken);
            if (copy.Length == 0 && await ReadPartAsync(name, 0, cancellationToken) is null)
                throw FolderSpool.Lost(name);
        }

        try
        {
            Directory.Move(unfinished, place);
        }
        catch (IOException) when (File.Exists(path))
        {
            PrivateFolder.TryDelete(unfinished);
        }

        return path;
    }

    public async Task<HashSet<string>> FindLostAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        HashSet<string> lost = new(names, StringComparer.Ordinal);
        lost.ExceptWith(
            await store.ReadAsync(
                session => session.QueryAsync("SELECT name FROM ingest_spool WHERE part = 0", row => row.Text("name"), cancellationToken),
                cancellationToken
            )
        );
        return lost;
    }

    public async Task SweepAsync(IReadOnlyCollection<string> inUse, CancellationToken cancellationToken)
    {
        await new FolderSpool(folder).SweepAsync(inUse, cancellationToken);
        await store.WriteAsync(
            session =>
                session.ExecuteAsync(
                    """
                    DELETE FROM ingest_spool WHERE kept_at < @before AND name NOT IN (SELECT spool FROM ingest_schedule
                        WHERE spool IS NOT NULL)
                        AND name NOT IN (SELECT spool FROM ingest_run WHERE spool IS NOT NULL AND ended = 0)
                    """,
                    cancellationToken,
                    ("before", DateTimeOffset.UtcNow.Subtract(FolderSpool.Unclaimed).ToUnixTimeMilliseconds())
                ),
            cancellationToken
        );
    }

    private static async Task<int> WritePartsAsync(
        StoreSession session,
        string name,
        FileStream source,
        CancellationToken cancellationToken
    )
    {
        byte[] buffer = new byte[PartBytes];
        int parts = 0;
        do
        {
            int length = await source.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            await session.ExecuteAsync(
                "INSERT INTO ingest_spool (name, part, content, kept_at) VALUES (@name, @part, @content, @now)",
                cancellationToken,
                ("name", name),
                ("part", (long)parts++),
                ("content", buffer[..length]),
                ("now", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds())
            );
            if (length < buffer.Length)
                return parts;
        } while (true);
    }

    private async Task<byte[]?> ReadPartAsync(string name, long part, CancellationToken cancellationToken) =>
        (
            await store.ReadAsync(
                session =>
                    session.QueryAsync(
                        "SELECT content FROM ingest_spool WHERE name = @name AND part = @part",
                        row => (byte[])row.GetValue(0),
                        cancellationToken,
                        ("name", name),
                        ("part", part)
                    ),
                cancellationToken
            )
        ).FirstOrDefault();
}
