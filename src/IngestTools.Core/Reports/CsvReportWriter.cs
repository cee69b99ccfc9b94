using System.Globalization;
using CsvHelper;

namespace IngestTools.Reports;

/// <summary>
/// A table of all rows for a spreadsheet. A text that a spreadsheet would run as a formula has an apostrophe before it, which shows it as
/// text; a byte order mark lets the spreadsheet read UTF-8.
/// </summary>
internal sealed class CsvReportWriter(Stream file) : IReportWriter
{
    private static readonly CsvWriterOptions Form = new() { Injection = CsvInjection.Escape, WriteByteOrderMark = true };

    private readonly CsvWriter _csv = CsvWriter.Create(file, Form, leaveOpen: true);
    private bool _hasHeader;

    public ValueTask WriteAsync(ReportRow row, CancellationToken cancellationToken)
    {
        WriteHeader();
        foreach (ReportColumn column in ReportColumn.All)
            WriteField(column.Read(row));
        return new ValueTask(_csv.EndRecordAsync(cancellationToken).AsTask());
    }

    public async ValueTask CompleteAsync(ReportContent content, CancellationToken cancellationToken)
    {
        WriteHeader();
        await _csv.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _csv.DisposeAsync();

    private void WriteHeader()
    {
        if (_hasHeader)
            return;
        _hasHeader = true;
        foreach (ReportColumn column in ReportColumn.All)
            _csv.WriteField(column.Name);
        _csv.EndRecord();
    }

    /// <summary>Only text can be taken for a formula; a number stays one.</summary>
    private void WriteField(object? value)
    {
        switch (value)
        {
            case long number:
                _csv.WriteField(number, default, CultureInfo.InvariantCulture);
                break;
            case int number:
                _csv.WriteField(number, default, CultureInfo.InvariantCulture);
                break;
            case double number:
                _csv.WriteField(number, default, CultureInfo.InvariantCulture);
                break;
            case DateTimeOffset time:
                _csv.WriteField(ReportText.Of(time));
                break;
            default:
                _csv.WriteField(value?.ToString());
                break;
        }
    }
}
