using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>The journal in one SQLite file, which several processes use at once.</summary>
internal sealed class SqliteJournal(string path, TimeProvider time) : IIngestJournal
{
    /// <summary>Jobs and ended transactions are deleted after this time. Records of files stay.</summary>
    private static readonly TimeSpan Retention = TimeSpan.FromDays(400);

    private readonly JournalFile _file = new(Path.GetFullPath(path));
    private readonly object _lock = new();
    private SqliteConnection? _connection;
    private bool _isTidy;

    public bool IsOn => true;

    public IPlaceJournal OpenPlace(JournalPlace place) => new SqlitePlace(_file, place);

    public IUploadJob BeginJob(JournalPlace place, string connection, long? call)
    {
        Tidy();
        return new SqliteUploadJob(_file, place, connection, call, time);
    }

    public long BeginStart(JournaledStart start)
    {
        ArgumentNullException.ThrowIfNull(start);
        Tidy();
        return Use(connection => connection.ReadNumber(
            """
            INSERT INTO start (place, transaction_id, state, started, sha, before_rows, before_last, last_job, manual_check, machine, process, process_start, content)
            VALUES ($place, $id, $state, $started, $sha, $rows, $last, $job, $check, $machine, $process, $start, $content) RETURNING id
            """,
            ("$place", PlaceTable.IdOf(connection, start.Place)), ("$id", start.Transaction.Id), ("$state", (int)StartState.Starting),
            ("$started", time.GetUtcNow().ToUnixTimeMilliseconds()), ("$sha", JournalAccess.HashBytes(start.Sha256)), ("$rows", start.Before?.Rows),
            ("$last", start.Before?.Last), ("$job", start.LastJob), ("$check", start.ManualCheck), ("$machine", ProcessIdentity.Machine),
            ("$process", ProcessIdentity.Current.Number), ("$start", ProcessIdentity.Current.Start), ("$content", Serialize(start.Transaction)))!.Value);
    }

    public void EndStart(long key, Transaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        Use(connection => connection.Execute(
            "UPDATE start SET transaction_id = $id, state = $state, content = $content WHERE id = $key",
            ("$id", transaction.Id), ("$state", (int)StateOf(transaction)), ("$content", Serialize(transaction)), ("$key", key)));
    }

    public void CancelStart(long key) => Use(connection => connection.Execute("DELETE FROM start WHERE id = $key", ("$key", key)));

    public void LoseStart(long key, string message) => Use(connection => connection.Execute(
        "UPDATE start SET state = $state, manual_check = $check WHERE id = $key", ("$state", (int)StartState.Lost), ("$check", message), ("$key", key)));

    public void Update(Transaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        Use(connection =>
        {
            const string Same = "FROM start s JOIN place p ON p.id = s.place WHERE s.transaction_id = $id AND ($server IS NULL OR p.server = $server)";
            (string, object?)[] of = [("$id", transaction.Id), ("$server", transaction.Server)];
            int count = connection.Execute(
                $"UPDATE start SET state = $state, content = $content WHERE id = (SELECT max(s.id) {Same}) AND (state <> $ended OR $state = $ended)",
                [.. of, ("$state", (int)StateOf(transaction)), ("$content", Serialize(transaction)), ("$ended", (int)StartState.Ended)]);
            // A project's runs share one id. When it is idle, the older ones have ended too.
            if (count > 0 && transaction.IsTerminal)
                connection.Execute($"UPDATE start SET state = $ended WHERE state <> $ended AND id IN (SELECT s.id {Same})", [.. of, ("$ended", (int)StartState.Ended)]);
            return count;
        });
    }

    public JournaledUpload? FindUpload(IngestService service, string server, string serverName) => Use(connection =>
    {
        using FileTable files = new(connection);
        return connection.Read(
            $"""
            SELECT f.*, p.name FROM (SELECT {FileTable.Columns}, place FROM file WHERE server_name = $name) f JOIN place p ON p.id = f.place
            WHERE p.service = $service AND p.server = $server ORDER BY f.job DESC LIMIT 1
            """,
            reader => new JournaledUpload(new JournalPlace(service, server, reader.GetString(10)), files.Read(reader)),
            ("$name", serverName), ("$service", service.ToString()), ("$server", server)).FirstOrDefault();
    });

