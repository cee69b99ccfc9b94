using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;
using IngestTools.Services.Voss;

namespace IngestTools.PowerShell.Commands;

/// <summary>Start-BulkLoad: starts the load of each workbook that was uploaded, and writes its transaction at once.</summary>
[Cmdlet(VerbsLifecycle.Start, "BulkLoad", DefaultParameterSetName = UploadSet, SupportsShouldProcess = true)]
[OutputType(typeof(Transaction))]
public sealed class StartBulkLoadCommand : BulkLoadCmdlet
{
    /// <summary>Loads a workbook although its content was loaded into the hierarchy before, or may have been.</summary>
    [Parameter]
    public SwitchParameter Again { get; set; }

    private protected override string Action => "Start bulk load";

    private protected override Task<Transaction> AskAsync(VossClient client, BulkLoadRequest load, CancellationToken cancellationToken) =>
        client.StartAsync(load with { Again = Again }, cancellationToken);
}
