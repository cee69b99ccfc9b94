using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>Reads and writes records of files over one connection. Folders are kept once, and known ones are remembered.</summary>
internal sealed class FileTable : IDisposable
{
    /// <summary>Folders that are remembered. A tree with more of them costs one more look-up for each change of folder.</summary>
    private const int MaxRememberedFolders = 4096;

    public const string Columns = "name, folder, cut, length, written, sha, job, state, server_name";

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, long> _folderIds = new(StringComparer.Ordinal);
    private readonly Dictionary<long, string> _folderPaths = [];
    private SqliteCommand? _keep;
    private SqliteCommand? _write;

    public FileTable(SqliteConnection connection)
    {
        _connection = connection;
    }

    /// <summary>Writes a record within the transaction of the caller. The record of another job that it replaces is kept for that job's results.</summary>
    public void Write(SqliteTransaction transaction, long place, JournaledFile file)
    {
        _keep ??= _connection.Prepare(
            $"INSERT INTO replaced SELECT place, {Columns} FROM file WHERE place = $place AND name = $name AND job NOT IN ($job, 0)", "$place", "$name", "$job");
        _write ??= _connection.Prepare(
            $"INSERT OR REPLACE INTO file (place, {Columns}) VALUES ($place, $name, $folder, $cut, $length, $written, $sha, $job, $state, $server)",
            "$place", "$name", "$folder", "$cut", "$length", "$written", "$sha", "$job", "$state", "$server");
        _keep.Transaction = transaction;
        _write.Transaction = transaction;
        LocalPathParts? parts = file.Path is null ? null : LocalPathParts.Split(file.Path, file.Name);
        _keep.With(place, file.Name, file.Job).ExecuteNonQuery();
        _write.With(
            place, file.Name, parts is null ? null : FolderId(parts.Value.Folder), parts?.Cut, file.Length, file.LastWriteTime?.Ticks,
            JournalAccess.HashBytes(file.Sha256), file.Job, (long)file.State, file.ServerName).ExecuteNonQuery();
    }

    /// <summary>Reads a record from the columns <see cref="Columns"/>.</summary>
    public JournaledFile Read(SqliteDataReader reader)
    {
        string name = reader.GetString(0);
        return new JournaledFile
        {
            Name = name,
            Path = reader.NumberOrNull(1) is { } folder ? new LocalPathParts(FolderPath(folder), reader.GetInt32(2)).Join(name) : null,
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
        _keep?.Dispose();
        _write?.Dispose();
    }

    /// <summary>Ids of a transaction that is rolled back are not valid, so they are forgotten.</summary>
    public void ForgetFolders() => _folderIds.Clear();

    private long FolderId(string path)
    {
        if (_folderIds.TryGetValue(path, out long id))
            return id;
        if (_folderIds.Count >= MaxRememberedFolders)
            _folderIds.Clear();
        id = _connection.ReadNumber("SELECT id FROM folder WHERE path = $path", ("$path", path))
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
