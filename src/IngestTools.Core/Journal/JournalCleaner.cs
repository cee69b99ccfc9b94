using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>Counts and deletes records. Those of a job that runs, and of a start that has not ended, stay.</summary>
internal sealed class JournalCleaner
{
    private const string OfPlace =
        "($name IS NULL OR place IN (SELECT id FROM place WHERE service = $service AND name = $name)) AND ($server IS NULL OR place "
        + "IN (SELECT id FROM place WHERE server = $server))";

    private const string OldJobs =
        $"SELECT id FROM job WHERE $id IS NULL AND {OfPlace} AND ($before IS NULL OR started < $before) AND id NOT IN (SELECT value "
        + $"FROM json_each($running))";

    /// <summary>
    /// A file is as old as the job that sent it. A job that is not kept any more is older than the retention; and one that was sent from
    /// elsewhere has no age, and stays unless all is deleted.
    /// </summary>
    private const string OldFiles =
        $"$id IS NULL AND {OfPlace} AND job NOT IN (SELECT value FROM json_each($running)) AND ($before IS NULL OR job IN ({OldJobs}) "
        + $"OR ($is_recent AND job <> 0 AND job NOT IN (SELECT id FROM job)))";

    private const string OldStarts =
        $"($id IS NULL OR id = $key OR transaction_id = $id) AND {OfPlace} AND ($before IS NULL OR started < $before) AND id NOT IN "
        + $"(SELECT value FROM json_each($open))";

    private readonly SqliteConnection _connection;
    private readonly (string Name, object? Value)[] _values;

    public JournalCleaner(
        SqliteConnection connection,
        ClearQuery query,
        DateTimeOffset now,
        IEnumerable<long> running,
        IEnumerable<long> open
    )
    {
        _connection = connection;
        _values =
        [
            ("$service", query.Place?.Service.ToString()),
            ("$name", query.Place?.Name),
            ("$server", query.Server),
            ("$before", query.OlderThan?.ToUnixTimeMilliseconds()),
            ("$id", query.Id),
            ("$key", PendingStarts.KeyOf(query.Id)),
            ("$is_recent", query.OlderThan > now - SqliteJournal.Retention),
            ("$running", ListOf(running)),
            ("$open", ListOf(open)),
        ];
    }

    public JournalCleared Count() =>
        new(
            _connection.ReadNumber($"SELECT count(*) FROM file WHERE {OldFiles}", _values) ?? 0,
            _connection.ReadNumber($"SELECT count(*) FROM job WHERE id IN ({OldJobs})", _values) ?? 0,
            _connection.ReadNumber($"SELECT count(*) FROM start WHERE {OldStarts}", _values) ?? 0
        );

    /// <summary>
    /// Deletes records of files. How far the list of results was taken over is forgotten with them, so that it is read again from its
    /// beginning.
    /// </summary>
    public long DeleteFiles()
    {
        _connection.Execute(
            $"UPDATE place SET mark_rows = 0, mark_last = NULL WHERE id IN (SELECT place FROM file WHERE {OldFiles})",
            _values
        );
        long files = _connection.Execute($"DELETE FROM file WHERE {OldFiles}", _values);
        _connection.Execute("DELETE FROM other_file WHERE (place, name) NOT IN (SELECT place, name FROM file)");
        // One that has an older one of its name stays: it shows that the older one was replaced (JournaledUpload.File).
        _connection.Execute(
            """
            DELETE FROM upload WHERE NOT EXISTS (SELECT 1 FROM file f WHERE f.place = upload.place AND f.name = upload.name)
                AND NOT EXISTS (SELECT 1 FROM upload o WHERE o.server_name = upload.server_name AND o.id < upload.id)
            """
        );
        return files;
    }

    public (long Jobs, long Starts) DeleteHistory()
    {
        _connection.Execute($"DELETE FROM former_file WHERE job IN ({OldJobs})", _values);
        _connection.Execute($"DELETE FROM failure WHERE job IN ({OldJobs})", _values);
        long jobs = _connection.Execute($"DELETE FROM job WHERE id IN ({OldJobs})", _values);
        return (jobs, _connection.Execute($"DELETE FROM start WHERE {OldStarts}", _values));
    }

    /// <summary>Deletes the names of folders of which no file is left.</summary>
    public void DeleteFolders() =>
        _connection.Execute(
            """
            DELETE FROM folder WHERE id NOT IN (
                SELECT folder FROM file WHERE folder IS NOT NULL UNION SELECT folder FROM former_file WHERE folder IS NOT NULL)
            """
        );

    private static string ListOf(IEnumerable<long> numbers) => $"[{string.Join(',', numbers)}]";
}
