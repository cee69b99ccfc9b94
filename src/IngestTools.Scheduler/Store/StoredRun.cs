using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Store;

/// <summary>A run as the store keeps it.</summary>
internal sealed record StoredRun
{
    /// <summary>The maximum number of characters quoted from an unreadable column. The row keeps the whole.</summary>
    private const int MostRaw = 1000;

    public long Number { get; init; }

    public required string Name { get; init; }

    /// <summary>
    /// What makes the run unique: the registration and the time it was due, so that no time is run twice, however clocks jump.
    /// </summary>
    public required string DueKey { get; init; }

    public DateTimeOffset DueAt { get; init; }

    public bool Manual { get; init; }

    /// <summary>1 for a run of a time, more for one that repeats a failed run.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>The number of the run that it repeats, the first of several; null where it repeats none.</summary>
    public long? RetryOf { get; init; }

    /// <summary>Nobody begins it before this; null where it may begin at once.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Whether it repeats a failed run, and has not begun. A run of another time takes its place.</summary>
    public bool IsPendingRetry => NotBefore is not null && Claim is null && !IsTerminal;

    public RunStatus Status { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>What is loaded, as it was when the run was planned.</summary>
    public required LoadDefinition Load { get; init; }

    public string? Spool { get; init; }

    /// <summary>The host that the load goes to; loads to one host wait for each other.</summary>
    public required string Host { get; init; }

    public IReadOnlyList<string> TransactionIds { get; init; } = [];

    public string? RemoteName { get; init; }

    public long? Completed { get; init; }

    public long? Total { get; init; }

    public string? Unit { get; init; }

    public string? Message { get; init; }

    /// <summary>What the kind of load has to remember.</summary>
    public string? Marker { get; init; }

    /// <summary>What became of the reports of its end; null where it is reported to nobody.</summary>
    public string? Notification { get; init; }

    public string? Node { get; init; }

    /// <summary>The daemon, one start of it, that has the run; null where none has.</summary>
    public string? Claim { get; init; }

    public string Key => StoredSchedule.KeyOf(Name);

    public string Id => IdOf(Number);

    /// <summary>Something of it is at the service, or may be. A run of several parts may be so in any status.</summary>
    public bool IsOut => Status >= RunStatus.Submitting || TransactionIds.Count > 0;

    /// <summary>Where it stands while nothing is under way that cannot be taken back.</summary>
    public RunStatus StatusBeforeSubmitting => TransactionIds.Count > 0 ? RunStatus.Submitted : RunStatus.Uploading;

    public bool IsTerminal => Status >= RunStatus.Succeeded;

    /// <summary>
    /// Why it cannot be read from the store, and what to look at; null where it can. Such a run is listed, and never continued.
    /// </summary>
    public string? Unreadable { get; private init; }

    /// <summary>
    /// The run that repeats this one as its schedule is now; null where it is not repeated: it did not fail, something of it was submitted,
    /// it was repeated often enough, or its schedule is suspended, gone or another one.
    /// </summary>
    /// <param name="schedule">The schedule; null where it is gone.</param>
    /// <param name="now">The time from which the repetition waits.</param>
    /// <param name="hostOf">The host that a connection goes to.</param>
    public StoredRun? CreateRetry(StoredSchedule? schedule, DateTimeOffset now, Func<string, string> hostOf)
    {
        const string mark = "/retry/";
        if (
            Status != RunStatus.Failed
            || TransactionIds.Count > 0
            || schedule is not { Status: ScheduleStatus.Active or ScheduleStatus.Ended, Definition: var definition }
            || !DueKey.StartsWith(schedule.Revision + "/", StringComparison.Ordinal)
            || Attempt > (definition.RetryFailed ?? 0)
        )
            return null;
        DateTimeOffset at = now + (definition.RetryAfter ?? ScheduleDefinition.DefaultRetryAfter);
        string first = DueKey.Split(mark)[0];
        return new StoredRun
        {
            Name = definition.Name,
            DueKey = string.Create(CultureInfo.InvariantCulture, $"{first}{mark}{Attempt}"),
            DueAt = at,
            NotBefore = at,
            Manual = Manual,
            Status = RunStatus.Planned,
            Load = definition.Load with { Again = definition.Load.Again || Load.Again },
            Spool = schedule.Spool,
            Host = hostOf(definition.Load.Connection),
            Attempt = Attempt + 1,
            RetryOf = RetryOf ?? Number,
        };
    }

    /// <summary>The run of a row; one that cannot be read is marked, and hides no other.</summary>
    public static StoredRun Read(DbDataReader row)
    {
        try
        {
            return ReadWhole(row);
        }
        catch (Exception e) when (IsOfRow(e))
        {
            return ReadRest(row, e.Message);
        }
    }

    private static StoredRun ReadWhole(DbDataReader row) =>
        new()
        {
            Number = row.Number("id"),
            Name = row.Text("name"),
            DueKey = row.Text("due_key"),
            DueAt = row.Time("due_at"),
            Manual = row.Number("manual") != 0,
            Attempt = (int)(row.AddedNumber("attempt") ?? 1),
            RetryOf = row.AddedNumber("retry_of"),
            NotBefore = row.AddedNumber("not_before") is { } earliest ? DateTimeOffset.FromUnixTimeMilliseconds(earliest) : null,
            Status = ReadStatus(row),
            StartedAt = row.TimeOrNull("started_at"),
            CompletedAt = row.TimeOrNull("completed_at"),
            Load = ReadLoad(row),
            Spool = row.TextOrNull("spool"),
            Host = row.Text("host"),
            TransactionIds = ReadTransactionIds(row),
            RemoteName = row.TextOrNull("remote_name"),
            Completed = row.NumberOrNull("completed"),
            Total = row.NumberOrNull("total"),
            Unit = row.TextOrNull("unit"),
            Message = row.TextOrNull("message"),
            Marker = row.TextOrNull("marker"),
            Notification = row.AddedText("notification"),
            Node = row.TextOrNull("node"),
            Claim = row.TextOrNull("claim"),
        };

    /// <summary>What can still be read. Its transactions are shown as text, and never treated as the run's.</summary>
    private static StoredRun ReadRest(DbDataReader row, string why)
    {
        long number = row.Number("id");
        string unreadable = TellUnreadable(row, number, why);
        string? message = row["message"] as string;
        return new StoredRun
        {
            Number = number,
            Name = row["name"] as string ?? IdOf(number),
            DueKey = row["due_key"] as string ?? "",
            DueAt = TryRead(() => row.Time("due_at"), default),
            Manual = TryRead(() => row.Number("manual") != 0, false),
            Status = TryRead(() => ReadStatus(row), RunStatus.Unknown),
            StartedAt = TryRead(() => row.TimeOrNull("started_at"), null),
            CompletedAt = TryRead(() => row.TimeOrNull("completed_at"), null),
            Load = TryRead(() => ReadLoad(row), NoLoad),
            Host = row["host"] as string ?? "",
            // When it was ended for this reason, the same was written into it.
            Message =
                message is null ? unreadable
                : message.StartsWith(Beginning(number), StringComparison.Ordinal) ? message
                : $"{unreadable} Its message: {message}",
            Notification = row.AddedText("notification"),
            Node = row["node"] as string,
            Claim = row["claim"] as string,
            Unreadable = unreadable,
        };
    }

    /// <summary>Stands for a load that cannot be read.</summary>
    private static LoadDefinition NoLoad => new() { Kind = LoadKind.BulkLoad, Connection = "" };

    private static RunStatus ReadStatus(DbDataReader row) =>
        Enum.Parse<RunStatus>(row.Text("status")) is var status && Enum.IsDefined(status)
            ? status
            : throw new FormatException($"There is no status {status}.");

    private static LoadDefinition ReadLoad(DbDataReader row) =>
        JsonSerializer.Deserialize(row.Text("load"), LoadJson.Default.LoadDefinition) is { Connection: not null } load
        && Enum.IsDefined(load.Kind)
            ? load
            : throw new JsonException("Something of its load is missing.");

    private static string[] ReadTransactionIds(DbDataReader row) =>
        JsonSerializer.Deserialize(row.Text("transaction_ids"), LoadJson.Default.StringArray) is { } ids && !ids.Contains(null!)
            ? ids
            : throw new JsonException("transaction_ids is not a list of strings.");

    private static string TellUnreadable(DbDataReader row, long number, string why) =>
        $"{Beginning(number)}: {OnOneLine(why)} Nothing more is submitted of it. Look at the service whether it has the load, before "
        + $"it is started again."
        + $" In the store stand status {Raw(row, "status")}, transaction_ids {Raw(row, "transaction_ids")}, load {Raw(row, "load")}.";

    private static string IdOf(long number) => string.Create(CultureInfo.InvariantCulture, $"run:{number}");

    private static string Beginning(long number) => $"{IdOf(number)} cannot be read from the store";

    private static string Raw(DbDataReader row, string column) =>
        row[column] is not string text ? "no text" : $"'{OnOneLine(text.Length > MostRaw ? text[..MostRaw] + "..." : text)}'";

    /// <summary>Monitoring reads lines, and whatever broke the row may have put anything there.</summary>
    private static string OnOneLine(string text) => string.Concat(text.Select(character => char.IsControl(character) ? ' ' : character));

    private static T TryRead<T>(Func<T> read, T otherwise)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (IsOfRow(e))
        {
            return otherwise;
        }
    }

