using System.ComponentModel;
using System.Management.Automation;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Scheduler;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A cmdlet that does something to schedules, each by its name.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class NamedScheduleCmdlet : SchedulerCmdlet
{
    /// <summary>The schedules' names; wildcards are taken.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ScheduleCompleter))]
    [NameText]
    public string[] Name { get; set; } = [];

    /// <summary>What is done, as -WhatIf and -Confirm say it.</summary>
    private protected abstract string Action { get; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string name in Name.SelectMany(Find))
        {
            if (ShouldProcess($"{name} at the scheduler {Client.Socket}", Action))
                RunFor(name, token => ActAsync(name, token));
        }
    }

    /// <summary>Does it to one schedule. This is the cmdlet's work.</summary>
    private protected abstract Task ActAsync(string name, CancellationToken cancellationToken);

    /// <summary>The names that are meant. Whether there is a schedule of a name without wildcards is for the daemon to say.</summary>
    private List<string> Find(string given)
    {
        SchedulePattern pattern = new(given);
        if (pattern.IsName)
            return [pattern.Wide];
        List<string> names = [];
        RunFor(given, async token =>
        {
            await foreach (BulkLoadSchedule schedule in Client.ReadSchedulesAsync(pattern.Queries, token).ConfigureAwait(false))
            {
                if (pattern.IsMatch(schedule.Name))
                    names.Add(schedule.Name);
            }
        });
        return names.Find(pattern.IsText) is { } named ? [named] : names;
    }
}
