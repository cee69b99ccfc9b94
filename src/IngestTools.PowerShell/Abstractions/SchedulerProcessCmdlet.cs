using System.ComponentModel;
using System.Management.Automation;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A cmdlet for the daemon's process.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class SchedulerProcessCmdlet : SchedulerCmdlet
{
    /// <summary>The folder of its store, its spool and its log.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? Folder { get; set; }

    /// <summary>Where it listens.</summary>
    private protected string Socket =>
        FullFolder is { } folder ? SchedulerPlace.SocketOf(folder) : Session.SchedulerSocket ?? SchedulerPlace.Socket;

    /// <summary>The folder that was named.</summary>
    private protected string? FullFolder => PathResolver.ResolveOptional(this, Folder);

    /// <summary>Speaks to the daemon of that folder.</summary>
    private protected SchedulerClient Open() => new(Socket);
}
