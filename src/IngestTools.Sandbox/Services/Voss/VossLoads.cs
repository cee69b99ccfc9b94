using System.Globalization;
using static IngestTools.Sandbox.Services.Voss.VossTransaction;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>
/// Runs loads. A load is one transaction with a step "Execute Resource", whose parts are the rows; rows run one after the other unless
/// their header asks for more, and one that fails leaves the others alone.
/// </summary>
internal sealed class VossLoads(VossState state) : IDisposable
{
    /// <summary>So many rows of a parallel block run at once.</summary>
    private const int RowsAtOnce = 14;

    /// <summary>Timers take no longer than some weeks; a schedule may lie further off.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromDays(1);

    private readonly SemaphoreSlim _workers = new(state.Options.Workers);

    private VossOptions Options => state.Options;

    private DateTimeOffset Now => state.Environment.Clock.GetUtcNow();

    public void Dispose() => _workers.Dispose();

    /// <summary>Begins a load, which is queued at first.</summary>
    /// <returns>Its transaction, and its end.</returns>
    public (VossTransaction Transaction, Task End) Start(VossUser user, VossHierarchyNode hierarchy, string fileName)
    {
        VossTransaction load = state.NewTransaction("Execute Bulk Load", user.Name, hierarchy, fileName: fileName);
        load.Detail = fileName;
        return (load, RunAsync(load, user, afterwards: static () => { }));
    }

    /// <summary>Makes a schedule, which is a transaction of its own.</summary>
    public (VossTransaction Transaction, Task End) Register(VossUser user, VossSchedule schedule)
    {
        VossTransaction making = state.NewTransaction("Execute Bulk Load", user.Name, schedule.Hierarchy, fileName: schedule.FileName);
        making.Detail = $"Name:{schedule.Name}";
        AddStep(making, "Create Bulk Load", making.Detail);
        AddStep(making, "Create Schedule", making.Detail);
        state.AddSchedule(schedule);
        making.Message = $"The bulk load is scheduled for {schedule.ExecuteDate} {schedule.ExecuteTime}.";
        making.Begin(Now);
        making.End(Success, Now);
        state.Environment.Changes.Pulse();
        _ = WaitAndRunAsync(user, schedule);
        return (making, Task.CompletedTask);
    }

    /// <summary>Runs a schedule now, unless it has run. It vanishes from the list when its load has ended.</summary>
    public Task RunNowAsync(VossUser user, VossSchedule schedule)
    {
        if (!state.RemoveSchedule(schedule))
            return Task.CompletedTask;
        state.AddSchedule(schedule);
        VossTransaction load = state.NewTransaction("Execute Schedule", user.Name, schedule.Hierarchy, fileName: schedule.FileName);
        load.Detail = $"Execute : {schedule.Name}";
        return RunAsync(load, user, () => state.RemoveSchedule(schedule));
    }

    private async Task WaitAndRunAsync(VossUser user, VossSchedule schedule)
    {
        try
        {
            while (schedule.At - Now is var left && left > TimeSpan.Zero)
                await state.Environment.DelayAsync(left < LongestSleep ? left : LongestSleep);
            await RunNowAsync(user, schedule);
        }
        catch (OperationCanceledException)
        {
            // The sandbox ends.
        }
    }

    private async Task RunAsync(VossTransaction load, VossUser user, Action afterwards)
    {
        try
        {
            await Options.BeforeLoad(load.FileName!);
            await state.Environment.DelayAsync(Options.QueueTime);
            await _workers.WaitAsync(state.Environment.Stopping);
            try
            {
                load.Begin(Now);
                state.Environment.Changes.Pulse();
                await ExecuteAsync(load, user);
            }
            finally
            {
                _workers.Release();
            }
        }
        catch (OperationCanceledException)
        {
            // The sandbox ends, and the load with it.
        }

        afterwards();
        state.Environment.Changes.Pulse();
    }

    private async Task ExecuteAsync(VossTransaction load, VossUser user)
    {
        if (Check(load, user, out byte[] workbook, out int sheets) is { } refusal)
        {
            load.AddLog("error", Now, refusal);
            EndLoad(load, Fail, refusal);
            return;
        }

        load.AddLog("info", Now, $"{load.FileName} is a valid workbook");
        AddStep(load, "Create Bulk Load", $"Name:{load.FileName}");
        VossTransaction step = state.NewTransaction("Execute Resource", load.UserName, load.Hierarchy, load);
        step.Detail = $"Execute : {load.FileName}";
        step.Begin(Now);
        Tally tally = new();
        foreach (LoadBlock block in LoadBlock.FromWorkbook(workbook))
            await LoadBlockAsync(load, step, block, tally);
        EndRows(load, step, tally, sheets);
    }

