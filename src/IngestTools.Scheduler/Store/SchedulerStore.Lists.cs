using System.Text;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Store;

/// <summary>Which runs are read, newest first.</summary>
internal sealed record RunFilter
{
    /// <summary>Only runs before this number.</summary>
    public long Before { get; init; } = long.MaxValue;

    /// <summary>Only runs that were due at this moment or later.</summary>
    public DateTimeOffset? Since { get; init; }

    public IReadOnlyCollection<RunStatus> Statuses { get; init; } = [];

    public LoadKind? Kind { get; init; }

    /// <summary>The schedule's name, whole; null is any.</summary>
    public string? Schedule { get; init; }

    /// <summary>A part of the schedule's name or of the message; null is any.</summary>
    public string? Text { get; init; }

    /// <summary>Only runs that have ended, or only those that have not; null is any.</summary>
    public bool? HasEnded { get; init; }
}

/// <summary>Which schedules are read, by name.</summary>
internal sealed record ScheduleFilter
{
    /// <summary>Only schedules after this name without regard to case.</summary>
    public string After { get; init; } = "";

    public ScheduleStatus? Status { get; init; }

    /// <summary>A part of the name; null is any.</summary>
    public string? Text { get; init; }
}

/// <summary>A daemon that shares the store.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Host">Its machine.</param>
/// <param name="Process">Its process.</param>
/// <param name="Silent">How long ago it last wrote that it lives, by the store's clock.</param>
internal sealed record StoreNode(string Name, string Host, int Process, TimeSpan Silent);

/// <content>Lists for people: filtered by the database, and never longer than asked for.</content>
internal sealed partial class SchedulerStore
{
    /// <summary>The newest runs that pass a filter.</summary>
    public Task<List<StoredRun>> ReadRunsAsync(RunFilter filter, int most, CancellationToken cancellationToken)
    {
        StringBuilder where = new("id < @before");
        List<(string, object?)> values = [("before", filter.Before), ("most", most)];
        if (filter.Since is { } since)
            Add("due_at >= @since", ("since", since.ToUnixTimeMilliseconds()));
        // The words are those of the enumerations, never a user's.
        if (filter.Statuses.Count > 0)
            Add($"status IN ({string.Join(", ", filter.Statuses.Select(status => $"'{status}'"))})");
        if (filter.Kind is { } kind)
            Add($"""load LIKE '%"kind":"{kind}"%'""");
        if (filter.HasEnded is { } hasEnded)
            Add($"ended = {(hasEnded ? 1 : 0)}");
        if (filter.Schedule is { } schedule)
            Add("name_key = @key", ("key", StoredSchedule.KeyOf(schedule)));
        if (filter.Text is { } text)
            Add(
                @"(name_key LIKE @lower ESCAPE '\' OR lower(message) LIKE @lower ESCAPE '\' OR message LIKE @text ESCAPE '\')",
                ("lower", Containing(text.ToLowerInvariant())),
                ("text", Containing(text))
            );
        return ReadAsync(
            session =>
                session.QueryAsync(
                    $"SELECT * FROM ingest_run WHERE {where} ORDER BY id DESC LIMIT @most",
                    StoredRun.Read,
                    cancellationToken,
                    [.. values]
                ),
            cancellationToken
        );

        void Add(string condition, params (string, object?)[] added)
        {
            where.Append(" AND ").Append(condition);
            values.AddRange(added);
        }
    }

    /// <summary>The next schedules by name that pass a filter.</summary>
    public Task<List<ScheduleRow>> ReadSchedulesAsync(ScheduleFilter filter, int most, CancellationToken cancellationToken)
    {
        string status = filter.Status is { } wanted ? $"AND status = '{wanted}'" : "";
        string text = filter.Text is null ? "" : @"AND name_key LIKE @text ESCAPE '\'";
        return ReadAsync(
            session =>
                session.QueryAsync(
                    $"SELECT * FROM ingest_schedule WHERE name_key > @key {status} {text} ORDER BY name_key LIMIT @most",
                    ScheduleRow.Read,
                    cancellationToken,
                    ("key", filter.After),
                    ("text", Containing(filter.Text?.ToLowerInvariant() ?? "")),
                    ("most", most)
                ),
            cancellationToken
        );
    }

    /// <summary>The next active schedules by their next time, up to a moment.</summary>
    /// <param name="after">Where the last list ended; null begins with the first.</param>
    /// <param name="until">The moment.</param>
    /// <param name="text">A part of the name; null is any.</param>
    /// <param name="most">The maximum number.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    public Task<List<ScheduleRow>> ReadUpcomingAsync(
        (DateTimeOffset Due, string Key)? after,
        DateTimeOffset until,
        string? text,
        int most,
        CancellationToken cancellationToken
    ) =>
        ReadAsync(
            session =>
                session.QueryAsync(
                    $"""
                    SELECT * FROM ingest_schedule
                    WHERE status = 'Active' AND next_due >= @due AND next_due < @until AND (next_due > @due OR name_key > @key)
                        {(text is null ? "" : @"AND name_key LIKE @text ESCAPE '\'")}
                    ORDER BY next_due, name_key LIMIT @most
                    """,
                    ScheduleRow.Read,
                    cancellationToken,
                    ("due", after?.Due.ToUnixTimeMilliseconds() ?? long.MinValue),
                    ("key", after?.Key ?? ""),
                    ("until", until.ToUnixTimeMilliseconds()),
                    ("text", Containing(text?.ToLowerInvariant() ?? "")),
                    ("most", most)
                ),
            cancellationToken
        );

    /// <summary>How many runs are due and wait for their turn.</summary>
    public async Task<long> CountWaitingAsync(CancellationToken cancellationToken) =>
        await ReadAsync(
            session => session.NumberAsync("SELECT count(*) FROM ingest_run WHERE ended = 0 AND claim IS NULL", cancellationToken),
            cancellationToken
        ) ?? 0;

    /// <summary>The runs that a daemon has, oldest first.</summary>
    /// <remarks>The sign before the number has SQLite find those few in the index, and not go through all runs in order.</remarks>
    public Task<List<StoredRun>> ReadTakenAsync(int most, CancellationToken cancellationToken) =>
        ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT * FROM ingest_run WHERE ended = 0 AND claim IS NOT NULL ORDER BY +id LIMIT @most",
                    StoredRun.Read,
                    cancellationToken,
                    ("most", most)
                ),
            cancellationToken
        );

    /// <summary>The daemons that share the store, also those that are silent.</summary>
    public Task<List<StoreNode>> ReadNodesAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            session =>
                session.QueryAsync(
                    $"SELECT node, host, process, {dialect.Now} - seen AS silent FROM ingest_node ORDER BY node",
                    row => new StoreNode(
                        row.Text("node"),
                        row.Text("host"),
                        (int)row.Number("process"),
                        TimeSpan.FromMilliseconds(Math.Max(0, row.Number("silent")))
                    ),
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>A pattern for LIKE that finds a text anywhere, whatever signs it has.</summary>
    private static string Containing(string text)
    {
        StringBuilder pattern = new("%");
        foreach (char c in text)
        {
            if (c is '%' or '_' or '\\')
                pattern.Append('\\');
            pattern.Append(c);
        }

        return pattern.Append('%').ToString();
    }
}
