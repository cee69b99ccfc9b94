using System.ComponentModel;
using System.Globalization;
using IngestTools.Journal;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Formatting;

/// <summary>How values are shown in tables and progress bars.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class Display
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>A number of bytes, in the largest unit that keeps it at 1 or more.</summary>
    public static string Bytes(double bytes)
    {
        int unit = 0;
        while (bytes >= 1024 && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return bytes.ToString(unit == 0 ? "0" : "0.0", CultureInfo.CurrentCulture) + " " + Units[unit];
    }

    /// <summary>Bytes a second; nothing where there were none.</summary>
    public static string Rate(double bytesPerSecond) => bytesPerSecond > 0 ? Bytes(bytesPerSecond) + "/s" : "";

    /// <summary>A time span, to the second: "1:23", "1:02:03"; below ten seconds, to the hundredth.</summary>
    public static string Time(TimeSpan? time) =>
        time switch
        {
            null => "",
            { TotalSeconds: < 10 } brief => brief.TotalSeconds.ToString("0.00", CultureInfo.CurrentCulture) + " s",
            { TotalHours: < 1 } => time.Value.ToString(@"m\:ss", CultureInfo.InvariantCulture),
            { TotalDays: < 1 } => time.Value.ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture),
            _ => time.Value.ToString(@"d\.hh\:mm\:ss", CultureInfo.InvariantCulture),
        };

    /// <summary>
    /// A transaction's id, and below it what there is to say about it: an id is up to 77 characters long, and is copied from here.
    /// </summary>
    public static string Transaction(Transaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        string time = Time(transaction.Elapsed);
        string progress = Progress(transaction);
        string done =
            time.Length == 0 ? progress
            : progress.Length == 0 ? $"after {time}"
            : $"{progress} in {time}";
        return WithDetails(transaction.Id, done, transaction.Message);
    }

    /// <summary>A range's id, and below it what it holds.</summary>
    public static string Range(ImportRange range)
    {
        ArgumentNullException.ThrowIfNull(range);
        string size = Bytes(range.EstimatedSize);
        return range.MinKey.Length == 0
            ? WithDetails(range.Id, size)
            : WithDetails(range.Id, $"{size} from {range.MinKey}", $"to {range.MaxKey}");
    }

    /// <summary>A metarange's id, and below it what it is made of.</summary>
    public static string MetaRange(ImportMetaRange metaRange)
    {
        ArgumentNullException.ThrowIfNull(metaRange);
        return WithDetails(metaRange.Id, $"{Quantity.Of(metaRange.Ranges, "range")} in {metaRange.Repository}");
    }

    /// <summary>How far a transaction has come: "12 of 100 files".</summary>
    public static string Progress(Transaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        return Progress(transaction.Completed, transaction.Total, transaction.Unit);
    }

    /// <summary>How far a run has come: "12 of 100 files".</summary>
    public static string Progress(BulkLoadRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return Progress(run.Completed, run.Total, run.Unit);
    }

    /// <summary>A line of a log, its time first.</summary>
    public static string LogLine(TransactionLogEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        string time = entry.Time is { } known ? known.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture) + " " : "";
        return time + (entry.Severity is null or "Information" ? "" : entry.Severity + ": ") + entry.Message;
    }

    /// <summary>A moment in local time, to the minute.</summary>
    public static string Moment(DateTimeOffset? moment) =>
        moment is { } known ? known.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) : "";

    /// <summary>A moment in local time, to the second.</summary>
    public static string Second(DateTimeOffset? moment) =>
        moment is { } known ? known.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : "";

    /// <summary>A moment in local time and in UTC, to the second.</summary>
    public static string BothTimes(DateTimeOffset moment) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $@"{moment.ToLocalTime():yyyy-MM-dd HH\:mm\:ss zzz} ({moment.UtcDateTime:HH\:mm\:ss} UTC)"
        );

    /// <summary>A time of a schedule in the zone that it has, and in UTC: there it is seen what a clock change does to it.</summary>
    public static string ScheduleTime(DateTimeOffset time) =>
        string.Create(CultureInfo.InvariantCulture, $@"{time:yyyy-MM-dd HH\:mm\:ss zzz} ({time.UtcDateTime:HH\:mm\:ss} UTC)");

    /// <summary>What a schedule loads: "users.xlsx at sys.hcs".</summary>
    public static string Load(LoadDefinition load)
    {
        ArgumentNullException.ThrowIfNull(load);
        return load.Kind switch
        {
            LoadKind.BulkLoad => $"{Path.GetFileName(load.Path)} at {load.Hierarchy}",
            LoadKind.BulkIngest => $"{Path.GetFileName(Path.TrimEndingDirectorySeparator(load.Path ?? ""))} into {load.Shortcode}",
            LoadKind.Import => $"{load.Source} into {load.Repository}/{load.Branch}",
            LoadKind.LinkingBatch => $"{Path.GetFileName(load.DataIdPath)} into {load.ProjectId}",
            _ => load.Kind.ToString(),
        };
    }

    /// <summary>Parts of a transaction, those that failed first, and how many more there are.</summary>
    public static string Parts(Transaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        return Lines(
            [.. (transaction.SubTransactions ?? []).OrderBy(part => part.Status == TransactionStatus.Succeeded)],
            "(Get-Transaction ID).SubTransactions"
        );
    }

    /// <summary>Why files failed, and how many more reasons there are.</summary>
    public static string Failures(UploadSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return Lines([.. summary.Failures], "the property Failures");
    }

    private static string Lines<T>(IReadOnlyCollection<T> items, string all)
    {
        const int most = 10;
        IEnumerable<string> lines = items.Take(most).Select(item => item!.ToString()!);
        if (items.Count > most)
            lines = lines.Append($"and {Number(items.Count - most)} more: {all}");
        return string.Join(Environment.NewLine, lines);
    }

    /// <summary>What became of a job's files: "1 failed, 3 sent, 9,997 skipped".</summary>
    public static string Files(IngestJob job) => string.Join(", ", CountFiles(job));

    /// <summary>The same for a narrow column, one below the other: no number is broken there.</summary>
    public static string FilesColumn(IngestJob job)
    {
        const int Width = 22;
        string files = Files(job);
        return files.Length <= Width ? files : string.Join(Environment.NewLine, CountFiles(job));
    }

    private static string[] CountFiles(IngestJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        (long Count, string What)[] parts = [(job.Failed, "failed"), (job.Uploaded, "sent"), (job.Skipped, "skipped")];
        string[] counts = [.. parts.Where(part => part.Count > 0).Select(part => $"{Number(part.Count)} {part.What}")];
        return counts.Length > 0 ? counts : ["none"];
    }

    /// <summary>A job in a line: where it stands, when it began, where it sent to, what became of its files.</summary>
    public static string Job(IngestJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return $"{job.Status}, {Moment(job.StartedAt)}, {job.Shortcode ?? job.Hierarchy} at {job.Server}: {Files(job)}";
    }

    /// <summary>Records that are deleted: "the records of 5,000 files and 1 job".</summary>
    public static string Records(JournalCleared records)
    {
        ArgumentNullException.ThrowIfNull(records);
        (long Count, string What)[] kinds = [(records.Files, "file"), (records.Jobs, "job"), (records.Transactions, "transaction")];
        string[] parts =
        [
            .. kinds.Where(kind => kind.Count > 0).Select(kind => $"{Number(kind.Count)} {kind.What}{(kind.Count == 1 ? "" : "s")}"),
        ];
        string all = parts.Length > 1 ? $"{string.Join(", ", parts[..^1])} and {parts[^1]}" : string.Concat(parts);
        return $"the {(records.Files + records.Jobs + records.Transactions == 1 ? "record" : "records")} of {all}";
    }

    /// <summary>A number, with its thousands apart.</summary>
    public static string Number(long number) => number.ToString("N0", CultureInfo.CurrentCulture);

    /// <summary>A number with its thousands apart; below ten with its tenths, so that it is not shown as none.</summary>
    public static string Number(double number) => number.ToString(number < 10 ? "0.##" : "N0", CultureInfo.CurrentCulture);

    /// <summary>When a schedule runs: at the times of a cron text, after each span, once.</summary>
    public static string When(ScheduleDefinition? definition) =>
        definition switch
        {
            null => "",
            { Cron: { } cron } => cron,
            { Every: { } every } => "every " + every.ToString("c", CultureInfo.InvariantCulture),
            _ => "once",
        };

    /// <summary>A schedule in a sentence, with its next times.</summary>
    public static string Plan(BulkLoadSchedule schedule, string action = "Register schedule")
    {
        ArgumentNullException.ThrowIfNull(schedule);
        LoadDefinition load = schedule.Definition!.Load;
        string what =
            $"{action} '{schedule.Name}': {load.Kind} of {Load(load)}, over the connection "
            + $"'{load.Connection}'{(schedule.Server is null ? "" : $" to {schedule.Server}")}.";
        string next = schedule.NextRuns.Count == 0 ? "It has no time to come." : "It would run at";
        return string.Join(Environment.NewLine + "    ", schedule.NextRuns.Select(ScheduleTime).Prepend($"{what} {next}"));
    }

    /// <summary>How failed runs are repeated: "3 times, 00:15:00 after the failure".</summary>
    public static string Retries(ScheduleDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        TimeSpan after = definition.RetryAfter ?? ScheduleDefinition.DefaultRetryAfter;
        return $"{(definition.RetryFailed == 1 ? "once" : $"{definition.RetryFailed} times")}, {after:c} after the failure";
    }

    /// <summary>How a run ended and when it was due; nothing before the first.</summary>
    public static string LastRun(BulkLoadRun? run) => run is null ? "" : $"{run.Status}, {Moment(run.DueAt)}";

    /// <summary>The same for a narrow column, in two lines.</summary>
    public static string LastRunColumn(BulkLoadRun? run) => run is null ? "" : $"{run.Status}{Environment.NewLine}{Moment(run.DueAt)}";

    /// <summary>How a run ended, or how far it has come.</summary>
    public static string Outcome(BulkLoadRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return run.Message ?? Progress(run);
    }

    /// <summary>Yes, no, or that it is not known.</summary>
    public static string YesNo(bool? value) =>
        value switch
        {
            true => "yes",
            false => "no",
            null => "?",
        };

    private static string WithDetails(string id, params string?[] details) =>
        string.Join(
            Environment.NewLine,
            details.Where(detail => !string.IsNullOrEmpty(detail)).Select(detail => "  " + detail).Prepend(id)
        );

    private static string Progress(long? completed, long? total, string? unit) =>
        (completed, total) switch
        {
            (null, null) => "",
            ({ } done, null) => $"{done:N0} {unit}",
            var (done, all) => $"{done ?? 0:N0} of {all:N0} {unit}",
        };
}
