using System.Management.Automation;
using System.Threading.Channels;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.Reports;

namespace IngestTools.PowerShell.Commands;

/// <summary>Export-IngestReport: writes what was sent and started as a page for people, or as JSON or CSV for programs.</summary>
[Cmdlet(VerbsData.Export, "IngestReport", DefaultParameterSetName = InputObjectSet, SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportIngestReportCommand : JournalCmdlet
{
    private const string InputObjectSet = "InputObject";
    private const string JobSet = "Job";

    /// <summary>Rows that wait to be written.</summary>
    private const int MaxWaiting = 1024;

    private readonly Channel<ReportRow> _rows = Channel.CreateBounded<ReportRow>(MaxWaiting);
    private string? _path;

    /// <summary>The file. Its extension decides the format: .html, .json, .jsonl or .csv.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string Path { get; set; } = "";

    /// <summary>Upload results, transactions, mapping rows, linking items, runs and jobs, in any mix.</summary>
    [Parameter(ValueFromPipeline = true, ParameterSetName = InputObjectSet)]
    [AllowNull]
    [AllowEmptyCollection]
    public PSObject?[]? InputObject { get; set; }

    /// <summary>The jobs' ids: job:12, or 12. Their results are read from the journal.</summary>
    [Parameter(Mandatory = true, ParameterSetName = JobSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(JobCompleter))]
    public string[] Job { get; set; } = [];

    /// <summary>The title of the report.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? Title { get; set; }

    /// <summary>Writes the report's file as an object.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (ParameterSetName == JobSet)
            base.BeginProcessing();
        string path = Resolve();
        if (!ShouldProcess(path, "Write report"))
            return;
        _path = path;
        Start(WriteAsync);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (PSObject? input in InputObject ?? [])
        {
            if (input is null || _path is null)
                continue;
            if (!Add(input))
                return;
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_path is null)
            return;
        if (ParameterSetName == JobSet && !AddJobs())
            return;
        _rows.Writer.TryComplete();
        Finish();
        if (PassThru)
            WriteObject(InvokeProvider.Item.Get([_path], force: true, literalPath: true), enumerateCollection: true);
    }

    private string Resolve()
    {
        try
        {
            if (ParameterSetName == InputObjectSet && InputObject is null && !MyInvocation.ExpectingInput)
                throw NothingGiven();
            string path = PathResolver.Resolve(this, Path);
            IngestReport.Check(path);
            return path;
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(Path));
            throw;
        }
    }

    /// <summary>Adds the rows of an object; false where the writing has ended.</summary>
    private bool Add(PSObject input)
    {
        try
        {
            object value = UploadResultsAttribute.Restore(input);
            if (value is IngestJob job)
                return AddJob(IngestJob.ParseId(job.Id));
            if (ReportRows.Of(value) is { } rows)
                return rows.All(row => Feed(_rows.Writer, row));
            WriteError(NotForReports(input).ToErrorRecord(input));
        }
        catch (ArgumentTransformationMetadataException e)
        {
            WriteError(NotForReports(input, e).ToErrorRecord(input));
        }
        catch (IngestException e)
        {
            WriteError(e.ToErrorRecord(input));
        }

        return true;
    }

    /// <summary>
    /// Adds what the journal has of the jobs. A job that is not there ends the cmdlet: no report is better than a part of one.
    /// </summary>
    private bool AddJobs()
    {
        try
        {
            return Job.All(job => AddJob(IngestJob.ParseId(job)));
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord());
            throw;
        }
    }

    private bool AddJob(long number) =>
        Feed(_rows.Writer, ReportRows.Of(Journal.FindJob(number)))
        && Journal.ReadResults(number).All(result => Feed(_rows.Writer, ReportRows.Of(result)));

    /// <summary>Writes the report. This is the cmdlet's work.</summary>
    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        ReportOutput written = await IngestReport
            .WriteAsync(_path!, _rows.Reader.ReadAllAsync(cancellationToken), Title, time: null, cancellationToken)
            .ConfigureAwait(false);
        if (written.SetAside is { } aside)
        {
            await PostWarningAsync($"An earlier '{written.Path}' was renamed to '{aside}'.", cancellationToken).ConfigureAwait(false);
        }

        if (written.Rows == 0)
            await PostWarningAsync($"The report '{written.Path}' has no rows.", cancellationToken).ConfigureAwait(false);
    }

    private static IngestException NothingGiven() =>
        IngestErrors.Create(
            ErrorId.Rejected,
            "There is nothing to report.",
            "Let results or transactions come down the pipeline, or give -Job. Get-IngestJob lists the jobs."
        );

    private static IngestException NotForReports(PSObject input, Exception? cause = null) =>
        new(
            ErrorId.Rejected,
            $"A report does not take {input.BaseObject.GetType().Name}{(cause is null ? "" : $": {cause.Message.TrimEnd('.')}")}.",
            cause
        )
        {
            Advice =
                "Give what Send-IngestFile, Get-UploadResult, Wait-Transaction, Get-Transaction, Get-IngestMapping, Get-LinkingBatchItem, "
                + "Get-BulkLoadRun or Get-IngestJob writes.",
        };
}
