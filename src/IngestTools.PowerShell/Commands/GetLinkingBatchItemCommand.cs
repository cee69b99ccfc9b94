using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.Services.Ica;

namespace IngestTools.PowerShell.Commands;

/// <summary>Get-LinkingBatchItem: the items of linking batches, and their outcomes.</summary>
[Cmdlet(VerbsCommon.Get, "LinkingBatchItem")]
[OutputType(typeof(LinkingBatchItem))]
public sealed class GetLinkingBatchItemCommand : IngestCmdlet
{
    /// <summary>The batches.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string[] BatchId { get; set; } = [];

    /// <summary>The project.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ProjectCompleter))]
    [NameText]
    public string? ProjectId { get; set; }

    /// <summary>Just these items.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string[]? ItemId { get; set; }

    /// <summary>Just the items of these statuses, in any case.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(LinkingStatusCompleter))]
    public string[] Status { get; set; } = [];

    /// <summary>How many items are asked for at once.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? PageSize { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        string? project = ProjectId ?? IcaClient.DefaultProjectId;
        if (project is null)
        {
            ThrowTerminatingError(
                IngestErrors
                    .Create(
                        ErrorId.Rejected,
                        "The project of the batch is not known.",
                        $"Give -ProjectId, or set the environment variable {IcaClient.ProjectVariable}."
                    )
                    .ToErrorRecord()
            );
            return;
        }

        foreach (string batch in BatchId)
        {
            if (ResolveConnection(IngestService.Ica, batch) is not { } connection)
                continue;
            Session.Projects.Add(project);
            if (ItemId is null)
                RunFor(batch, token => WriteItemsAsync(new IcaClient(connection, Log), project, batch, token));
            else
                Array.ForEach(
                    ItemId,
                    item => RunFor(item, token => WriteItemAsync(new IcaClient(connection, Log), project, batch, item, token))
                );
        }
    }

    private Task WriteItemsAsync(IcaClient client, string project, string batch, CancellationToken cancellationToken)
    {
        string[] statuses = Array.ConvertAll(Status, status => status.Trim().ToUpperInvariant());
        return PostAllAsync(client.ReadItemsAsync(project, batch, statuses, PageSize, cancellationToken), cancellationToken);
    }

    private async Task WriteItemAsync(IcaClient client, string project, string batch, string item, CancellationToken cancellationToken)
    {
        LinkingBatchItem found = await client.GetItemAsync(project, batch, item, cancellationToken).ConfigureAwait(false);
        if (Status.Length == 0 || Status.Contains(found.Status, StringComparer.OrdinalIgnoreCase))
            await PostAsync(found, cancellationToken).ConfigureAwait(false);
    }
}
