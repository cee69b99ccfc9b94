using IngestTools.Files;

namespace IngestTools.Scheduler.Store;

/// <summary>
/// Says in a daemon's folder which store is its own: a database elsewhere, or the file beside it. So a store that is gone is not replaced
/// by an empty one, and its schedules do not vanish without a word.
/// </summary>
internal static class StoreMark
{
    /// <summary>The name of the file.</summary>
    public const string Name = "store.txt";

    private const string IdName = "id";

    /// <summary>The start of the daemon that has the store.</summary>
    private const string DaemonName = "daemon";

    /// <summary>Where the store lies; null where it is the file in the folder.</summary>
    /// <exception cref="StoreException">The mark cannot be read.</exception>
    public static string? ReadPlace(string folder) => Guard(folder, () => Read(folder).Database);

    /// <summary>Refuses to begin with an empty store where there was one with schedules. Nothing is made or changed.</summary>
    /// <exception cref="StoreException">The file is gone, or has nothing in it.</exception>
    public static void CheckFile(string folder, string store, string spool) =>
        Guard(
            folder,
            () =>
            {
                FileInfo file = new(store);
                if (file is { Exists: true, Length: > 0 })
                    return true;
                (string? id, string? database) = Read(folder);
                // Copies of a node of a database are its own, and are made again.
                bool hasCopies = database is null && HasCopies(spool);
                return id is null && !hasCopies
                    ? true
                    : throw Gone(folder, store, spool, hasCopies, file.Exists ? "is empty" : "is missing");
            }
        );

    /// <summary>Keeps which store the daemon has that starts.</summary>
    /// <returns>Whether it is another one than at the last start.</returns>
    /// <exception cref="StoreException">It had another one, and this one is empty.</exception>
    public static async Task<bool> KeepAsync(string folder, SchedulerStore store, string spool, CancellationToken cancellationToken)
    {
        string place = store.Dialect.Place;
        (string? before, string? database) = Guard(folder, () => Read(folder));
        if (store.Dialect.IsShared)
        {
            if (database != place)
                Guard(folder, () => Write(folder, before, place));
            return false;
        }

        string? id = await store.ReadMetaAsync(IdName, cancellationToken);
        if (before is not null && before != id && await store.IsEmptyAsync(cancellationToken))
            throw Gone(folder, place, spool, HasCopies(spool), "has no schedules and no runs");
        if (id is null)
            await store.WriteMetaAsync(IdName, id = Guid.NewGuid().ToString("N"), cancellationToken);
        await store.WriteMetaAsync(DaemonName, store.Claim, cancellationToken);
        if (before != id || database is not null)
            Guard(folder, () => Write(folder, id, null));
        return before is not null && before != id;
    }

    /// <summary>Whether a store is still the one that this daemon keeps.</summary>
    public static async Task<bool> IsOfAsync(SchedulerStore store, CancellationToken cancellationToken) =>
        await store.ReadMetaAsync(DaemonName, cancellationToken) == store.Claim;

    private static bool HasCopies(string spool) => Directory.Exists(spool) && Directory.EnumerateFileSystemEntries(spool).Any();

    /// <summary>The id of the file, and the place of a database where that is the store now.</summary>
    private static (string? Id, string? Database) Read(string folder)
    {
        string path = Path.Join(folder, Name);
        if (!File.Exists(path))
            return default;
        string[] lines = File.ReadAllLines(path);
        return (Find("id "), Find("database "));

        string? Find(string name) => lines.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..];
    }

    private static bool Write(string folder, string? id, string? database)
    {
        string path = Path.Join(folder, Name);
        string unfinished = $"{path}.{Guid.NewGuid():N}.part";
        try
        {
            using (FileStream file = PrivateFiles.Create(unfinished))
            using (StreamWriter writer = new(file))
            {
                if (id is not null)
                    writer.WriteLine($"id {id}");
                if (database is not null)
                    writer.WriteLine($"database {database}");
                writer.Flush();
                file.Flush(flushToDisk: true);
            }

            File.Move(unfinished, path, overwrite: true);
            return true;
        }
        catch
        {
            PrivateFiles.TryDelete(unfinished);
            throw;
        }
    }

    private static T Guard<T>(string folder, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                $"{Path.Join(folder, Name)}, which says which store the scheduler has, cannot be read or written: {e.Message}",
                e
            );
        }
    }

    private static StoreException Gone(string folder, string store, string spool, bool hasCopies, string what) =>
        new(
            $"The store {store} {what}, and its schedules with it. Put a copy of it back. To begin without them, delete "
                + $"{Path.Join(folder, Name)}{(hasCopies ? $", move {spool} away" : "")}, and start again."
        );
}
