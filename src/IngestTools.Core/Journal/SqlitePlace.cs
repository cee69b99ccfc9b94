using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>The files of one place in SQLite.</summary>
internal sealed class SqlitePlace : IPlaceJournal
{
    /// <summary>Look-ups that share one read transaction: each of its own would cost twice as much.</summary>
    private const int LookupsInTransaction = 256;

    /// <summary>
    /// How long a read transaction lasts. While it does, the write-ahead log grows with all that any process writes, and what others write
    /// is not seen.
    /// </summary>
    private static readonly TimeSpan ReadingLimit = TimeSpan.FromSeconds(1);

    /// <summary>Rows that are read at once, so that no read transaction is held while they are worked on.</summary>
    private const int PageSize = 1000;

    /// <summary>The maximum number of jobs that are under way at the same time.</summary>
    private const int MaxRunningJobs = 100;

    private readonly string _path;
    private readonly SqliteConnection _connection;
    private readonly FileTable _files;
    private readonly SqliteCommand _find;
    private readonly Timer _readingEnd;
    private readonly long _id;
    private readonly object _lock = new();
    private SqliteTransaction? _reading;
    private int _lookups;
    private bool _hasFiles;

    public SqlitePlace(JournalFile file, JournalPlace place)
    {
        _path = file.Path;
        _connection = file.Open(isDurable: true);
        _files = new FileTable(_connection);
        _find = _connection.Prepare($"SELECT {FileTable.Columns} FROM file WHERE place = $place AND name = $name", "$place", "$name");
        _readingEnd = new Timer(
            static place => ((SqlitePlace)place!).EndReadingInTime(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        try
        {
            _id = Run(() => PlaceTable.IdOf(_connection, place));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public PlaceMark Mark
    {
        get =>
            Run(() =>
                _connection
                    .Read(
                        "SELECT mark_rows, mark_last FROM place WHERE id = $id",
                        static r => new PlaceMark(r.GetInt64(0), r.TextOrNull(1)),
                        ("$id", _id)
                    )
                    .FirstOrDefault()
            );
        set =>
            Change(
                "UPDATE place SET mark_rows = $rows, mark_last = $last WHERE id = $id",
                ("$rows", value.Rows),
                ("$last", value.Last),
                ("$id", _id)
            );
    }

    public bool IsClosing
    {
        get => Run(() => _connection.ReadNumber("SELECT closing FROM place WHERE id = $id", ("$id", _id)) == 1);
        set => Change("UPDATE place SET closing = $closing WHERE id = $id", ("$closing", value ? 1 : 0), ("$id", _id));
    }

    public long LastEndedJob =>
        Run(() =>
        {
            List<(long Number, bool IsRunning)> jobs = _connection.Read(
                $"SELECT id, status, machine, process, process_start, started > $recent FROM job WHERE place = $place ORDER BY id "
                    + $"DESC LIMIT {MaxRunningJobs}",
                static row => (Number: row.GetInt64(0), IsRunning: IsRunning(row)),
                ("$place", _id),
                ("$recent", DateTimeOffset.UtcNow.Subtract(SqliteJournal.RemoteJobLimit).ToUnixTimeMilliseconds())
            );
            // What a job that still runs sends may come after a start, and so may be what newer jobs than it have sent.
            int oldestRunning = jobs.FindLastIndex(static job => job.IsRunning);
            return jobs.Skip(oldestRunning + 1).FirstOrDefault().Number;
        });

    public JournaledFile? Find(string name) =>
        Run(() =>
        {
            if (_reading is null || ++_lookups > LookupsInTransaction)
                BeginReading();
            if (!_hasFiles)
                return null;
            _find.Transaction = _reading;
            using SqliteDataReader reader = _find.With(_id, name).ExecuteReader();
            return reader.Read() ? reader.ReadRow(_files.Read) : null;
        });

    public void Refresh() => Change(static () => { });

    public IEnumerable<JournaledFile> Read(FileState state)
    {
        string after = "";
        while (true)
        {
            List<JournaledFile> page = Run(() =>
            {
                EndReading();
                return _connection.Read(
                    $"SELECT {FileTable.Columns} FROM file WHERE place = $place AND name > $after AND state = $state ORDER BY name "
                        + $"LIMIT {PageSize}",
                    _files.Read,
                    ("$place", _id),
                    ("$after", after),
                    ("$state", (int)state)
                );
            });
            foreach (JournaledFile file in page)
                yield return file;
            if (page.Count < PageSize)
                yield break;
            after = page[^1].Name;
        }
    }

    public long Count(FileState state) =>
        Run(() =>
        {
            EndReading();
            return _connection.ReadNumber(
                    "SELECT count(*) FROM file WHERE place = $place AND state = $state",
                    ("$place", _id),
                    ("$state", (int)state)
                ) ?? 0;
        });

    public void Write(IReadOnlyCollection<JournaledFile> files)
    {
        if (files.Count > 0)
            Change(() => _files.Write(_id, files));
    }

    public IReadOnlyList<string> FindOthers(string name) =>
        Run(() =>
        {
            EndReading();
            return _connection.Read(
                "SELECT server_name FROM other_file WHERE place = $place AND name = $name",
                static r => r.GetString(0),
                ("$place", _id),
                ("$name", name)
            );
        });

    public void AddOthers(IReadOnlyCollection<(string Name, string ServerName)> others)
    {
        if (others.Count > 0)
            Change(() => AddOthersInTransaction(others));
    }

    public void Forget(FileState state) => Change(() => _files.Forget(_id, state));

    public void Dispose()
    {
        lock (_lock)
        {
            EndReading();
            _readingEnd.Dispose();
            _find.Dispose();
            _files.Dispose();
            _connection.Dispose();
        }
    }

    private void AddOthersInTransaction(IReadOnlyCollection<(string Name, string ServerName)> others)
    {
        using SqliteTransaction transaction = _connection.BeginTransaction();
        using SqliteCommand add = _connection.Prepare(
            "INSERT OR IGNORE INTO other_file (place, name, server_name) VALUES ($place, $name, $server)",
            "$place",
            "$name",
            "$server"
        );
        add.Transaction = transaction;
        foreach ((string name, string serverName) in others)
            add.With(_id, name, serverName).ExecuteNonQuery();
        transaction.Commit();
    }

    private void BeginReading()
    {
        EndReading();
        _reading = _connection.BeginTransaction(deferred: true);
        _lookups = 1;
        _hasFiles = _connection.ReadNumber("SELECT 1 FROM file WHERE place = $place LIMIT 1", ("$place", _id)) is not null;
        _readingEnd.Change(ReadingLimit, Timeout.InfiniteTimeSpan);
    }

    private void EndReading()
    {
        _reading?.Dispose();
        _reading = null;
    }

    private void EndReadingInTime()
    {
        lock (_lock)
        {
            try
            {
                EndReading();
            }
            catch (SqliteException)
            {
                // The next use of the journal reports what is wrong with its file.
                _reading = null;
            }
        }
    }

    /// <summary>A job whose process was killed has ended, although nobody recorded it.</summary>
    private static bool IsRunning(SqliteDataReader row) =>
        row.GetInt32(1) == (int)IngestJobStatus.Running
        && (row.GetString(2) == ProcessIdentity.Machine ? ProcessIdentity.IsAlive(row.GetInt32(3), row.GetString(4)) : row.GetBoolean(5));

    private void Change(string text, params (string Name, object? Value)[] parameters) =>
        Change(() => _connection.Execute(text, parameters));

    private void Change(Action change) =>
        Run(() =>
        {
            EndReading();
            change();
            return true;
        });

    private T Run<T>(Func<T> action)
    {
        lock (_lock)
            return JournalAccess.Run(_path, action);
    }
}

/// <summary>The numbers of places.</summary>
internal static class PlaceTable
{
    /// <summary>The number of a place; a new one where it has none.</summary>
    public static long IdOf(SqliteConnection connection, JournalPlace place)
    {
        (string, object?)[] key = [("$service", place.Service.ToString()), ("$server", place.Server), ("$name", place.Name)];
        const string Find = "SELECT id FROM place WHERE service = $service AND server = $server AND name = $name";
        if (connection.ReadNumber(Find, key) is { } id)
            return id;
        connection.Execute("INSERT OR IGNORE INTO place (service, server, name) VALUES ($service, $server, $name)", key);
        return connection.ReadNumber(Find, key)!.Value;
    }
}
