using System.Management.Automation;
using System.Runtime.CompilerServices;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.PowerShell.Scheduler;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Commands;

/// <summary>Get-BulkLoadRun: what schedules have run, newest first, or single runs with their logs.</summary>
[Cmdlet(VerbsCommon.Get, "BulkLoadRun", DefaultParameterSetName = IdSet)]
[OutputType(typeof(BulkLoadRun))]
public sealed class GetBulkLoadRunCommand : SchedulerCmdlet
{
    // The default set, so that a run that comes down the pipeline is taken by its id although it has its schedule's name too.
    private const string IdSet = "Id";
    private const string NameSet = "Name";

    /// <summary>The schedules' names; wildcards are taken.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true, ParameterSetName = NameSet)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ScheduleCompleter))]
    [NameText]
    public string[] Name { get; set; } = [];

    /// <summary>Runs, which then have their logs.</summary>
    [Parameter(ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = IdSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(TransactionCompleter))]
    [NameText]
    public string[] Id { get; set; } = [];

    /// <summary>Where the runs stand.</summary>
    [Parameter(ParameterSetName = NameSet)]
    public RunStatus[] Status { get; set; } = [];

    /// <summary>Only runs that were due at this time or later.</summary>
    [Parameter(ParameterSetName = NameSet)]
    public DateTimeOffset? Since { get; set; }

    /// <summary>The maximum number of runs, newest first; with several names, for each name.</summary>
    [Parameter(ParameterSetName = NameSet)]
    [ValidateRange(1, int.MaxValue)]
    public int? Newest { get; set; }

    private protected override bool ReadsStopped => true;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string id in Id)
            RunFor(
                id,
                async token => await PostAsync(Seen(await Client.GetRunAsync(id, token).ConfigureAwait(false)), token).ConfigureAwait(false)
            );
        foreach (string name in Name)
            RunFor(name, token => PostAllAsync(FindAsync(new SchedulePattern(name), token), token));
        if (Id.Length == 0 && Name.Length == 0)
            RunFor(null, token => PostAllAsync(FindAsync(new SchedulePattern("*"), token), token));
    }

    private async IAsyncEnumerable<BulkLoadRun> FindAsync(
        SchedulePattern pattern,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        RunQuery query = new()
        {
            Names = pattern.Queries,
            Statuses = Status,
            Since = Since,
            Newest = pattern.IsExact ? Newest : null,
        };
        int found = 0;
        await foreach (BulkLoadRun run in Client.ReadRunsAsync(query, cancellationToken).ConfigureAwait(false))
        {
            if (!pattern.IsMatch(run.Name))
                continue;
            yield return Seen(run);
            if (++found == Newest)
                yield break;
        }

        if (found == 0 && pattern.IsName && !await IsThereAsync(pattern, cancellationToken).ConfigureAwait(false))
            throw SchedulerErrors.NoSuchSchedule(pattern.Text);
    }

    /// <summary>Whether there is such a schedule, or was one that ran.</summary>
    private async Task<bool> IsThereAsync(SchedulePattern pattern, CancellationToken cancellationToken)
    {
        await foreach (BulkLoadSchedule schedule in Client.ReadSchedulesAsync([pattern.Wide], cancellationToken).ConfigureAwait(false))
            return true;
        await foreach (
            BulkLoadRun run in Client
                .ReadRunsAsync(new RunQuery { Names = [pattern.Wide], Newest = 1 }, cancellationToken)
                .ConfigureAwait(false)
        )
            return true;
        return false;
    }

    private BulkLoadRun Seen(BulkLoadRun run)
    {
        Session.Transactions.Add(run.Id);
        return run;
    }
}
