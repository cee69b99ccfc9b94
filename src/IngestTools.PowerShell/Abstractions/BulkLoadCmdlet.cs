using System.ComponentModel;
using System.Management.Automation;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.Services.Voss;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A cmdlet that takes workbooks that were uploaded to VOSS, and asks for a load of each.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class BulkLoadCmdlet : IngestCmdlet
{
    private protected const string FileSet = "File";
    private protected const string UploadSet = "Upload";

    /// <summary>What was uploaded: it has the file's name, and the hierarchy.</summary>
    /// <remarks>
    /// Its set is the default one: there the binder looks first, so that a result is not taken for a name because it has one.
    /// </remarks>
    [Parameter(ValueFromPipeline = true, ParameterSetName = UploadSet)]
    [UploadResults]
    [ValidateNotNull]
    public UploadResult[] InputObject { get; set; } = [];

    /// <summary>The workbooks, by the names that the server gave them.</summary>
    [Parameter(
        Mandatory = true,
        Position = 0,
        ValueFromPipeline = true,
        ValueFromPipelineByPropertyName = true,
        ParameterSetName = FileSet
    )]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string[] FileName { get; set; } = [];

    /// <summary>The hierarchy: a dotted path or a pkid. With uploads: instead of the one that they were sent to.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = FileSet)]
    [Parameter(ParameterSetName = UploadSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(HierarchyCompleter))]
    [NameText]
    public virtual string? Hierarchy { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (ParameterSetName == UploadSet && InputObject.Length == 0 && !MyInvocation.ExpectingInput)
        {
            ThrowTerminatingError(
                IngestErrors
                    .Create(
                        ErrorId.Rejected,
                        "There is nothing to load.",
                        "Give -FileName and -Hierarchy, or let results of Send-IngestFile -Hierarchy come down the pipeline."
                    )
                    .ToErrorRecord()
            );
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == UploadSet)
            Array.ForEach(InputObject, Take);
        else
            Array.ForEach(FileName, name => Ask(new BulkLoadRequest { FileName = name, Hierarchy = Hierarchy! }, name, null));
    }

    /// <summary>Records nothing, and does not ask the journal what was sent and loaded before.</summary>
    [Parameter(ParameterSetName = FileSet)]
    [Parameter(ParameterSetName = UploadSet)]
    public SwitchParameter NoJournal { get; set; }

    private protected override bool IsJournalOff => NoJournal;

    /// <summary>What is asked of the server for each workbook, for a person.</summary>
    private protected abstract string Action { get; }

    /// <summary>Asks the server.</summary>
    private protected abstract Task<Transaction> AskAsync(VossClient client, BulkLoadRequest load, CancellationToken cancellationToken);

    private void Take(UploadResult upload)
    {
        switch (upload.Status)
        {
            case UploadStatus.Skipped when !upload.IsOnServer:
                WriteVerbose($"'{upload.Path}' was left out when files were sent, and is not loaded.");
                break;
            case UploadStatus.Planned:
                WriteError(IngestErrors.NotSent(upload));
                break;
            case UploadStatus.Failed:
                WriteError(
                    IngestErrors
                        .Create(
                            ErrorId.Rejected,
                            $"'{upload.Path}' is not loaded: its upload failed.",
                            "Send it again: $results | Where-Object Status -eq Failed | Send-IngestFile."
                        )
                        .ToErrorRecord(upload)
                );
                break;
            default:
                if ((Hierarchy ?? upload.Hierarchy) is { } hierarchy)
                    Ask(BulkLoadRequest.Of(upload, hierarchy), upload, upload);
                else
                    WriteError(IngestErrors.NotOfHierarchy(upload));
                break;
        }
    }

    private void Ask(BulkLoadRequest load, object input, UploadResult? upload)
    {
        if (
            ResolveConnection(IngestService.Voss, input, upload?.Connection, upload?.Server) is not { } connection
            || !ShouldProcessAt(connection, $"{load.FileName} in {load.Hierarchy}", Action)
        )
            return;
        RunFor(
            input,
            async token =>
            {
                Transaction started = await AskAsync(new VossClient(connection, Log, Journal), load, token).ConfigureAwait(false);
                Session.Remember(started);
                await PostAsync(started, token).ConfigureAwait(false);
            }
        );
    }
}
