using System.Management.Automation;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Commands;

/// <summary>Get-UploadResult: the results of an earlier Send-IngestFile, as objects that the other cmdlets take.</summary>
[Cmdlet(VerbsCommon.Get, "UploadResult")]
[OutputType(typeof(UploadResult))]
public sealed class GetUploadResultCommand : JournalCmdlet
{
    /// <summary>Results that are written together.</summary>
    private const int ResultsInOnePost = 256;

    /// <summary>The jobs' ids: job:12, or 12.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(JobCompleter))]
    public string[] Job { get; set; } = [];

    /// <summary>Uploaded or Failed; without it, both.</summary>
    [Parameter]
    public UploadStatus[] Status { get; set; } = [];

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        foreach (UploadStatus status in Status.Where(s => s is not (UploadStatus.Uploaded or UploadStatus.Failed)))
        {
            ThrowTerminatingError(
                IngestErrors
                    .Create(
                        ErrorId.Rejected,
                        $"The journal has no results with the status {status}.",
                        "Give Uploaded or Failed. Files that were skipped are counted: see Skipped of Get-IngestJob.",
                        status
                    )
                    .ToErrorRecord()
            );
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string job in Job)
        {
            RunFor(
                job,
                async token =>
                {
                    foreach (UploadResult[] results in Journal.ReadResults(IngestJob.ParseId(job), Status).Chunk(ResultsInOnePost))
                        await PostManyAsync(results, token).ConfigureAwait(false);
                }
            );
        }
    }
}