    /// <summary>
    /// What is looked at before the first row; the reason where no row is loaded. All of the workbook is read for it, and nothing of it is
    /// kept.
    /// </summary>
    private string? Check(VossTransaction load, VossUser user, out byte[] workbook, out int sheets)
    {
        (workbook, sheets) = ([], 0);
        if (!user.MayBulkLoad)
            return $"The access profile of {user.Name} does not allow tool/BulkLoad.";
        if (state.FindFile(load.FileName!) is not { } file)
            return $"The file {load.FileName} does not exist.";
        workbook = file.Content;
        try
        {
            sheets = LoadBlock.CountSheets(workbook);
            string? unknown = LoadBlock
                .FromWorkbook(workbook)
                .Select(static block => block.Hierarchy)
                .FirstOrDefault(name => name is not null && state.FindHierarchy(name) is null);
            return unknown is null ? null : $"The hierarchy {unknown} does not exist.";
        }
        catch (InvalidDataException e)
        {
            return $"{file.Name} is not a valid workbook: {e.Message}";
        }
    }

    private async Task LoadBlockAsync(VossTransaction load, VossTransaction step, LoadBlock block, Tally tally)
    {
        if (!block.IsParallel)
        {
            foreach (VossRow row in block.Rows)
                await LoadRowAsync(load, step, row, tally);
            return;
        }

        tally.IsParallel = true;
        ParallelOptions side = new() { MaxDegreeOfParallelism = RowsAtOnce, CancellationToken = state.Environment.Stopping };
        await Parallel.ForEachAsync(block.Rows, side, async (row, _) => await LoadRowAsync(load, step, row, tally));
    }

    private async Task LoadRowAsync(VossTransaction load, VossTransaction step, VossRow row, Tally tally)
    {
        if (load.IsCancelRequested)
            return;
        VossTransaction part = state.NewTransaction(
            $"Create {row.Entity[(row.Entity.LastIndexOf('/') + 1)..]}",
            load.UserName,
            load.Hierarchy,
            step,
            row
        );
        string place = $"Sheet: {row.Sheet}, Row: {row.Number.ToString(CultureInfo.InvariantCulture)}";
        string name = $"Name:{row.Cells.Values.FirstOrDefault()}";
        part.Detail = Options.RowPlace == VossRowPlace.Detail ? $"{place}, {name}" : name;
        part.Begin(Now);
        state.Environment.Changes.Pulse();
        await Options.BeforeRow(row);
        await state.Environment.DelayAsync(Options.TimePerRow);

        string? reason = load.IsCancelRequested ? "Transaction canceled" : Options.RowFails(row) ?? UnknownHierarchyOf(row);
        part.IsRolledBack = reason is not null;
        if (reason is not null)
            part.AddLog("error", Now, reason);
        part.Message = reason is not null && Options.RowPlace == VossRowPlace.Message ? $"{place}: {reason}" : reason ?? "";
        part.End(reason is null ? Success : Fail, Now);
        tally.Add(reason is null);
        if (reason is null && tally.Succeeded > Options.SucceededRowsKept)
            state.Forget(part);
        state.Environment.Changes.Pulse();
    }

    /// <summary>A row may name the node it goes to, in a column of that name.</summary>
    private string? UnknownHierarchyOf(VossRow row) =>
        (row.Cells.GetValueOrDefault("Hierarchy") ?? row.Cells.GetValueOrDefault("$hierarchy")) is { } name
        && state.FindHierarchy(name) is null
            ? $"The hierarchy {name} does not exist."
            : null;

    private void EndRows(VossTransaction load, VossTransaction step, Tally tally, int sheets)
    {
        string status = tally switch
        {
            _ when load.IsCancelRequested => Fail,
            { Failed: 0 } => Success,
            { Succeeded: 0 } => Fail,
            { IsParallel: true } => SuccessWithAsyncFailures,
            _ => Options.PartFailedStatus,
        };
        string message = load.IsCancelRequested
            ? "Transaction canceled"
            : string.Create(CultureInfo.InvariantCulture, $"{tally.Succeeded} rows succeeded, {tally.Failed} failed");
        load.Detail = Summary(load, tally, sheets);
        step.Message = message;
        step.End(status, Now);
        load.AddLog("info", Now, load.Detail);
        EndLoad(load, status, message);
    }

    private void EndLoad(VossTransaction load, string status, string message)
    {
        load.Message = message;
        load.End(status, Now);
        state.Environment.Changes.Pulse();
    }

    private void AddStep(VossTransaction parent, string action, string detail)
    {
        VossTransaction step = state.NewTransaction(action, parent.UserName, parent.Hierarchy, parent);
        step.Detail = detail;
        step.Begin(Now);
        step.End(Success, Now);
    }

    private static string Summary(VossTransaction load, Tally tally, int sheets) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"[ {tally.Succeeded}/{tally.Succeeded + tally.Failed} ] succeeded from [ {sheets} ] {(sheets == 1 ? "sheet" : "sheets")} "
                + $"in {load.FileName}."
        );

    private sealed class Tally
    {
        private int _succeeded;
        private int _failed;

        public int Succeeded => _succeeded;

        public int Failed => _failed;

        public bool IsParallel { get; set; }

        public void Add(bool succeeded) => Interlocked.Increment(ref succeeded ? ref _succeeded : ref _failed);
    }
}
