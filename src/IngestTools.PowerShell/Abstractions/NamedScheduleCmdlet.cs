using System.ComponentModel;
using System.Management.Automation;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;
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

    /// <summary>The base address of the server that a schedule or a run loads to, as these objects have it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, DontShow = true)]
    [AllowNull]
    public ServerArgument? Server { get; set; }

    /// <summary>What is done, as -WhatIf and -Confirm say it.</summary>
    private protected abstract string Action { get; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            ActFor(Server?.ReadBaseAddress());
        }
        catch (IngestException e)
        {
            WriteError(e.ToErrorRecord(Name));
        }
    }

    private void ActFor(string? server)
    {
        foreach (string name in Name.SelectMany(Find))
        {
            bool isMeant = server is null;
            if (server is not null)
            {
                RunFor(
                    name,
                    async token =>
                    {
                        await CheckServerAsync(name, server, token).ConfigureAwait(false);
                        isMeant = true;
                    }
                );
            }

            if (isMeant)
                Act(name);
        }
    }

    /// <summary>Asks whether to do it to one schedule, and does it.</summary>
    private protected virtual void Act(string name)
    {
        if (ShouldProcess($"{name} at the scheduler {Client.Socket}", Action))
            RunFor(name, token => ActAsync(name, token));
    }

    /// <summary>A schedule of this name may have been registered for another server since the object was written.</summary>
    private async Task CheckServerAsync(string name, string server, CancellationToken cancellationToken)
    {
        await foreach (BulkLoadSchedule schedule in Client.ReadSchedulesAsync([name], cancellationToken).ConfigureAwait(false))
        {
            if (string.Equals(schedule.Name, name, StringComparison.OrdinalIgnoreCase) && schedule.Server is { } now && now != server)
                throw SchedulerErrors.WrongServer(schedule.Name, server, now);
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
        RunFor(
            given,
            async token =>
            {
                await foreach (BulkLoadSchedule schedule in Client.ReadSchedulesAsync(pattern.Queries, token).ConfigureAwait(false))
                {
                    if (pattern.IsMatch(schedule.Name))
                        names.Add(schedule.Name);
                }
            }
        );
        return names.Find(pattern.IsText) is { } named ? [named] : names;
    }
}
