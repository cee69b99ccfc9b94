namespace IngestTools.Reports;

/// <summary>Writes a report in one format: first each row as it comes, then what is known in the end.</summary>
internal interface IReportWriter : IAsyncDisposable
{
    /// <summary>Takes a row.</summary>
    ValueTask WriteAsync(ReportRow row, CancellationToken cancellationToken);

    /// <summary>Takes what is known after the last row, and writes what is still to be written.</summary>
    ValueTask CompleteAsync(ReportContent content, CancellationToken cancellationToken);
}
