using System.Management.Automation;
using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Commands;

/// <summary>Stop-IngestLog: writes what waits, and closes the log of this session.</summary>
[Cmdlet(VerbsLifecycle.Stop, "IngestLog", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class StopIngestLogCommand : PSCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        IngestSession session = IngestSession.Current;
        if (session.Log is not { } log)
        {
            WriteWarning("No log is open in this session.");
            return;
        }

        if (!ShouldProcess(log.Path, "Close the log"))
            return;
        // Neither does the next cmdlet begin it again where the environment names it.
        session.IsLogVariableRead = true;
        session.Log = null;
        log.Dispose();
        if (log.TakeFailure() is { } failure)
            WriteWarning(failure.Message);
        if (log.TakeWarning() is { } warning)
            WriteWarning(warning);
    }
}
