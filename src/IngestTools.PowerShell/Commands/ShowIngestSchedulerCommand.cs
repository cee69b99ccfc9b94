using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Programs;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Commands;

/// <summary>Show-IngestScheduler: opens the scheduler's page in the browser.</summary>
[Cmdlet(VerbsCommon.Show, "IngestScheduler")]
[OutputType(typeof(string))]
public sealed class ShowIngestSchedulerCommand : SchedulerProcessCmdlet
{
    /// <summary>Writes the address, and opens no browser.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => RunFor(Folder, ShowAsync);

    private async Task ShowAsync(CancellationToken cancellationToken)
    {
        using SchedulerClient client = Open();
        PageAddress address = await client.CreatePageAddressAsync(cancellationToken).ConfigureAwait(false);
        if (PassThru)
            await PostAsync(address.Uri.AbsoluteUri, cancellationToken).ConfigureAwait(false);
        else if (!Browser.TryOpen(address.Uri))
        {
            await PostWarningAsync(
                    "This session has no browser. The address opens the page once, within ten minutes, on this machine.",
                    cancellationToken
                )
                .ConfigureAwait(false);
            await PostAsync(address.Uri.AbsoluteUri, cancellationToken).ConfigureAwait(false);
        }
    }
}
