using System.Management.Automation;
using IngestTools.Journal;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;

namespace IngestTools.PowerShell.Commands;

/// <summary>Get-IngestJob: the calls of Send-IngestFile that the journal has, newest first.</summary>
[Cmdlet(VerbsCommon.Get, "IngestJob", DefaultParameterSetName = ListSet)]
[OutputType(typeof(IngestJob))]
public sealed class GetIngestJobCommand : JournalCmdlet
{
    private const string ListSet = "List";
    private const string IdSet = "Id";

    /// <summary>The jobs' ids: job:12, or 12.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = IdSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(JobCompleter))]
    public string[] Id { get; set; } = [];

    /// <summary>The maximum number of jobs, newest first.</summary>
    [Parameter(ParameterSetName = ListSet)]
    [ValidateRange(1, int.MaxValue)]
    public int? Last { get; set; }

    /// <summary>Only jobs that began at this time or later.</summary>
    [Parameter(ParameterSetName = ListSet)]
    public DateTimeOffset? Since { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string id in Id)
            RunFor(id, async token => await PostAsync(Journal.FindJob(IngestJob.ParseId(id)), token).ConfigureAwait(false));
        if (ParameterSetName == ListSet)
            RunFor(
                null,
                async token =>
                    await PostManyAsync([.. Journal.ReadJobs(new JobQuery { Last = Last, Since = Since })], token).ConfigureAwait(false)
            );
    }
}
