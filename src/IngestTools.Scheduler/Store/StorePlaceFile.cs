namespace IngestTools.Scheduler.Store;

/// <summary>
/// Says in a daemon's folder that its store is a database elsewhere: a file of an earlier store that is still there is not the store.
/// </summary>
internal static class StorePlaceFile
{
    private const string Name = "store.txt";

    /// <summary>Keeps where the store of a daemon lies that starts.</summary>
    public static void Write(string folder, StoreDialect dialect)
    {
        string path = Path.Join(folder, Name);
        if (dialect.IsShared)
            File.WriteAllText(path, dialect.Place);
        else
            File.Delete(path);
    }

    /// <summary>Where the store lies; null where it is the file in the folder.</summary>
    public static string? Read(string folder)
    {
        string path = Path.Join(folder, Name);
        return File.Exists(path) ? File.ReadAllText(path) : null;
    }
}
