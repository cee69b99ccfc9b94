using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Commands;

/// <summary>Stop-IngestSandbox: ends sandboxes, and the connections that were made to them.</summary>
[Cmdlet(VerbsLifecycle.Stop, "IngestSandbox", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class StopIngestSandboxCommand : PSCmdlet
{
    private readonly IngestSession _session = IngestSession.Current;

    /// <summary>The sandboxes; without it, all that this session started.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ValidateNotNull]
    public IngestSandbox[]? InputObject { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (IngestSandbox sandbox in InputObject ?? [.. _session.Sandboxes])
        {
            if (ShouldProcess(sandbox.Uri.ToString(), "Stop sandbox"))
                Stop(sandbox);
        }
    }

    private void Stop(IngestSandbox sandbox)
    {
        foreach (IngestConnection connection in sandbox.Connections)
        {
            if (_session.Connections.Remove(connection) is { } next)
                WriteWarning(ConnectionTable.DescribeNext(next));
        }

        sandbox.Connections = [];
        sandbox.Stop();
        _session.Sandboxes.Remove(sandbox);
    }
}
