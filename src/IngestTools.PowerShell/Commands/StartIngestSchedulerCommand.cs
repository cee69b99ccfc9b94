using System.Management.Automation;
using System.Net;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
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

    /// <summary>
    /// Where the runs of all schedules are reported that end other than Succeeded: an address, or env:NAME or file:PATH where it is kept.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(NotifyUriCompleter))]
    [NameText]
    public string? NotifyUri { get; set; }

    /// <summary>Where the secret is kept that signs the reports: env:NAME or file:PATH.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(SecretFromCompleter))]
    [NameText]
    public string? NotifySecretFrom { get; set; }

    private int? GivenPort => Page || MyInvocation.BoundParameters.ContainsKey(nameof(PagePort)) ? PagePort : null;

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            string? folder = FullFolder;
            string socket = folder is null ? SchedulerPlace.Socket : SchedulerPlace.SocketOf(folder);
            SchedulerLaunch launch = new(folder ?? SchedulerPlace.Folder, socket, PathResolver.ResolveOptional(this, Path))
            {
                PagePort = GivenPort,
                NotifyUri = PathResolver.ResolveReference(this, NotifyUri is null ? null : CheckAddress(NotifyUri)),
                NotifySecretFrom = PathResolver.ResolveReference(this, NotifySecretFrom),
            };
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

    /// <summary>Everybody on the machine can read the arguments of a process.</summary>
    private static string CheckAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri)
        && uri.Scheme.StartsWith(Uri.UriSchemeHttp, StringComparison.Ordinal)
        && (uri.Query.Length > 0 || uri.UserInfo.Length > 0)
            ? throw IngestErrors.Create(
                ErrorId.InvalidSchedule,
                $"The address of {uri.Host} has a user name or a query in it, which others can read in the list of processes.",
                "Keep the address in a file or a variable, and give -NotifyUri file:PATH or env:NAME.",
                uri.Host
            )
            : text;

    private static string Explain(SchedulerState running, SchedulerLaunch launch) =>
        $"The scheduler runs already, as process {running.ProcessId}."
        + (
            launch.PagePort is null || running.PageUri is not null
                ? ""
                : " It serves no page. To have one, stop it first: Stop-IngestScheduler, then Start-IngestScheduler -Page."
        )
        + (
            launch.NotifyUri is null && launch.NotifySecretFrom is null
                ? ""
                : " It reports as it did before. To change that, stop it first: Stop-IngestScheduler."
        );
}
