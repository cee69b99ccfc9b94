using IngestTools.Reports;

namespace IngestTools.Demo;

/// <summary>Gathers what the demo did, and writes it as a page beside the program: bin/.../report/index.html.</summary>
internal sealed class DemoReport
{
    private readonly List<ReportRow> _rows = [];

    /// <summary>Adds a file that was sent just now.</summary>
    public void Add(UploadResult result) => _rows.Add(ReportRows.Of(result, DateTimeOffset.Now));

    /// <summary>Adds a transaction that has ended.</summary>
    public void Add(Transaction transaction) => _rows.AddRange(ReportRows.Of(transaction));

    /// <summary>Adds an item of a linking batch.</summary>
    public void Add(LinkingBatchItem item) => _rows.Add(ReportRows.Of(item));

    /// <summary>Writes the page. The one of an earlier demo is replaced.</summary>
    public async Task<ReportOutput> WriteAsync(CancellationToken cancellationToken)
    {
        string path = Path.Join(AppContext.BaseDirectory, "report", "index.html");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // Export-IngestReport would set it aside, as everything that a user keeps. A demo of last week is not worth that.
        File.Delete(path);
        return await IngestReport.WriteAsync(path, ReadAsync(), "What the demo did", time: null, cancellationToken);
    }

    private async IAsyncEnumerable<ReportRow> ReadAsync()
    {
        foreach (ReportRow row in _rows)
            yield return row;
        await Task.CompletedTask;
    }
}
