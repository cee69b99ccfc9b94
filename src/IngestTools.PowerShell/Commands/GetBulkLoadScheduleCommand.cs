using System.Management.Automation;
using System.Runtime.CompilerServices;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.PowerShell.Scheduler;

namespace IngestTools.PowerShell.Commands;

/// <summary>Get-BulkLoadSchedule: the schedules, with their next times and their newest run.</summary>
[Cmdlet(VerbsCommon.Get, "BulkLoadSchedule")]
[OutputType(typeof(BulkLoadSchedule))]
public sealed class GetBulkLoadScheduleCommand : SchedulerCmdlet
{
    /// <summary>The schedules' names; wildcards are taken.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ScheduleCompleter))]
    [NameText]
    public string[] Name { get; set; } = ["*"];

    private protected override bool ReadsStopped => true;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string name in Name)
            RunFor(name, token => PostAllAsync(FindAsync(new SchedulePattern(name), token), token));
    }

    private async IAsyncEnumerable<BulkLoadSchedule> FindAsync(
        SchedulePattern pattern,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        bool isFound = false;
        await foreach (BulkLoadSchedule schedule in Client.ReadSchedulesAsync(pattern.Queries, cancellationToken).ConfigureAwait(false))
        {
            if (!pattern.IsMatch(schedule.Name))
                continue;
            isFound = true;
            Session.Schedules.Add(schedule.Name);
            yield return schedule;
        }

        if (!isFound && pattern.IsName)
            throw SchedulerErrors.NoSuchSchedule(pattern.Text);
    }
}
