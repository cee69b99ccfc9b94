using System.Text.Json.Serialization;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Page;

/// <summary>The token that a ticket is exchanged for.</summary>
internal sealed record PageSession(string Token);

/// <summary>What the page shows of the daemon at this moment.</summary>
internal sealed record PageOverview
{
    public required DateTimeOffset Now { get; init; }

    public required SchedulerState State { get; init; }

    /// <summary>The runs that a node has; at most <see cref="PageReader.MaxRunning"/>.</summary>
    public required IReadOnlyList<BulkLoadRun> Running { get; init; }

    /// <summary>How many runs are due and wait for their turn.</summary>
    public required long Waiting { get; init; }

    public required PageStore Store { get; init; }

    public required IReadOnlyList<PageNode> Nodes { get; init; }
}

/// <summary>The store and its disk. Sizes are bytes; null where they are not known.</summary>
internal sealed record PageStore
{
    /// <summary>SQLite or PostgreSQL.</summary>
    public required string Kind { get; init; }

    public required string Place { get; init; }

    public long? Size { get; init; }

    /// <summary>The folder on this machine: of the lock, the spool and the log.</summary>
    public required string Folder { get; init; }

    /// <summary>What this account can still write into the folder.</summary>
    public long? FolderFree { get; init; }

    public long? FolderTotal { get; init; }

    public long? LogSize { get; init; }
}

/// <summary>A node of the store.</summary>
internal sealed record PageNode(string Name, string Host, int Process, double SilentSeconds, bool IsAlive, bool IsThis);

/// <summary>A part of a list.</summary>
/// <param name="Items">The items.</param>
/// <param name="Next">What gives the next part; null at the end.</param>
internal sealed record PagePart<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>What comes next, by the days of the viewer's zone.</summary>
internal sealed record PageAgenda
{
    /// <summary>The viewer's zone; UTC where this machine does not know the one that was asked for.</summary>
    public required string Zone { get; init; }

    /// <summary>The days that the agenda covers, today first.</summary>
    public required IReadOnlyList<PageDay> Days { get; init; }

    public required IReadOnlyList<PageUpcoming> Items { get; init; }

    /// <summary>The clock changes in the zones of the items and of the viewer, within the days.</summary>
    public required IReadOnlyList<PageClockChange> ClockChanges { get; init; }

    /// <summary>What gives the next items; null at the end.</summary>
    public string? Next { get; init; }
}

/// <summary>A day, from its first moment to the next day's.</summary>
internal sealed record PageDay(DateOnly Date, DateTimeOffset Start, DateTimeOffset End);

/// <summary>The times of a schedule within a day.</summary>
internal sealed record PageUpcoming
{
    public required string Name { get; init; }

    public required LoadKind Kind { get; init; }

    /// <summary>What it loads, in a few words.</summary>
    public required string Load { get; init; }

    /// <summary>The day, in the viewer's zone.</summary>
    public required DateOnly Date { get; init; }

    /// <summary>The first time of the day, in the schedule's zone.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The last time of the day, in the schedule's zone; the first where there is one alone.</summary>
    public required DateTimeOffset Last { get; init; }

    public required string Zone { get; init; }

    /// <summary>How often it runs that day.</summary>
    public required int Count { get; init; }

    /// <summary>Whether it runs more often than was counted.</summary>
    public bool IsMore { get; init; }
}

/// <summary>A moment at which a zone's clocks are set.</summary>
/// <param name="Zone">The zone.</param>
/// <param name="Before">The moment as the clock shows it before.</param>
/// <param name="After">The same moment as the clock shows it then.</param>
/// <param name="Date">Its day, in the viewer's zone.</param>
internal sealed record PageClockChange(string Zone, DateTimeOffset Before, DateTimeOffset After, DateOnly Date);

/// <summary>A schedule in the list.</summary>
internal sealed record PageSchedule
{
    public required string Name { get; init; }

    public required ScheduleStatus Status { get; init; }

    public LoadKind? Kind { get; init; }

    /// <summary>What it loads, in a few words.</summary>
    public string? Load { get; init; }

    /// <summary>When, as it was registered: a time, a cron text or an interval.</summary>
    public string? When { get; init; }

    public string? Zone { get; init; }

    public string? Connection { get; init; }

    public string? Server { get; init; }

    public string? Reason { get; init; }

    /// <summary>The next times, in the schedule's zone.</summary>
    public required IReadOnlyList<DateTimeOffset> NextRuns { get; init; }

    public BulkLoadRun? LastRun { get; init; }

    public DateTimeOffset? RegisteredAt { get; init; }

    public string? RegisteredBy { get; init; }
}

/// <summary>How the page's answers are written. Signs of HTML are escaped too.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(PageSession))]
[JsonSerializable(typeof(PageOverview))]
[JsonSerializable(typeof(PageAgenda))]
[JsonSerializable(typeof(PagePart<BulkLoadRun>))]
[JsonSerializable(typeof(PagePart<PageSchedule>))]
[JsonSerializable(typeof(BulkLoadRun))]
internal sealed partial class PageJson : JsonSerializerContext;
