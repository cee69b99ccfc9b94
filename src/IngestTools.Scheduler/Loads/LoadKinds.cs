using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Loads;

/// <summary>Which class does which kind of load, and over which service.</summary>
internal static class LoadKinds
{
    public static ILoad Create(LoadRun run) =>
        run.Load.Kind switch
        {
            LoadKind.BulkIngest => new BulkIngestLoad(run),
            LoadKind.BulkLoad => new BulkLoadLoad(run),
            LoadKind.Import => new ImportLoad(run),
            LoadKind.LinkingBatch => new LinkingBatchLoad(run),
            _ => throw new IngestException(ErrorId.Rejected, $"This version of ingest-scheduler does not run {run.Load.Kind}."),
        };

    /// <summary>What a look at the service asks about: what the load will use.</summary>
    public static string? ScopeOf(LoadDefinition load) =>
        load.Kind switch
        {
            LoadKind.BulkLoad => load.Hierarchy,
            LoadKind.BulkIngest => load.Shortcode,
            LoadKind.Import => load.Repository,
            LoadKind.LinkingBatch => load.ProjectId,
            _ => null,
        };

    public static IngestService ServiceOf(LoadKind kind) =>
        kind switch
        {
            LoadKind.BulkLoad => IngestService.Voss,
            LoadKind.BulkIngest => IngestService.DspIngest,
            LoadKind.Import => IngestService.LakeFs,
            LoadKind.LinkingBatch => IngestService.Ica,
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
}
