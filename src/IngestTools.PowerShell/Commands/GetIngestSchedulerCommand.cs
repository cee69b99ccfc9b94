using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Scheduler;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Commands;

/// <summary>Get-IngestScheduler: whether the scheduler runs, and how it does.</summary>
[Cmdlet(VerbsCommon.Get, "IngestScheduler")]
[OutputType(typeof(SchedulerState))]
public sealed class GetIngestSchedulerCommand : SchedulerProcessCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => RunFor(Folder, LookAsync);

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        string? folder = FullFolder ?? Session.SchedulerFolder ?? SchedulerPlace.FolderOf(Socket);
        using SchedulerClient client = new(
            Socket,
            (request, _) => Task.FromResult(folder is null ? null : StoppedScheduler.TryOpen(folder, request))
        );
        SchedulerState state;
        try
        {
            state =
                await SchedulerProgram.TryGetStateAsync(client, cancellationToken).ConfigureAwait(false)
                ?? new SchedulerState { Socket = client.Socket };
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.FileUnreadable)
        {
            state = new SchedulerState { Socket = client.Socket, Trouble = e.Message };
        }

        string? log = folder is null ? null : SchedulerPlace.LogOf(folder);
        await PostAsync(state with { LogPath = state.LogPath ?? (File.Exists(log) ? log : null) }, cancellationToken).ConfigureAwait(false);
    }
}