    public IReadOnlyList<JournaledTransaction> ReadTransactions(TransactionQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Use(connection => connection.Read(
            """
            SELECT s.id, p.service, s.state, s.sha, s.before_rows, s.before_last, s.last_job, s.manual_check, s.machine, s.process, s.process_start, s.content, p.server, p.name
            FROM start s JOIN place p ON p.id = s.place
            WHERE ($ended OR s.state <> 2) AND ($key IS NULL OR s.id = $key) AND ($id IS NULL OR s.transaction_id = $id) AND ($server IS NULL OR p.server = $server)
                AND ($service IS NULL OR p.service = $service) AND ($place IS NULL OR p.name = $place) AND ($sha IS NULL OR s.sha = $sha) AND ($since IS NULL OR s.started >= $since)
            ORDER BY s.id DESC LIMIT $last
            """,
            reader => PendingStarts.WithId(ReadTransaction(reader)),
            ("$ended", query.IncludesEnded), ("$key", PendingStarts.KeyOf(query.Id)), ("$id", PendingStarts.KeyOf(query.Id) is null ? query.Id : null), ("$server", query.Place?.Server ?? query.Server), ("$service", (query.Place?.Service ?? query.Service)?.ToString()), ("$place", query.Place?.Name),
            ("$sha", JournalAccess.HashBytes(query.Sha256)), ("$since", query.Since?.ToUnixTimeMilliseconds()), ("$last", query.Last ?? -1)));
    }

    public IReadOnlyList<IngestJob> ReadJobs(JobQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Use(connection => connection.Read(
            """
            SELECT j.id, j.status, j.connection, j.started, j.ended, j.uploaded, j.failed, j.skipped, j.bytes, j.machine, j.process, j.process_start, p.server, p.name, p.service
            FROM job j JOIN place p ON p.id = j.place
            WHERE ($id IS NULL OR j.id = $id) AND ($since IS NULL OR j.started >= $since) ORDER BY j.id DESC LIMIT $last
            """,
            ReadJob, ("$id", query.Number), ("$since", query.Since?.ToUnixTimeMilliseconds()), ("$last", query.Last ?? -1)));
    }

    public IEnumerable<UploadResult> ReadResults(long job)
    {
        if (ReadJobs(new JobQuery { Number = job }) is not [IngestJob found])
            yield break;
        using JobResults results = new(_file, found, job);
        foreach (UploadResult result in results.Read())
            yield return result;
    }

