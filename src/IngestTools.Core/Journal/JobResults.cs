using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>
/// Gives the results of a job back. Rows are read in pages, so that a job of a million files costs no more memory than one of ten.
/// </summary>
internal sealed class JobResults : IDisposable
{
    private const int PageSize = 1000;

    private readonly string _path;
    private readonly SqliteConnection _connection;
    private readonly FileTable _files;
    private readonly IngestJob _job;
    private readonly long _number;

    public JobResults(JournalFile file, IngestJob job, long number)
    {
        _path = file.Path;
        _connection = file.Open(isDurable: false);
        _files = new FileTable(_connection);
        _job = job;
        _number = number;
    }

    public IEnumerable<UploadResult> Read(UploadStatus[] statuses)
    {
        // A job has one place, and in the order of its primary key, the table of files is read once from its beginning to its end.
        IEnumerable<UploadResult> files = ReadPages(
            "",
            after =>
                Select(
                    $"SELECT {FileTable.Columns} FROM file WHERE job = $job AND place = (SELECT place FROM job WHERE id = $job) AND "
                        + $"name > $after ORDER BY name",
                    r => (r.GetString(0), ResultOf(_files.Read(r))),
                    after
                )
        );
        IEnumerable<UploadResult> former = ReadPages(
            0L,
            after =>
                Select(
                    $"SELECT {FileTable.Columns}, rowid FROM former_file WHERE job = $job AND rowid > $after ORDER BY rowid",
                    r => (r.GetInt64(9), ResultOf(_files.Read(r))),
                    after
                )
        );
        IEnumerable<UploadResult> failures = ReadPages(
            0L,
            after =>
                Select(
                    "SELECT rowid, path, name, length, error, message FROM failure WHERE job = $job AND rowid > $after ORDER BY rowid",
                    r => (r.GetInt64(0), FailureOf(r)),
                    after
                )
        );
        bool hasUploaded = statuses.Length == 0 || statuses.Contains(UploadStatus.Uploaded);
        bool hasFailed = statuses.Length == 0 || statuses.Contains(UploadStatus.Failed);
        return (hasUploaded ? files.Concat(former) : []).Concat(hasFailed ? failures : []);
    }

    public void Dispose()
    {
        _files.Dispose();
        _connection.Dispose();
    }

    private static IEnumerable<UploadResult> ReadPages<TKey>(TKey first, Func<TKey, List<(TKey Key, UploadResult Result)>> read)
    {
        List<(TKey Key, UploadResult Result)> page = read(first);
        while (page.Count > 0)
        {
            foreach ((_, UploadResult result) in page)
                yield return result;
            page = page.Count == PageSize ? read(page[^1].Key) : [];
        }
    }

    private List<(TKey Key, UploadResult Result)> Select<TKey>(
        string text,
        Func<SqliteDataReader, (TKey Key, UploadResult Result)> read,
        TKey after
    ) => JournalAccess.Run(_path, () => _connection.Read($"{text} LIMIT {PageSize}", read, ("$job", _number), ("$after", after)));

    private UploadResult ResultOf(JournaledFile file) =>
        new()
        {
            Path = file.Path ?? file.Name,
            RemoteName = file.Name,
            FileName = _job.Service == IngestService.Voss ? file.ServerName : null,
            Derivative = _job.Service == IngestService.DspIngest ? file.ServerName : null,
            Shortcode = _job.Shortcode,
            Hierarchy = _job.Hierarchy,
            Length = file.Length ?? 0,
            Sha256 = file.Sha256,
            Status = UploadStatus.Uploaded,
            Connection = _job.Connection,
            Server = _job.Server,
        };

    private UploadResult FailureOf(SqliteDataReader reader) =>
        new()
        {
            Path = reader.GetString(1),
            RemoteName = reader.GetString(2),
            Shortcode = _job.Shortcode,
            Hierarchy = _job.Hierarchy,
            Length = reader.GetInt64(3),
            Status = UploadStatus.Failed,
            Error = new IngestException(Enum.TryParse(reader.GetString(4), out ErrorId id) ? id : ErrorId.Rejected, reader.GetString(5))
            {
                Service = _job.Service,
                Operation = "upload",
                Advice = $"Send it again: Get-UploadResult -Job {_job.Id} -Status Failed | Send-IngestFile.",
                Target = reader.GetString(1),
            },
            Connection = _job.Connection,
            Server = _job.Server,
        };
}
