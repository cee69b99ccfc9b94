using System.Data.Common;
using IngestTools.Files;
using Microsoft.Data.Sqlite;

namespace IngestTools.Scheduler.Store;

/// <summary>
/// The files of a store on this machine: made so that only its owner can read them, and looked over before they are trusted.
/// </summary>
internal static class SqliteFiles
{
    private static readonly string[] Companions = ["", "-wal", "-shm", "-journal"];

    /// <exception cref="StoreException">The store is broken, or cannot be written.</exception>
    public static async Task PrepareAsync(SqliteDialect dialect, CancellationToken cancellationToken)
    {
        try
        {
            CreatePrivate(dialect.Place);
            await CheckAsync(dialect.Place, cancellationToken);
            dialect.RememberFile();
        }
        catch (SqliteException e) when (dialect.IsCorrupt(e))
        {
            throw StoreSchema.Corrupt(dialect, e);
        }
        catch (Exception e) when (e is DbException or IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                $"The store {dialect.Place} cannot be opened: {e.Message} Look whether this account may write there, and whether the "
                    + $"disk has room.",
                e
            );
        }
    }

    /// <summary>The paths of a database's files, whether they exist or not.</summary>
    public static IEnumerable<string> Of(string path) => Companions.Select(companion => path + companion);

    /// <summary>Removes a database, whatever state it is in.</summary>
    public static void Remove(string path)
    {
        SqliteConnection.ClearAllPools();
        foreach (string file in Of(path))
            File.Delete(file);
    }

    private static void CreatePrivate(string path)
    {
        if (!File.Exists(path))
            PrivateFiles.Create(path).Dispose();
    }

    private static async Task CheckAsync(string path, CancellationToken cancellationToken)
    {
        string connectionText = new SqliteConnectionStringBuilder { DataSource = path }.ToString();
        await SqliteDialect.UseWriteAheadLogAsync(connectionText, cancellationToken);
        using SqliteConnection connection = new(connectionText);
        await connection.OpenAsync(cancellationToken);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "PRAGMA quick_check(1)";
        if (await command.ExecuteScalarAsync(cancellationToken) is string found and not "ok")
            throw new SqliteException(found, SqliteDialect.SqliteCorrupt);
    }
}
