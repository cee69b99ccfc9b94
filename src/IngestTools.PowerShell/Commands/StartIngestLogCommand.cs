using System.Management.Automation;
using IngestTools.Logging;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Commands;

/// <summary>Start-IngestLog: logs what the cmdlets of this session do to a file.</summary>
[Cmdlet(VerbsLifecycle.Start, "IngestLog", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class StartIngestLogCommand : PSCmdlet
{
    // In a box, for a field of one of Core's enums would need Core before it can be found.
    private object? _level;

    /// <summary>The file. Lines are added to one that is there.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string Path { get; set; } = "";

    /// <summary>The least weight that is logged.</summary>
    [Parameter]
    public LogSeverity Level
    {
        get => (LogSeverity)(_level ?? LogSeverity.Debug);
        set => _level = value;
    }

    /// <summary>Writes each line as a JSON object.</summary>
    [Parameter]
    public SwitchParameter Json { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            string path = PathResolver.Resolve(this, Path);
            if (!ShouldProcess(path, $"Log what IngestTools does, from {Level} on"))
                return;
            IngestSession session = IngestSession.Current;
            LogFile log = LogFile.Open(path, Level, Json || SessionLog.IsJson(path));
            // The log that was open is closed when the new one is, so that nothing is lost where that fails.
            session.Log?.Dispose();
            session.Log = log;
            WriteObject(new FileInfo(log.Path));
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(Path));
        }
    }
}
