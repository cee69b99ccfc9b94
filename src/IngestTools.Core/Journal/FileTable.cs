using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>Reads and writes records of files over one connection. Folders are kept once, and known ones are remembered.</summary>
/// <remarks>
/// A record of another job that is replaced or forgotten becomes a former one: the results of that job can still be read.
/// </remarks>
internal sealed class FileTable : IDisposable
{
    /// <summary>Folders that are remembered. A tree with more of them costs one more look-up for each change of folder.</summary>
    private const int MaxRememberedFolders = 4096;

    public const string Columns = "name, folder, cut, length, written, sha, job, state, server_name";

    private static readonly string[] Parameters =
    [
        "$place",
        "$name",
        "$folder",
        "$cut",
        "$length",
        "$written",
        "$sha",
        "$job",
        "$state",
        "$server",
    ];

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, long> _folderIds = new(StringComparer.Ordinal);
    private readonly Dictionary<long, string> _folderPaths = [];
    private SqliteCommand? _add;
    private SqliteCommand? _keep;
    private SqliteCommand? _replace;
    private SqliteCommand? _newest;

    public FileTable(SqliteConnection connection)
    {
        _connection = connection;
    }

    /// <summary>Writes records in one transaction, with what else belongs to it.</summary>
    public void Write(long place, IEnumerable<JournaledFile> files, Action? more = null)
    {
        using SqliteTransaction transaction = _connection.BeginTransaction();
        // Another process may have deleted folders since the last transaction.
        _folderIds.Clear();
        foreach (JournaledFile file in files)
            Write(place, file, transaction);
        more?.Invoke();
        transaction.Commit();
    }

    /// <summary>Deletes the records of a state.</summary>
    public void Forget(long place, FileState state)
    {
        using SqliteTransaction transaction = _connection.BeginTransaction();
        (string, object?)[] which = [("$place", place), ("$state", (long)state)];
        _connection.Execute(
            $"INSERT INTO former_file SELECT place, {Columns} FROM file WHERE place = $place AND state = $state AND job <> 0",
            which
        );
        _connection.Execute("DELETE FROM file WHERE place = $place AND state = $state", which);
        transaction.Commit();
    }

    /// <summary>Reads a record from the columns <see cref="Columns"/>.</summary>
    public JournaledFile Read(SqliteDataReader reader)
    {
        string name = reader.GetString(0);
        return new JournaledFile
        {
            Name = name,
            Path = reader.NumberOrNull(1) is { } folder
                ? new LocalPathParts(FolderPath(folder), reader.GetInt32(2)).Join(name, Path.DirectorySeparatorChar)
                : null,
            Length = reader.NumberOrNull(3),
            LastWriteTime = reader.NumberOrNull(4) is { } written ? new DateTime(written, DateTimeKind.Utc) : null,
            Sha256 = reader.HashOrNull(5),
            Job = reader.GetInt64(6),
            State = (FileState)reader.GetInt32(7),
            ServerName = reader.TextOrNull(8),
        };
    }

    public void Dispose()
    {
        _add?.Dispose();
        _keep?.Dispose();
        _replace?.Dispose();
        _newest?.Dispose();
    }

    private void Write(long place, JournaledFile file, SqliteTransaction transaction)
    {
        const string Values =
            $"INTO file (place, {Columns}) VALUES ($place, $name, $folder, $cut, $length, $written, $sha, $job, $state, $server)";
        _add ??= _connection.Prepare($"INSERT {Values} ON CONFLICT (place, name) DO NOTHING", Parameters);
        _keep ??= _connection.Prepare(
            $"INSERT INTO former_file SELECT place, {Columns} FROM file WHERE place = $place AND name = $name AND job NOT IN ($job, 0)",
            "$place",
            "$name",
            "$job"
        );
        _replace ??= _connection.Prepare($"REPLACE {Values}", Parameters);
        _add.Transaction = _keep.Transaction = _replace.Transaction = transaction;
        LocalPathParts? parts = file.Path is null ? null : LocalPathParts.Split(file.Path, file.Name, Path.DirectorySeparatorChar);
        object?[] values =
        [
            place,
            file.Name,
            parts is null ? null : FolderId(parts.Value.Folder),
            parts?.Cut,
            file.Length,
            file.LastWriteTime?.Ticks,
            JournalAccess.HashBytes(file.Sha256),
            file.Job,
            (long)file.State,
            file.ServerName,
        ];
        // Most names are new, and cost one statement.
        if (_add.With(values).ExecuteNonQuery() == 0)
        {
            _keep.With(place, file.Name, file.Job).ExecuteNonQuery();
            _replace.With(values).ExecuteNonQuery();
        }

        if (file is { State: FileState.Sent, ServerName: not null })
            WriteNewest(place, file, transaction);
    }

    /// <summary>Records that the server now has this file under the name that it gave it.</summary>
    private void WriteNewest(long place, JournaledFile file, SqliteTransaction transaction)
    {
        _newest ??= _connection.Prepare(
            "REPLACE INTO upload (place, name, server_name, sent) VALUES ($place, $name, $server, $sent)",
            "$place",
            "$name",
            "$server",
            "$sent"
        );
        _newest.Transaction = transaction;
        _newest.With(place, file.Name, file.ServerName, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()).ExecuteNonQuery();
    }

    private long FolderId(string path)
    {
        if (_folderIds.TryGetValue(path, out long id))
            return id;
        if (_folderIds.Count >= MaxRememberedFolders)
            _folderIds.Clear();
        id =
            _connection.ReadNumber("SELECT id FROM folder WHERE path = $path", ("$path", path))
            ?? _connection.ReadNumber("INSERT INTO folder (path) VALUES ($path) RETURNING id", ("$path", path))!.Value;
        _folderIds.Add(path, id);
        return id;
    }

    private string FolderPath(long id)
    {
        if (_folderPaths.TryGetValue(id, out string? path))
            return path;
        if (_folderPaths.Count >= MaxRememberedFolders)
            _folderPaths.Clear();
        path = _connection.Read("SELECT path FROM folder WHERE id = $id", static r => r.GetString(0), ("$id", id)).FirstOrDefault() ?? "";
        _folderPaths.Add(id, path);
        return path;
    }
}
