using IngestTools.Scheduler.Control;
using IngestTools.Scheduler.Store;

namespace IngestTools.Scheduler.Page;

/// <summary>Where the files of the daemon that serves the page are.</summary>
/// <param name="Folder">The folder of the lock, the spool and the log.</param>
/// <param name="DeadAfter">A node without a sign of life for this time is dead.</param>
internal sealed record PageFolder(string Folder, TimeSpan DeadAfter);

/// <summary>What the page shows, read as the control socket's answers are.</summary>
internal sealed class PageReader(SchedulerStore store, StateReader state, ReadRoutes reads, PageFolder folder, TimeProvider time)
{
    /// <summary>The items of a part of a list.</summary>
    public const int MaxItems = 50;

    public const int MaxRunning = 50;

    /// <summary>The lines of a run's log that are shown, the last ones.</summary>
    public const int MaxLines = 500;

    public async Task<PageOverview> ReadOverviewAsync(CancellationToken cancellationToken)
    {
        SchedulerState now = await state.ReadAsync(cancellationToken);
        return new PageOverview
        {
            Now = time.GetUtcNow(),
            State = PageText.Of(now),
            Running = (await store.ReadTakenAsync(MaxRunning, cancellationToken)).ConvertAll(run => PageText.Of(run.Describe())),
            Waiting = await store.CountWaitingAsync(cancellationToken),
            Store = await MeasureAsync(now, cancellationToken),
            Nodes = (await store.ReadNodesAsync(cancellationToken)).ConvertAll(node => new PageNode(
                node.Name,
                node.Host,
                node.Process,
                Math.Round(node.Silent.TotalSeconds, 1),
                node.Silent < folder.DeadAfter,
                node.Name == store.Node
            )),
        };
    }

    public async Task<PagePart<BulkLoadRun>> ReadRunsAsync(RunFilter filter, CancellationToken cancellationToken)
    {
        List<BulkLoadRun> runs = await reads.ReadRunsAsync(filter, MaxItems + 1, cancellationToken);
        bool isMore = runs.Count > MaxItems;
        BulkLoadRun[] items = [.. runs.Take(MaxItems).Select(PageText.Of)];
        return new PagePart<BulkLoadRun>(items, isMore ? items[^1].Id["run:".Length..] : null);
    }

    /// <exception cref="IngestException"><see cref="ErrorId.NotFound"/></exception>
    public async Task<BulkLoadRun> ReadRunAsync(string number, CancellationToken cancellationToken)
    {
        BulkLoadRun run = await reads.ReadRunAsync(number, cancellationToken);
        return PageText.Of(run with { Log = [.. run.Log!.TakeLast(MaxLines)] });
    }

    public async Task<PagePart<PageSchedule>> ReadSchedulesAsync(ScheduleFilter filter, CancellationToken cancellationToken)
    {
        List<BulkLoadSchedule> schedules = await reads.ReadSchedulesAsync(filter, MaxItems + 1, cancellationToken);
        bool isMore = schedules.Count > MaxItems;
        PageSchedule[] items = [.. schedules.Take(MaxItems).Select(PageText.Of)];
        return new PagePart<PageSchedule>(items, isMore ? StoredSchedule.KeyOf(schedules[MaxItems - 1].Name) : null);
    }

    public Task<PageAgenda> ReadAgendaAsync(AgendaQuery query, CancellationToken cancellationToken) =>
        new PageAgendaReader(store, time).ReadAsync(query, cancellationToken);

    private async Task<PageStore> MeasureAsync(SchedulerState now, CancellationToken cancellationToken)
    {
        (long? free, long? total) = MeasureDisk();
        return new PageStore
        {
            Kind = store.Dialect.IsShared ? "PostgreSQL" : "SQLite",
            Place = store.Dialect.Place,
            Size = await store.Dialect.MeasureAsync(store, cancellationToken),
            Folder = folder.Folder,
            FolderFree = free,
            FolderTotal = total,
            LogSize = now.LogPath is { } log && new FileInfo(log) is { Exists: true } file ? file.Length : null,
        };
    }

    private (long? Free, long? Total) MeasureDisk()
    {
        try
        {
            DriveInfo disk = new(folder.Folder);
            return (disk.AvailableFreeSpace, disk.TotalSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return (null, null);
        }
    }
}
