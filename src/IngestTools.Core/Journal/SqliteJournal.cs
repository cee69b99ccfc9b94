using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>The journal in one SQLite file, which several processes use at once.</summary>
internal sealed class SqliteJournal(string path, TimeProvider time, StartOrigin? origin = null) : IIngestJournal
{
    /// <summary>Jobs and transactions are deleted after this time. Records of files stay.</summary>
    internal static readonly TimeSpan Retention = TimeSpan.FromDays(400);

    /// <summary>
    /// Processes of another machine that uses the same file cannot be looked up. After this time, their jobs count as interrupted.
    /// </summary>
    internal static readonly TimeSpan RemoteJobLimit = TimeSpan.FromDays(7);

    /// <summary>After this time, no request of another machine is under way any more.</summary>
    private static readonly TimeSpan RemoteStartLimit = TimeSpan.FromHours(1);

    /// <summary>
    /// A pause in the use of the journal that is longer counts as this. A nightly or monthly use has no pause that is longer by much.
    /// </summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(31);

    private const long MillisecondsOfDay = 86_400_000;

    private readonly JournalFile _file = new(Path.GetFullPath(path));
    private readonly object _lock = new();
    private SqliteConnection? _connection;
    private bool _isTidy;

    public bool IsOn => true;

    public StartOrigin? Origin => origin;

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
        return Use(connection =>
            connection
                .ReadNumber(
                    """
                    INSERT INTO start (place, transaction_id, state, started, sha, before_rows, before_last, last_job, manual_check,
                        machine, process, process_start, content, schedule, run)
                    VALUES ($place, $id, $state, $started, $sha, $rows, $last, $job, $check, $machine, $process, $start, $content,
                        $schedule, $run) RETURNING id
                    """,
                    ("$place", PlaceTable.IdOf(connection, start.Place)),
                    ("$id", start.Transaction.Id),
                    ("$state", (int)StartState.Starting),
                    ("$started", time.GetUtcNow().ToUnixTimeMilliseconds()),
                    ("$sha", JournalAccess.HashBytes(start.Sha256)),
                    ("$rows", start.Before?.Rows),
                    ("$last", start.Before?.Last),
                    ("$job", start.LastJob),
                    ("$check", start.ManualCheck),
                    ("$machine", ProcessIdentity.Machine),
                    ("$process", ProcessIdentity.Current.Number),
                    ("$start", ProcessIdentity.Current.Start),
                    ("$content", Serialize(start.Transaction)),
                    ("$schedule", origin?.Schedule),
                    ("$run", origin?.Run)
                )!
                .Value
        );
    }

    public void EndStart(long key, Transaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        Use(connection =>
            connection.Execute(
                "UPDATE start SET transaction_id = $id, state = $state, content = $content WHERE id = $key",
                ("$id", transaction.Id),
                ("$state", (int)StateOf(transaction)),
                ("$content", Serialize(transaction)),
                ("$key", key)
            )
        );
    }

    public void CancelStart(long key) => Use(connection => connection.Execute("DELETE FROM start WHERE id = $key", ("$key", key)));

    public void LoseStart(long key, string message) =>
        Use(connection =>
            connection.Execute(
                "UPDATE start SET state = $state, manual_check = $check WHERE id = $key AND state = $starting",
                ("$state", (int)StartState.Lost),
                ("$check", message),
                ("$key", key),
                ("$starting", (int)StartState.Starting)
            )
        );

    public void Update(Transaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        Use(connection =>
        {
            const string Same =
                "FROM start s JOIN place p ON p.id = s.place WHERE s.transaction_id = $id AND ($server IS NULL OR p.server = $server)";
            (string, object?)[] of = [("$id", transaction.Id), ("$server", transaction.Server)];
            // A project's runs share one id. What is seen of it says nothing about a start that is still being sent.
            long? newest = connection
                .Read(
                    $"SELECT s.id, s.machine, s.process, s.process_start, s.started, s.state {Same} ORDER BY s.id DESC",
                    row =>
                        (
                            Key: row.GetInt64(0),
                            IsBeingSent: (StartState)row.GetInt32(5) == StartState.Starting && IsAlive(row, 1, RemoteStartLimit)
                        ),
                    of
                )
                .Where(start => !start.IsBeingSent)
                .Select(start => (long?)start.Key)
                .FirstOrDefault();
            if (newest is null)
                return 0;
            int count = connection.Execute(
                "UPDATE start SET state = $state, content = $content WHERE id = $newest AND (state <> $ended OR $state = $ended)",
                ("$newest", newest),
                ("$state", (int)StateOf(transaction)),
                ("$content", Serialize(transaction)),
                ("$ended", (int)StartState.Ended)
            );
            // When it is idle, the older ones have ended too.
            if (count > 0 && transaction.IsTerminal)
            {
                connection.Execute(
                    $"UPDATE start SET state = $ended WHERE state <> $ended AND id < $newest AND id IN (SELECT s.id {Same})",
                    [.. of, ("$newest", newest), ("$ended", (int)StartState.Ended)]
                );
            }

            return count;
        });
    }

    public JournaledUpload? FindUpload(IngestService service, string server, string serverName) =>
        Use(connection =>
        {
            using FileTable files = new(connection);
            return connection
                .Read(
                    $"""
                    SELECT f.*, p.name, u.sent FROM upload u JOIN place p ON p.id = u.place LEFT JOIN (SELECT {FileTable.Columns},
                        place FROM file) f ON f.place = u.place AND f.name = u.name
                    WHERE u.server_name = $name AND p.service = $service AND p.server = $server ORDER BY u.id DESC LIMIT 1
                    """,
                    reader => new JournaledUpload(
                        new JournalPlace(service, server, reader.GetString(10)),
                        reader.IsDBNull(0) ? null : files.Read(reader),
                        reader.Time(11)
                    ),
                    ("$name", serverName),
                    ("$service", service.ToString()),
                    ("$server", server)
                )
                .FirstOrDefault();
        });

    public IReadOnlyList<JournaledTransaction> ReadTransactions(TransactionQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Use(connection =>
            connection.Read(
                """
                SELECT s.id, p.service, s.state, s.sha, s.before_rows, s.before_last, s.last_job, s.manual_check, s.machine, s.process,
                    s.process_start, s.started, s.content, p.server, p.name, s.schedule, s.run
                FROM start s JOIN place p ON p.id = s.place
                WHERE ($ended OR s.state <> 2) AND ($key IS NULL OR s.id = $key) AND ($id IS NULL OR s.transaction_id = $id)
                    AND ($server IS NULL OR p.server = $server)
                    AND ($service IS NULL OR p.service = $service) AND ($place IS NULL OR p.name = $place)
                        AND ($sha IS NULL OR s.sha = $sha) AND ($since IS NULL OR s.started >= $since)
                    AND ($run IS NULL OR s.run = $run)
                ORDER BY s.id DESC LIMIT $last
                """,
                reader => PendingStarts.WithId(ReadTransaction(reader)),
                ("$ended", query.IncludesEnded),
                ("$key", PendingStarts.KeyOf(query.Id)),
                ("$id", PendingStarts.KeyOf(query.Id) is null ? query.Id : null),
                ("$server", query.Place?.Server ?? query.Server),
                ("$service", (query.Place?.Service ?? query.Service)?.ToString()),
                ("$place", query.Place?.Name),
                ("$sha", JournalAccess.HashBytes(query.Sha256)),
                ("$since", query.Since?.ToUnixTimeMilliseconds()),
                ("$run", query.Run),
                ("$last", query.Last ?? -1)
            )
        );
    }

    public IReadOnlyList<IngestJob> ReadJobs(JobQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Use(connection =>
            connection.Read(
                """
                SELECT j.id, j.status, j.connection, j.started, j.ended, j.uploaded, j.failed, j.skipped, j.bytes, j.machine, j.process,
                    j.process_start, j.started, p.server, p.name, p.service
                FROM job j JOIN place p ON p.id = j.place
                WHERE ($id IS NULL OR j.id = $id) AND ($since IS NULL OR j.started >= $since) ORDER BY j.id DESC LIMIT $last
                """,
                ReadJob,
                ("$id", query.Number),
                ("$since", query.Since?.ToUnixTimeMilliseconds()),
                ("$last", query.Last ?? -1)
            )
        );
    }

    public IEnumerable<UploadResult> ReadResults(long job, params UploadStatus[] statuses)
    {
        using JobResults results = new(_file, ((IIngestJournal)this).FindJob(job), job);
        foreach (UploadResult result in results.Read(statuses))
            yield return result;
    }

    public JournalCleared Count(ClearQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Use(connection => Cleaner(connection, query).Count());
    }

    public JournalCleared Clear(ClearQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Use(connection =>
        {
            JournalCleared cleared;
            using (SqliteTransaction transaction = connection.BeginTransaction())
            {
                JournalCleaner cleaner = Cleaner(connection, query);
                long files = cleaner.DeleteFiles();
                (long jobs, long starts) = cleaner.DeleteHistory();
                cleaner.DeleteFolders();
                transaction.Commit();
                cleared = new JournalCleared(files, jobs, starts);
            }

            // It holds up those that write.
            if (RunningJobs(connection).Count == 0)
                Shrink(connection);
            return cleared;
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

    /// <summary>Gives the space of deleted records back, and with it what they said.</summary>
    private static void Shrink(SqliteConnection connection)
    {
        try
        {
            connection.Execute("VACUUM");
        }
        catch (SqliteException)
        {
            // The disk is full, or others write without a pause. The records are deleted, and their space is used for others.
            return;
        }
    }

    private JournalCleaner Cleaner(SqliteConnection connection, ClearQuery query) =>
        new(connection, query, time.GetUtcNow(), RunningJobs(connection), OpenStarts(connection, isNamed: query.Id is not null));

    private List<long> RunningJobs(SqliteConnection connection) =>
        connection
            .Read(
                "SELECT id, machine, process, process_start, started FROM job WHERE status = $running",
                r => (Id: r.GetInt64(0), IsAlive: IsAlive(r, 1, RemoteJobLimit)),
                ("$running", (int)IngestJobStatus.Running)
            )
            .Where(j => j.IsAlive)
            .Select(j => j.Id)
            .ToList();

    /// <summary>
    /// The starts that stay: those that are being sent, and those that have not ended. One that the user names stays only while it is being
    /// sent.
    /// </summary>
    private List<long> OpenStarts(SqliteConnection connection, bool isNamed) =>
        connection
            .Read(
                "SELECT id, machine, process, process_start, started, state FROM start WHERE state IN ($starting, $started)",
                r =>
                    (
                        Id: r.GetInt64(0),
                        IsOpen: (StartState)r.GetInt32(5) == StartState.Started ? !isNamed : IsAlive(r, 1, RemoteStartLimit)
                    ),
                ("$starting", (int)StartState.Starting),
                ("$started", (int)StartState.Started)
            )
            .Where(s => s.IsOpen)
            .Select(s => s.Id)
            .ToList();

    /// <summary>Whether the process of a record is there, from its columns machine, process, process_start and started.</summary>
    private bool IsAlive(SqliteDataReader reader, int column, TimeSpan remoteLimit) =>
        reader.GetString(column) == ProcessIdentity.Machine
            ? ProcessIdentity.IsAlive(reader.GetInt32(column + 1), reader.GetString(column + 2))
            : time.GetUtcNow() - reader.Time(column + 3) < remoteLimit;

    private static StartState StateOf(Transaction transaction) => transaction.IsTerminal ? StartState.Ended : StartState.Started;

    private static string Serialize(Transaction transaction) =>
        JsonSerializer.Serialize(transaction with { SubTransactions = null, Log = null }, JournalJson.Default.Transaction);

    private JournaledTransaction ReadTransaction(SqliteDataReader reader)
    {
        StartState state = (StartState)reader.GetInt32(2);
        return new JournaledTransaction
        {
            Key = reader.GetInt64(0),
            State = state == StartState.Starting && !IsAlive(reader, 8, RemoteStartLimit) ? StartState.Lost : state,
            Sha256 = reader.HashOrNull(3),
            Before = reader.NumberOrNull(4) is { } rows ? new PlaceMark(rows, reader.TextOrNull(5)) : null,
            LastJob = reader.GetInt64(6),
            ManualCheck = reader.TextOrNull(7),
            Transaction = JsonSerializer.Deserialize(reader.GetString(12), JournalJson.Default.Transaction)!,
            Place = new JournalPlace(ServiceOf(reader.GetString(1)), reader.GetString(13), reader.GetString(14)),
            Origin = reader.IsDBNull(15) ? null : new StartOrigin(reader.GetString(15), reader.GetString(16)),
        };
    }

    private IngestJob ReadJob(SqliteDataReader reader)
    {
        IngestJobStatus status = (IngestJobStatus)reader.GetInt32(1);
        IngestService service = ServiceOf(reader.GetString(15));
        return new IngestJob
        {
            Id = IngestJob.FormatId(reader.GetInt64(0)),
            Status = status == IngestJobStatus.Running && !IsAlive(reader, 9, RemoteJobLimit) ? IngestJobStatus.Interrupted : status,
            Connection = reader.TextOrNull(2),
            StartedAt = reader.Time(3),
            CompletedAt = reader.IsDBNull(4) ? null : reader.Time(4),
            Uploaded = reader.GetInt64(5),
            Failed = reader.GetInt64(6),
            Skipped = reader.GetInt64(7),
            Bytes = reader.GetInt64(8),
            MachineName = reader.GetString(9),
            ProcessId = reader.GetInt32(10),
            Server = reader.GetString(13),
            Service = service,
            Shortcode = service == IngestService.DspIngest ? reader.GetString(14) : null,
            Hierarchy = service == IngestService.Voss ? reader.GetString(14) : null,
        };
    }

    private static IngestService ServiceOf(string name) => Enum.TryParse(name, out IngestService service) ? service : default;

    /// <summary>
    /// Deletes jobs and transactions that are older than the retention, also one that nobody looked at until it ended. The clock alone does
    /// not make them old: one that is years ahead for an hour would delete all.
    /// </summary>
    private void Tidy()
    {
        if (_isTidy)
            return;
        _isTidy = true;
        DateTimeOffset now = time.GetUtcNow();
        Use(connection =>
        {
            // Most often nothing is that old, and nothing is written.
            if (
                connection.ReadNumber(
                    "SELECT 1 WHERE EXISTS (SELECT 1 FROM job WHERE started < $limit) OR EXISTS (SELECT 1 FROM start WHERE started "
                        + "< $limit)",
                    ("$limit", (now - Retention).ToUnixTimeMilliseconds())
                )
                    is null
                || FindRetentionLimit(connection, now) is not { } limit
            )
                return false;
            using SqliteTransaction transaction = connection.BeginTransaction();
            JournalCleaner cleaner = new(connection, new ClearQuery { OlderThan = limit }, now, RunningJobs(connection), open: []);
            cleaner.DeleteHistory();
            cleaner.DeleteFolders();
            transaction.Commit();
            return true;
        });
    }

    /// <summary>
    /// The time before which records are old; null where none is. A day counts for itself, and a pause between two days on which something
    /// was recorded for <see cref="LongestPause"/> at most. So a clock that leaps ahead makes the records older by that, and what was
    /// recorded ahead of the clock does not count.
    /// </summary>
    private static DateTimeOffset? FindRetentionLimit(SqliteConnection connection, DateTimeOffset now)
    {
        long later = now.ToUnixTimeMilliseconds() / MillisecondsOfDay;
        long age = 0;
        List<long> days = connection.Read(
            $"SELECT started / {MillisecondsOfDay} AS day FROM job UNION SELECT started / {MillisecondsOfDay} FROM start ORDER BY day DESC",
            static r => r.GetInt64(0)
        );
        foreach (long day in days.Where(day => day <= later))
        {
            age += Math.Min(later - day, (long)LongestPause.TotalDays);
            later = day;
            if (age > Retention.TotalDays)
                return DateTimeOffset.FromUnixTimeMilliseconds((day + 1) * MillisecondsOfDay);
        }

        return null;
    }

    private T Use<T>(Func<SqliteConnection, T> action)
    {
        lock (_lock)
        {
            return JournalAccess.Run(_file.Path, () => action(_connection ??= _file.Open(isDurable: true)));
        }
    }
}
