using IngestTools.Files;

namespace IngestTools.Scheduler.Store;

/// <summary>
/// Says in a daemon's folder which store is its own: a database elsewhere, or the file beside it. So a store that is gone is not replaced
/// by an empty one, and its schedules do not vanish without a word.
/// </summary>
internal static class StoreMark
{
    private const string Name = "store.txt";

    private const string IdName = "id";

    /// <summary>The start of the daemon that has the store.</summary>
    private const string DaemonName = "daemon";

    /// <summary>Where the store lies; null where it is the file in the folder.</summary>
    public static string? ReadPlace(string folder) => Read(folder) is ({ } place, null) ? place : null;

    /// <summary>Refuses to begin with an empty store where there was one with schedules. Nothing is made or changed.</summary>
    /// <exception cref="StoreException">The file is gone, or has nothing in it.</exception>
    public static void CheckFile(string folder, string store, string spool)
    {
        FileInfo file = new(store);
        if (file is { Exists: true, Length: > 0 })
            return;
        bool hasCopies = Directory.Exists(spool) && Directory.EnumerateFileSystemEntries(spool).Any();
        if (Read(folder)?.Id is not null || hasCopies)
            throw Gone(folder, store, spool, hasCopies, file.Exists ? "is empty" : "is gone");
    }

    /// <summary>Keeps which store the daemon has that starts.</summary>
    /// <returns>The id of the store that it had before; null where it has the same, or had none.</returns>
    /// <exception cref="StoreException">It had another one, and this one is empty.</exception>
    public static async Task<string?> KeepAsync(string folder, SchedulerStore store, string spool, CancellationToken cancellationToken)
    {
        string place = store.Dialect.Place;
        if (store.Dialect.IsShared)
        {
            Write(folder, place, null);
            return null;
        }

        string? before = Read(folder)?.Id;
        string? id = await store.ReadMetaAsync(IdName, cancellationToken);
        if (before is not null && before != id && await store.IsEmptyAsync(cancellationToken))
            throw Gone(folder, place, spool, Directory.Exists(spool), "has no schedules and no runs");
        if (id is null)
            await store.WriteMetaAsync(IdName, id = Guid.NewGuid().ToString("N"), cancellationToken);
        await store.WriteMetaAsync(DaemonName, store.Claim, cancellationToken);
        if (before != id)
            Write(folder, place, id);
        return before == id ? null : before;
    }

    /// <summary>Whether a store is still the one that this daemon keeps.</summary>
    public static async Task<bool> IsOfAsync(SchedulerStore store, CancellationToken cancellationToken) =>
        await store.ReadMetaAsync(DaemonName, cancellationToken) == store.Claim;

    private static (string? Place, string? Id)? Read(string folder)
    {
        string path = Path.Join(folder, Name);
        if (!File.Exists(path))
            return null;
        string[] lines = File.ReadAllLines(path);
        return (lines.ElementAtOrDefault(0), lines.ElementAtOrDefault(1));
    }

    private static void Write(string folder, string place, string? id)
    {
        string path = Path.Join(folder, Name);
        string unfinished = path + ".part";
        File.Delete(unfinished);
        using (FileStream file = PrivateFiles.Create(unfinished))
        using (StreamWriter writer = new(file))
        {
            writer.WriteLine(place);
            if (id is not null)
                writer.WriteLine(id);
            writer.Flush();
            file.Flush(flushToDisk: true);
        }

        File.Move(unfinished, path, overwrite: true);
    }

    private static StoreException Gone(string folder, string store, string spool, bool hasCopies, string what) =>
        new(
            $"The store {store} {what}, and its schedules with it. Put a copy of it back. To begin without them, delete "
                + $"{Path.Join(folder, Name)}{(hasCopies ? $" and move {spool} away" : "")}, and start again."
        );
}
