using System.Management.Automation;
using System.Net;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Errors;
using IngestTools.PowerShell.Scheduler;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Commands;

/// <summary>Start-IngestScheduler: starts the scheduler as a process that outlives the session.</summary>
[Cmdlet(VerbsLifecycle.Start, "IngestScheduler", SupportsShouldProcess = true)]
[OutputType(typeof(SchedulerState))]
public sealed class StartIngestSchedulerCommand : SchedulerProcessCmdlet
{
    /// <summary>The program; without it, the one that comes with the module.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? Path { get; set; }

    /// <summary>Serves the page that Show-IngestScheduler opens.</summary>
    [Parameter]
    public SwitchParameter Page { get; set; }

    /// <summary>The port of the page, which it serves then; without it, a free one.</summary>
    [Parameter]
    [ValidateRange(0, IPEndPoint.MaxPort)]
    public int PagePort { get; set; }

    private int? GivenPort => Page || MyInvocation.BoundParameters.ContainsKey(nameof(PagePort)) ? PagePort : null;

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            string? folder = FullFolder;
            string socket = folder is null ? SchedulerPlace.Socket : SchedulerPlace.SocketOf(folder);
            SchedulerLaunch launch = new(folder ?? SchedulerPlace.Folder, socket, PathResolver.ResolveOptional(this, Path), GivenPort);
            if (ShouldProcess(launch.Folder, "Start scheduler"))
                Run(token => StartAsync(launch, token));
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord());
        }
    }

    private async Task StartAsync(SchedulerLaunch launch, CancellationToken cancellationToken)
    {
        using SchedulerClient client = new(launch.Socket);
        SchedulerState? running = await SchedulerProgram.TryGetStateAsync(client, cancellationToken).ConfigureAwait(false);
        bool isOwn = false;
        if (running is null)
            (running, isOwn) = await SchedulerProgram.StartAsync(launch, client, cancellationToken).ConfigureAwait(false);
        if (isOwn)
            running = running with { LogPath = launch.LogPath };
        else
            await PostWarningAsync(Explain(running, launch), cancellationToken).ConfigureAwait(false);
        await PostAsync(running, cancellationToken).ConfigureAwait(false);
        Session.SchedulerFolder = Folder is null ? null : launch.Folder;
        Session.SchedulerSocket = Folder is null ? null : launch.Socket;
    }

    private static string Explain(SchedulerState running, SchedulerLaunch launch) =>
        $"The scheduler runs already, as process {running.ProcessId}."
        + (
            launch.PagePort is null || running.PageUri is not null
                ? ""
                : " It serves no page. To have one, stop it first: Stop-IngestScheduler, then Start-IngestScheduler -Page."
        );
}
