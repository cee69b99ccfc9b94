using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>The files of one place in SQLite.</summary>
internal sealed class SqlitePlace : IPlaceJournal
{
    /// <summary>Look-ups that share one read transaction: each of its own would cost twice as much.</summary>
    private const int LookupsInTransaction = 256;

    /// <summary>Rows that are read at once, so that no read transaction is held while they are worked on.</summary>
    private const int PageSize = 1000;

    private readonly string _path;
    private readonly SqliteConnection _connection;
    private readonly FileTable _files;
    private readonly SqliteCommand _find;
    private readonly long _id;
    private readonly object _lock = new();
    private SqliteTransaction? _reading;
    private int _lookups;
    private bool _mayHaveFiles;

    public SqlitePlace(JournalFile file, JournalPlace place)
    {
        _path = file.Path;
        _connection = file.Open(isDurable: true);
        _files = new FileTable(_connection);
        _find = _connection.Prepare($"SELECT {FileTable.Columns} FROM file WHERE place = $place AND name = $name", "$place", "$name");
        _id = Run(() => PlaceTable.IdOf(_connection, place));
        _mayHaveFiles = Run(() => _connection.ReadNumber("SELECT 1 FROM file WHERE place = $place LIMIT 1", ("$place", _id)) is not null);
    }

    public PlaceMark Mark
    {
        get => Run(() => _connection.Read(
            "SELECT mark_rows, mark_last FROM place WHERE id = $id", static r => new PlaceMark(r.GetInt64(0), r.TextOrNull(1)), ("$id", _id)).FirstOrDefault());
        set => Change("UPDATE place SET mark_rows = $rows, mark_last = $last WHERE id = $id", ("$rows", value.Rows), ("$last", value.Last), ("$id", _id));
    }

    public bool IsClosing
    {
        get => Run(() => _connection.ReadNumber("SELECT closing FROM place WHERE id = $id", ("$id", _id)) == 1);
        set => Change("UPDATE place SET closing = $closing WHERE id = $id", ("$closing", value ? 1 : 0), ("$id", _id));
    }

    public long LastEndedJob => Run(() => _connection.ReadNumber(
        "SELECT id FROM job WHERE place = $place AND status <> $running ORDER BY id DESC LIMIT 1", ("$place", _id), ("$running", (int)IngestJobStatus.Running))) ?? 0;

    public JournaledFile? Find(string name)
    {
        if (!_mayHaveFiles)
            return null;
        return Run(() =>
        {
            if (_reading is null || ++_lookups > LookupsInTransaction)
            {
                EndReading();
                _reading = _connection.BeginTransaction(deferred: true);
                _lookups = 1;
            }

            _find.Transaction = _reading;
            using SqliteDataReader reader = _find.With(_id, name).ExecuteReader();
            return reader.Read() ? _files.Read(reader) : null;
        });
    }

    public IEnumerable<JournaledFile> Read(FileState state)
    {
        string after = "";
        while (true)
        {
            List<JournaledFile> page = Run(() =>
            {
                EndReading();
                return _connection.Read(
                    $"SELECT {FileTable.Columns} FROM file WHERE place = $place AND name > $after AND state = $state ORDER BY name LIMIT {PageSize}",
                    _files.Read, ("$place", _id), ("$after", after), ("$state", (int)state));
            });
            foreach (JournaledFile file in page)
                yield return file;
            if (page.Count < PageSize)
                yield break;
            after = page[^1].Name;
        }
    }

    public long Count(FileState state) => Run(() =>
    {
        EndReading();
        return _connection.ReadNumber("SELECT count(*) FROM file WHERE place = $place AND state = $state", ("$place", _id), ("$state", (int)state)) ?? 0;
    });

    public void Write(IReadOnlyCollection<JournaledFile> files)
    {
        if (files.Count == 0)
            return;
        Run(() =>
        {
            EndReading();
            using SqliteTransaction transaction = _connection.BeginTransaction();
            try
            {
                foreach (JournaledFile file in files)
                    _files.Write(transaction, _id, file);
                transaction.Commit();
            }
            catch
            {
                _files.ForgetFolders();
                throw;
            }

            return true;
        });
        _mayHaveFiles = true;
    }

    public void Forget(FileState state) => Change("DELETE FROM file WHERE place = $place AND state = $state", ("$place", _id), ("$state", (int)state));

    public void Dispose()
    {
        _reading?.Dispose();
        _find.Dispose();
        _files.Dispose();
        _connection.Dispose();
    }

    private void EndReading()
    {
        _reading?.Dispose();
        _reading = null;
    }

    private void Change(string text, params (string Name, object? Value)[] parameters) => Run(() =>
    {
        EndReading();
        return _connection.Execute(text, parameters);
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
