using System.Globalization;
using IngestTools.Http;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Page;

/// <summary>What others wrote, as the page shows it: addresses without secrets, and no sign that turns or hides text.</summary>
internal static class PageText
{
    public static BulkLoadRun Of(BulkLoadRun run) =>
        run with
        {
            Name = Redaction.EscapeControls(run.Name),
            Server = run.Server is null ? null : Redaction.Of(run.Server),
            RemoteName = run.RemoteName is null ? null : Clean(run.RemoteName),
            Message = run.Message is null ? null : Clean(run.Message),
            Log = run.Log?.Select(entry => entry with { Message = entry.Message is null ? null : Clean(entry.Message) }).ToArray(),
        };

    public static SchedulerState Of(SchedulerState state) =>
        state with
        {
            Trouble = state.Trouble is null ? null : Clean(state.Trouble),
            // The page needs no way to the control socket or to its own token.
            Socket = null,
            PageTokenPath = null,
        };

    public static PageSchedule Of(BulkLoadSchedule schedule)
    {
        ScheduleDefinition? definition = schedule.Definition;
        return new PageSchedule
        {
            Name = Redaction.EscapeControls(schedule.Name),
            Status = schedule.Status,
            Kind = definition?.Load.Kind,
            Load = definition is null ? null : Of(definition.Load),
            When = definition is null ? null : WhenOf(definition),
            Zone = definition is null ? null : ZoneOf(definition),
            Connection = definition is null ? null : Redaction.EscapeControls(definition.Load.Connection),
            Server = schedule.Server is null ? null : Redaction.Of(schedule.Server),
            Reason = schedule.Reason is null ? null : Clean(schedule.Reason),
            NextRuns = schedule.NextRuns,
            LastRun = schedule.LastRun is null ? null : Of(schedule.LastRun),
            RegisteredAt = schedule.RegisteredAt == default ? null : schedule.RegisteredAt,
            RegisteredBy = schedule.RegisteredBy is null ? null : Redaction.EscapeControls(schedule.RegisteredBy),
        };
    }

    /// <summary>What is loaded, and where to.</summary>
    public static string Of(LoadDefinition load) =>
        load.Kind switch
        {
            LoadKind.BulkLoad => $"{Part(load.Path)} to {Part(load.Hierarchy)}",
            LoadKind.BulkIngest => $"{Part(load.Path)} to project {Part(load.Shortcode)}",
            LoadKind.Import => $"{Redaction.Of(load.Source ?? "")} to {Part(load.Repository)}/{Part(load.Branch)}",
            LoadKind.LinkingBatch => $"{Part(load.DataIdPath)} to project {Part(load.ProjectId)}",
            var other => other.ToString(),
        };

    public static string ZoneOf(ScheduleDefinition definition) => Redaction.EscapeControls(definition.TimeZone ?? TimeZoneInfo.Local.Id);

    private static string WhenOf(ScheduleDefinition definition) =>
        definition switch
        {
            { At: { } at } => at.ToString("'once at' yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture),
            { Every: { } every } => $"every {every}",
            _ => $"cron {Redaction.EscapeControls(definition.Cron ?? "")}",
        };

    private static string Part(string? text) => Redaction.EscapeControls(text ?? "");

    private static string Clean(string text) => Redaction.EscapeControls(Redaction.HideSecrets(text));
}
