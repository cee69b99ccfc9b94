using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Store;

/// <summary>A run as the store keeps it.</summary>
internal sealed record StoredRun
{
    public long Number { get; init; }

    public required string Name { get; init; }

    /// <summary>What makes the run unique: the registration and the time it was due, so that no time is run twice, however clocks jump.</summary>
    public required string DueKey { get; init; }

    public DateTimeOffset DueAt { get; init; }

    public bool Manual { get; init; }

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

    public string? Node { get; init; }

    /// <summary>The daemon, one start of it, that has the run; null where none has.</summary>
    public string? Claim { get; init; }

    public string Key => StoredSchedule.KeyOf(Name);

    public string Id => string.Create(CultureInfo.InvariantCulture, $"run:{Number}");

    /// <summary>Something of it is at the service, or may be. A run of several parts may be so in any status.</summary>
    public bool IsOut => Status >= RunStatus.Submitting || TransactionIds.Count > 0;

    /// <summary>Where it stands while nothing is under way that cannot be taken back.</summary>
    public RunStatus StatusBeforeSubmitting => TransactionIds.Count > 0 ? RunStatus.Submitted : RunStatus.Uploading;

    public bool IsTerminal => Status >= RunStatus.Succeeded;

    public static StoredRun Read(DbDataReader row) => new()
    {
        Number = row.Number("id"),
        Name = row.Text("name"),
        DueKey = row.Text("due_key"),
        DueAt = row.Time("due_at"),
        Manual = row.Number("manual") != 0,
        Status = Enum.Parse<RunStatus>(row.Text("status")),
        StartedAt = row.TimeOrNull("started_at"),
        CompletedAt = row.TimeOrNull("completed_at"),
        Load = JsonSerializer.Deserialize(row.Text("load"), LoadJson.Default.LoadDefinition)!,
        Spool = row.TextOrNull("spool"),
        Host = row.Text("host"),
        TransactionIds = JsonSerializer.Deserialize(row.Text("transaction_ids"), LoadJson.Default.StringArray)!,
        RemoteName = row.TextOrNull("remote_name"),
        Completed = row.NumberOrNull("completed"),
        Total = row.NumberOrNull("total"),
        Unit = row.TextOrNull("unit"),
        Message = row.TextOrNull("message"),
        Marker = row.TextOrNull("marker"),
        Node = row.TextOrNull("node"),
        Claim = row.TextOrNull("claim"),
    };

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
        ("load", JsonSerializer.Serialize(Load, LoadJson.Default.LoadDefinition)),
        ("spool", Spool),
        ("host", Host),
    ];

    public BulkLoadRun Describe(IReadOnlyList<TransactionLogEntry>? log = null) => new()
    {
        Id = Id,
        Name = Name,
        Kind = Load.Kind,
        Status = Status,
        DueAt = DueAt,
        StartedAt = StartedAt,
        CompletedAt = CompletedAt,
        Manual = Manual,
        TransactionIds = TransactionIds,
        RemoteName = RemoteName,
        Completed = Completed,
        Total = Total,
        Unit = Unit,
        Message = Message,
        Node = Node,
        Log = log,
    };
}