    public JournalCleared Clear(ClearQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Use(connection =>
        {
            using SqliteTransaction transaction = connection.BeginTransaction();
            const string OfPlace = "($place IS NULL OR place IN (SELECT id FROM place WHERE name = $place))";
            (string, object?)[] limits =
            [
                ("$place", query.PlaceName), ("$before", query.OlderThan?.ToUnixTimeMilliseconds()), ("$running", (int)IngestJobStatus.Running), ("$ended", (int)StartState.Ended),
            ];
            const string OldJobs = $"SELECT id FROM job WHERE {OfPlace} AND ($before IS NULL OR started < $before)";
            long files = !query.IncludesFiles ? 0
                : connection.Execute($"DELETE FROM file WHERE {OfPlace} AND ($before IS NULL OR job = 0 OR job NOT IN (SELECT id FROM job) OR job IN ({OldJobs}))", limits);
            if (query.IncludesFiles && query.OlderThan is null)
                connection.Execute("UPDATE place SET mark_rows = 0, mark_last = NULL WHERE $place IS NULL OR name = $place", limits);
            connection.Execute($"DELETE FROM replaced WHERE job IN ({OldJobs})", limits);
            connection.Execute($"DELETE FROM failure WHERE job IN ({OldJobs})", limits);
            long jobs = connection.Execute($"DELETE FROM job WHERE id IN ({OldJobs}) AND NOT (status = $running AND ended IS NULL AND started > $alive)", [.. limits, ("$alive", AliveSince())]);
            long starts = connection.Execute($"DELETE FROM start WHERE {OfPlace} AND ($before IS NULL OR started < $before) AND state = $ended", limits);
            transaction.Commit();
            return new JournalCleared(files, jobs, starts);
        });
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _connection?.Dispose();
            _connection = null;
        }
    }

    /// <summary>A job that began since may still run.</summary>
    private long AliveSince() => time.GetUtcNow().AddDays(-7).ToUnixTimeMilliseconds();

    private static StartState StateOf(Transaction transaction) => transaction.IsTerminal ? StartState.Ended : StartState.Started;

    private static string Serialize(Transaction transaction) =>
        JsonSerializer.Serialize(transaction with { SubTransactions = null, Log = null }, JournalJson.Default.Transaction);

    private static JournaledTransaction ReadTransaction(SqliteDataReader reader)
    {
        StartState state = (StartState)reader.GetInt32(2);
        bool isAlive = reader.GetString(8) != ProcessIdentity.Machine || ProcessIdentity.IsAlive(reader.GetInt32(9), reader.GetString(10));
        return new JournaledTransaction
        {
            Key = reader.GetInt64(0),
            State = state == StartState.Starting && !isAlive ? StartState.Lost : state,
            Sha256 = reader.HashOrNull(3),
            Before = reader.NumberOrNull(4) is { } rows ? new PlaceMark(rows, reader.TextOrNull(5)) : null,
            LastJob = reader.GetInt64(6),
            ManualCheck = reader.TextOrNull(7),
            Transaction = JsonSerializer.Deserialize(reader.GetString(11), JournalJson.Default.Transaction)!,
            Place = new JournalPlace(ServiceOf(reader.GetString(1)), reader.GetString(12), reader.GetString(13)),
        };
    }

    private static IngestJob ReadJob(SqliteDataReader reader)
    {
        IngestJobStatus status = (IngestJobStatus)reader.GetInt32(1);
        bool isGone = status == IngestJobStatus.Running && reader.GetString(9) == ProcessIdentity.Machine
            && !ProcessIdentity.IsAlive(reader.GetInt32(10), reader.GetString(11));
        IngestService service = ServiceOf(reader.GetString(14));
        return new IngestJob
        {
            Id = IngestJob.FormatId(reader.GetInt64(0)),
            Status = isGone ? IngestJobStatus.Interrupted : status,
            Connection = reader.TextOrNull(2),
            StartedAt = reader.Time(3),
            CompletedAt = reader.IsDBNull(4) ? null : reader.Time(4),
            Uploaded = reader.GetInt64(5),
            Failed = reader.GetInt64(6),
            Skipped = reader.GetInt64(7),
            Bytes = reader.GetInt64(8),
            MachineName = reader.GetString(9),
            ProcessId = reader.GetInt32(10),
            Server = reader.GetString(12),
            Service = service,
            Shortcode = service == IngestService.DspIngest ? reader.GetString(13) : null,
            Hierarchy = service == IngestService.Voss ? reader.GetString(13) : null,
        };
    }

    private static IngestService ServiceOf(string name) => Enum.TryParse(name, out IngestService service) ? service : default;

    private void Tidy()
    {
        if (_isTidy)
            return;
        _isTidy = true;
        DateTimeOffset limit = time.GetUtcNow() - Retention;
        bool isDue = Use(connection => connection.ReadNumber(
            "SELECT 1 WHERE (SELECT started FROM job ORDER BY id LIMIT 1) < $limit OR (SELECT started FROM start ORDER BY id LIMIT 1) < $limit",
            ("$limit", limit.ToUnixTimeMilliseconds())) is not null);
        if (isDue)
            Clear(new ClearQuery { OlderThan = limit, IncludesFiles = false });
    }

    private T Use<T>(Func<SqliteConnection, T> action)
    {
        lock (_lock)
        {
            return JournalAccess.Run(_file.Path, () => action(_connection ??= _file.Open(isDurable: true)));
        }
    }
}
