using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.Services.DspIngest;

namespace IngestTools.PowerShell.Commands;

/// <summary>Complete-BulkIngest: finalizes a project. This deletes the server's mapping and all files that are left over.</summary>
[Cmdlet(VerbsLifecycle.Complete, "BulkIngest", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class CompleteBulkIngestCommand : IngestCmdlet
{
    private OutputFile? _mapping;

    /// <summary>The projects.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ShortcodeCompleter))]
    [NameText]
    public string[] Shortcode { get; set; } = [];

    /// <summary>A file to save the mapping to before it is deleted.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? MappingPath { get; set; }

    /// <summary>Finalizes although the mapping is unsaved or files are left over.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Records nothing, and does not ask the journal for files that are left over.</summary>
    [Parameter]
    public SwitchParameter NoJournal { get; set; }

    private protected override bool IsJournalOff => NoJournal;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _mapping = OutputFile.Resolve(this, MappingPath);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string shortcode in Shortcode)
        {
            if (ResolveConnection(IngestService.DspIngest, shortcode) is not { } connection)
                continue;
            if (!ShouldProcessAt(connection, $"project {shortcode}", "Finalize: delete the server's mapping and all left-over files"))
                continue;
            Session.Shortcodes.Add(shortcode);
            RunFor(shortcode, token => CompleteAsync(connection, shortcode, token));
        }
    }

    private Task CompleteAsync(IngestConnection connection, string shortcode, CancellationToken cancellationToken) =>
        new DspIngestClient(connection, Log, Journal).CompleteAsync(shortcode, _mapping?.TakeFor(shortcode), Force, cancellationToken);
}
