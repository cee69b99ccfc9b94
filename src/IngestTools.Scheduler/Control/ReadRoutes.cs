using System.Globalization;
using System.IO.Enumeration;
using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using Microsoft.AspNetCore.Http;

namespace IngestTools.Scheduler.Control;

/// <summary>What can be answered from the store alone, whether the daemon runs or not.</summary>
internal sealed class ReadRoutes(SchedulerStore store, StateReader state)
{
    /// <summary>So many are read from the store at once.</summary>
    private const int Page = 500;

    /// <summary>The answer; null where this request changes something, or is unknown.</summary>
    public Task? Route(HttpContext context) =>
        (context.Request.Method, context.Request.Path.Value!.Trim('/').Split('/')) switch
        {
            ("GET", ["status"]) => ControlAnswer.SendAsync(
                context,
                state.ReadAsync(context.RequestAborted),
                SchedulingJson.Default.SchedulerState
            ),
            ("GET", ["schedules"]) => ListSchedulesAsync(context),
            ("GET", ["runs"]) => ListRunsAsync(context),
            ("GET", ["runs", var number]) => ControlAnswer.SendAsync(
                context,
                ReadRunAsync(number, context.RequestAborted),
                SchedulingJson.Default.BulkLoadRun
            ),
            _ => null,
        };

    /// <summary>A run by its number.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NotFound"/></exception>
    public async Task<StoredRun> FindRunAsync(string text, CancellationToken cancellationToken) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
        && await store.FindRunAsync(number, cancellationToken) is { } run
            ? run
            : throw new IngestException(ErrorId.NotFound, $"There is no run {text}.")
            {
                Operation = "schedule",
                Advice = "Get-BulkLoadRun lists them. Old ones are deleted after a while.",
                Target = text,
            };

    private async Task ListSchedulesAsync(HttpContext context)
    {
        string?[] patterns = [.. context.Request.Query["name"]];
        CancellationToken aborted = context.RequestAborted;
        ControlAnswer.BeginLines(context);
        string last = "";
        while (await store.ReadSchedulesAfterAsync(last, Page, aborted) is { Count: > 0 } rows)
        {
            last = rows[^1].Key;
            ScheduleRow[] wanted = rows.Where(row => IsWanted(row.Name, patterns)).ToArray();
            foreach (BulkLoadSchedule schedule in await DescribeAsync(wanted, aborted))
                await ControlAnswer.SendLineAsync(context, schedule, SchedulingJson.Default.BulkLoadSchedule);
        }
    }

    private async Task ListRunsAsync(HttpContext context)
    {
        string?[] patterns = [.. context.Request.Query["name"]];
        RunStatus[] statuses = context
            .Request.Query["status"]
            .Select(word =>
                Enum.TryParse(word, ignoreCase: true, out RunStatus status) && Enum.IsDefined(status)
                    ? status
                    : throw new FormatException($"'{word}' is no status of a run")
            )
            .ToArray();
        DateTimeOffset? since = context.Request.Query["since"].ToString() is { Length: > 0 } text
            ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture)
            : null;
        long left = context.Request.Query["newest"].ToString() is { Length: > 0 } most
            ? long.Parse(most, NumberStyles.None, CultureInfo.InvariantCulture)
            : long.MaxValue;
        ControlAnswer.BeginLines(context);
        RunFilter filter = new() { Since = since, Statuses = statuses };
        while (left > 0 && await store.ReadRunsAsync(filter, Page, context.RequestAborted) is { Count: > 0 } runs)
        {
            filter = filter with { Before = runs[^1].Number };
            foreach (StoredRun run in runs.Where(run => IsWanted(run.Name, patterns)))
            {
                if (left-- <= 0)
                    return;
                await ControlAnswer.SendLineAsync(context, Mark(run.Describe()), SchedulingJson.Default.BulkLoadRun);
            }
        }
    }

    /// <summary>The newest runs that pass a filter, without their logs.</summary>
    public async Task<List<BulkLoadRun>> ReadRunsAsync(RunFilter filter, int most, CancellationToken cancellationToken) =>
        (await store.ReadRunsAsync(filter, most, cancellationToken)).ConvertAll(run => Mark(run.Describe()));

    /// <summary>The next schedules by name that pass a filter, each with its newest run.</summary>
    public async Task<List<BulkLoadSchedule>> ReadSchedulesAsync(ScheduleFilter filter, int most, CancellationToken cancellationToken) =>
        await DescribeAsync(await store.ReadSchedulesAsync(filter, most, cancellationToken), cancellationToken);

    private async Task<List<BulkLoadSchedule>> DescribeAsync(IReadOnlyCollection<ScheduleRow> rows, CancellationToken cancellationToken)
    {
        Dictionary<string, StoredRun> runs = (await store.ReadLastRunsAsync([.. rows.Select(row => row.Key)], cancellationToken))
            .DistinctBy(run => run.Key)
            .ToDictionary(run => run.Key);
        return [.. rows.Select(row => Mark(Registrar.Describe(row, runs.GetValueOrDefault(row.Key))))];
    }

    /// <summary>A run by its number, with its log.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NotFound"/></exception>
    public async Task<BulkLoadRun> ReadRunAsync(string number, CancellationToken cancellationToken)
    {
        StoredRun run = await FindRunAsync(number, cancellationToken);
        return Mark(run.Describe(await store.ReadLogAsync(run.Number, cancellationToken)));
    }

    /// <summary>Who reads the store of a daemon that is down sees that it is.</summary>
    private BulkLoadSchedule Mark(BulkLoadSchedule schedule) =>
        state.IsRunning
            ? schedule
            : schedule with
            {
                IsSchedulerRunning = false,
                LastRun = schedule.LastRun is null ? null : Mark(schedule.LastRun),
            };

    private BulkLoadRun Mark(BulkLoadRun run) => state.IsRunning ? run : run with { IsSchedulerRunning = false };

    private static bool IsWanted(string name, string?[] patterns) =>
        patterns.Length == 0 || patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: true));
}
