using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using IngestTools.Logging;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Notifications;

/// <summary>
/// What is sent when a run ended. Its form is documented in about_IngestTools_Scheduler and only grows: members are added, and none
/// changes its meaning without another <see cref="Version"/>.
/// </summary>
internal sealed record RunReport
{
    /// <summary>The number of causes that are listed. The run's log has all.</summary>
    private const int MaxErrors = 20;

    /// <summary>Letters of all languages stand as they are: people read it in a chat.</summary>
    private static readonly RunReportJson Json = new(
        new JsonSerializerOptions(RunReportJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
    );

    public int Version { get; init; } = 1;

    public required string Run { get; init; }

    public required string Schedule { get; init; }

    public LoadKind Kind { get; init; }

    public RunStatus Status { get; init; }

    public bool Manual { get; init; }

    public int Attempt { get; init; }

    public string? RetryOf { get; init; }

    public DateTimeOffset DueAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? CompletedAt { get; init; }

    public required string TimeZone { get; init; }

    public string? Message { get; init; }

    public required IReadOnlyList<RunReportError> Errors { get; init; }

    public required IReadOnlyList<string> Transactions { get; init; }

    public long? Completed { get; init; }

    public long? Total { get; init; }

    public string? Unit { get; init; }

    public string? Server { get; init; }

    public string? Node { get; init; }

    public required string Host { get; init; }

    public required string SchedulerVersion { get; init; }

    /// <summary>The report of a run, as UTF-8 JSON.</summary>
    /// <param name="run">The run, which has ended.</param>
    /// <param name="log">Its log.</param>
    /// <param name="timeZone">The zone of its schedule; null for this machine's.</param>
    public static byte[] Write(StoredRun run, IEnumerable<TransactionLogEntry> log, string? timeZone)
    {
        TimeZoneInfo zone =
            timeZone is not null && TimeZoneInfo.TryFindSystemTimeZoneById(timeZone, out TimeZoneInfo? found) ? found : TimeZoneInfo.Local;
        BulkLoadRun described = run.Describe();
        RunReport report = new()
        {
            Run = described.Id,
            Schedule = described.Name,
            Kind = run.Load.Kind,
            Status = described.Status,
            Manual = described.Manual,
            Attempt = described.Attempt,
            RetryOf = described.RetryOf,
            DueAt = InZone(described.DueAt),
            StartedAt = described.StartedAt is { } started ? InZone(started) : null,
            CompletedAt = described.CompletedAt is { } completed ? InZone(completed) : null,
            TimeZone = zone.Id,
            Message = described.Message,
            Errors = Tally(log, described.Message),
            Transactions = described.TransactionIds,
            Completed = described.Completed,
            Total = described.Total,
            Unit = described.Unit,
            Server = described.Server,
            Node = described.Node,
            Host = Environment.MachineName,
            SchedulerVersion = ProductVersion.Text,
        };
        return JsonSerializer.SerializeToUtf8Bytes(report, Json.RunReport);

        DateTimeOffset InZone(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, zone);
    }

    /// <summary>Warnings and errors of the log, each once with its count, the most frequent first.</summary>
    private static IReadOnlyList<RunReportError> Tally(IEnumerable<TransactionLogEntry> log, string? message) =>
        [
            .. log.Where(entry => entry is { Severity: "Warning" or "Error" or "Critical", Message: not null })
                // How it ended is logged too.
                .Where(entry => message is null || !entry.Message!.Contains(message, StringComparison.Ordinal))
                .GroupBy(entry => RepeatedText.KeyOf(entry.Message!), StringComparer.Ordinal)
                .Select(group => new RunReportError(group.First().Message!, group.Count()))
                .OrderByDescending(error => error.Count)
                .Take(MaxErrors),
        ];
}

/// <summary>A warning or error of a run, and how often it was logged with other numbers.</summary>
internal sealed record RunReportError(string Message, int Count);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(RunReport))]
internal sealed partial class RunReportJson : JsonSerializerContext;
