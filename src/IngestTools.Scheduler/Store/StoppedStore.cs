using IngestTools.Files;
using IngestTools.Scheduling;
using Microsoft.Data.Sqlite;

namespace IngestTools.Scheduler.Store;

/// <summary>
/// The store of a daemon that is down, read from a private copy. SQLite cannot read a file with a write-ahead log without making or
/// changing the files beside it, and a daemon that starts meanwhile must not be held up.
/// </summary>
internal sealed class StoppedStore : IDisposable
{
    private const string WriteAheadLog = "-wal";

    /// <summary>A store that changes so often while it is copied is in use.</summary>
    private const int MostTries = 5;

    private readonly string _copy;

    private StoppedStore(string copy, SqliteDialect dialect)
    {
        _copy = copy;
        Dialect = dialect;
    }

    public SqliteDialect Dialect { get; }

    /// <summary>Copies the store of a folder, and looks whether it can be read.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.SchedulerNotRunning"/>: the store is missing, or is a
    /// database. <see cref="ErrorId.NotAllowed"/>:
    /// this account may not read it.</exception>
    /// <exception cref="StoreException">Another account owns it, or it is broken, empty or a newer version's.</exception>
    public static async Task<StoppedStore> OpenAsync(string folder, CancellationToken cancellationToken)
    {
        string store = SchedulerPlace.StoreOf(folder);
        try
        {
            if (!Directory.Exists(folder))
                throw NoStore(folder);
            PrivateFolder.RefuseForeign(folder);
            if (StoreMark.ReadPlace(folder) is { } place)
                throw Elsewhere(folder, place);
            if (!File.Exists(store))
                throw NoStore(folder);
            string copy = Path.Join(Path.GetTempPath(), $"ingest-scheduler-{Guid.NewGuid():N}");
            PrivateFiles.CreateFolder(copy);
            StoppedStore opened = new(copy, new SqliteDialect(copy, store));
            try
            {
                CopyWhole(store, SchedulerPlace.StoreOf(copy));
                await StoreSchema.CheckReadableAsync(opened.Dialect, cancellationToken);
                return opened;
            }
            catch
            {
                opened.Dispose();
                throw;
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IngestException(
                ErrorId.NotAllowed,
                $"The scheduler does not run, and its store {store} cannot be read: {e.Message}",
                e
            )
            {
                Operation = "read",
                Advice = "Use the account that the scheduler runs as.",
                Target = store,
            };
        }
        catch (IOException e)
        {
            throw new StoreException($"The store {store} cannot be read: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        Dialect.Dispose();
        SqliteConnection.ClearAllPools();
        PrivateFolder.TryDelete(_copy);
    }

    /// <summary>Copies the file and its write-ahead log as they are at one moment.</summary>
    private static void CopyWhole(string store, string copy)
    {
        for (int tries = 0; tries < MostTries; tries++)
        {
            string before = Describe(store);
            foreach (string companion in (string[])["", WriteAheadLog])
            {
                File.Delete(copy + companion);
                if (File.Exists(store + companion))
                    Copy(store + companion, copy + companion);
            }

            if (Describe(store) == before)
                return;
        }

        throw new StoreException($"The store {store} changes while it is read: a scheduler uses it. Try again.");
    }

    private static void Copy(string from, string to)
    {
        using FileStream source = new(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using FileStream target = PrivateFiles.Create(to, FileOptions.None);
        source.CopyTo(target);
    }

    /// <summary>What would differ if somebody had written meanwhile.</summary>
    private static string Describe(string store) =>
        string.Join(
            ' ',
            ((string[])["", WriteAheadLog])
                .Select(companion => new FileInfo(store + companion))
                .Select(file => file.Exists ? $"{file.Length} {file.LastWriteTimeUtc.Ticks}" : "none")
        );

    private static IngestException Elsewhere(string folder, string place) =>
        new(ErrorId.SchedulerNotRunning, $"The scheduler does not run. Its store is {place}, which is read through a scheduler that runs.")
        {
            Operation = "read",
            Advice = "Ask another node, or start this one: Start-IngestScheduler.",
            Target = folder,
        };

    private static IngestException NoStore(string folder) =>
        new(ErrorId.SchedulerNotRunning, $"The scheduler does not run, and there is no store in {folder}.")
        {
            Operation = "read",
            Advice = "Start-IngestScheduler starts it.",
            Target = folder,
        };
}