    private static bool IsOfRow(Exception e) =>
        e is JsonException or ArgumentException or FormatException or InvalidCastException or OverflowException;

    /// <summary>What changes while it runs.</summary>
    public (string, object?)[] ChangingValues() =>
        [
            ("id", Number),
            ("status", Status.ToString()),
            ("ended", IsTerminal ? 1 : 0),
            ("started_at", StartedAt?.ToUnixTimeMilliseconds()),
            ("completed_at", CompletedAt?.ToUnixTimeMilliseconds()),
            ("transaction_ids", JsonSerializer.Serialize([.. TransactionIds], LoadJson.Default.StringArray)),
            ("remote_name", RemoteName),
            ("completed", Completed),
            ("total", Total),
            ("unit", Unit),
            ("message", Message),
        ];

    /// <summary>What is written once.</summary>
    public (string, object?)[] FixedValues() =>
        [
            ("name_key", Key),
            ("name", Name),
            ("due_key", DueKey),
            ("due_at", DueAt.ToUnixTimeMilliseconds()),
            ("manual", Manual ? 1 : 0),
            ("attempt", Attempt),
            ("retry_of", RetryOf),
            ("not_before", NotBefore?.ToUnixTimeMilliseconds()),
            ("load", LoadJson.Write(Load)),
            ("spool", Spool),
            ("host", Host),
        ];

    public BulkLoadRun Describe(IReadOnlyList<TransactionLogEntry>? log = null) =>
        new()
        {
            Id = Id,
            Name = Name,
            Kind = Load.Kind,
            Server = Load.Server,
            Status = Status,
            DueAt = DueAt,
            StartedAt = StartedAt,
            CompletedAt = CompletedAt,
            Manual = Manual,
            Attempt = Attempt,
            RetryOf = RetryOf is { } first ? IdOf(first) : null,
            TransactionIds = TransactionIds,
            RemoteName = RemoteName,
            Completed = Completed,
            Total = Total,
            Unit = Unit,
            Message = Message,
            Notification = Notification,
            Node = Node,
            Log = log,
        };
}
