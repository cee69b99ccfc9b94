using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>Gives the results of a job back. Rows are read in pages, so that a job of a million files costs no more memory than one of ten.</summary>
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

    public IEnumerable<UploadResult> Read() => ReadFiles("file", "place, name", "(place, name) > ($place, $name)")
        .Concat(ReadFiles("replaced", "rowid, name", "(rowid, name) > ($place, $name)"))
        .Concat(ReadFailures());

    public void Dispose()
    {
        _files.Dispose();
        _connection.Dispose();
    }

    private IEnumerable<UploadResult> ReadFiles(string table, string order, string after)
    {
        (long Key, string Name) last = (-1, "");
        string key = order.Split(',')[0];
        while (true)
        {
            List<(long Key, JournaledFile File)> page = JournalAccess.Run(_path, () => _connection.Read(
                $"SELECT {FileTable.Columns}, {key} FROM {table} WHERE job = $job AND {after} ORDER BY {order} LIMIT {PageSize}",
                r => (r.GetInt64(9), _files.Read(r)), ("$job", _number), ("$place", last.Key), ("$name", last.Name)));
            foreach ((_, JournaledFile file) in page)
                yield return ResultOf(file);
            if (page.Count < PageSize)
                yield break;
            last = (page[^1].Key, page[^1].File.Name);
        }
    }

    private IEnumerable<UploadResult> ReadFailures()
    {
        long last = 0;
        while (true)
        {
            List<(long Row, UploadResult Result)> page = JournalAccess.Run(_path, () => _connection.Read(
                $"SELECT rowid, path, name, length, error, message FROM failure WHERE job = $job AND rowid > $last ORDER BY rowid LIMIT {PageSize}",
                r => (r.GetInt64(0), FailureOf(r)), ("$job", _number), ("$last", last)));
            foreach ((_, UploadResult result) in page)
                yield return result;
            if (page.Count < PageSize)
                yield break;
            last = page[^1].Row;
        }
    }

    private UploadResult ResultOf(JournaledFile file) => new()
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

    private UploadResult FailureOf(SqliteDataReader reader) => new()
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
            Advice = "Send it again: Get-UploadResult -Job <id> -Status Failed | Send-IngestFile.",
            Target = reader.GetString(1),
        },
        Connection = _job.Connection,
        Server = _job.Server,
    };
}
