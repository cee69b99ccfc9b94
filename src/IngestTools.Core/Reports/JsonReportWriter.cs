using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace IngestTools.Reports;

/// <summary>One JSON object: the title, all rows as they come, then the totals and the causes.</summary>
internal sealed class JsonReportWriter : IReportWriter
{
    private readonly ReportJson _json;

    public JsonReportWriter(Stream file, ReportHead head)
    {
        _json = new ReportJson(file, isIndented: true);
        Utf8JsonWriter writer = _json.Writer;
        writer.WriteStartObject();
        writer.WriteString("Title", head.Title);
        writer.WriteString("CreatedAt", ReportText.Of(head.CreatedAt));
        writer.WriteStartArray("Rows");
    }

    public ValueTask WriteAsync(ReportRow row, CancellationToken cancellationToken)
    {
        _json.WriteRow(row);
        return _json.FlushIfLargeAsync(cancellationToken);
    }

    public ValueTask CompleteAsync(ReportContent content, CancellationToken cancellationToken)
    {
        Utf8JsonWriter writer = _json.Writer;
        writer.WriteEndArray();
        writer.WriteStartArray("Totals");
        foreach (ReportTotals totals in content.Totals)
            Write(writer, totals);
        writer.WriteEndArray();
        writer.WriteStartArray("Causes");
        foreach (ReportCause cause in content.Causes)
            Write(writer, cause);
        writer.WriteEndArray();
        writer.WriteEndObject();
        return _json.FlushAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => _json.DisposeAsync();

    private static void Write(Utf8JsonWriter writer, ReportTotals totals)
    {
        writer.WriteStartObject();
        writer.WriteString("Kind", totals.Kind.ToString());
        writer.WriteNumber("Rows", totals.Rows);
        foreach (ReportOutcome outcome in Enum.GetValues<ReportOutcome>())
            writer.WriteNumber(outcome.ToString(), totals[outcome]);
        writer.WriteNumber("Bytes", totals.Bytes);
        ReportJson.Write(writer, "StartedAt", totals.From);
        ReportJson.Write(writer, "CompletedAt", totals.To);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ReportCause cause)
    {
        writer.WriteStartObject();
        writer.WriteString("Kind", cause.Kind.ToString());
        writer.WriteString("Outcome", cause.Outcome.ToString());
        writer.WriteNumber("Count", cause.Count);
        ReportJson.Write(writer, "ErrorId", cause.ErrorId);
        ReportJson.Write(writer, "StatusCode", cause.StatusCode);
        ReportJson.Write(writer, "Reason", cause.Reason);
        ReportJson.Write(writer, "Cause", cause.Text);
        ReportJson.Write(writer, "Example", cause.Example);
        ReportJson.Write(writer, "Advice", cause.Advice);
        writer.WriteEndObject();
    }
}

/// <summary>One JSON object a line for each row.</summary>
internal sealed class JsonLinesReportWriter(Stream file) : IReportWriter
{
    private readonly ReportJson _json = new(file, isIndented: false);

    public ValueTask WriteAsync(ReportRow row, CancellationToken cancellationToken)
    {
        _json.WriteRow(row);
        _json.EndLine();
        return _json.FlushIfLargeAsync(cancellationToken);
    }

    public ValueTask CompleteAsync(ReportContent content, CancellationToken cancellationToken) => _json.FlushAsync(cancellationToken);

    public ValueTask DisposeAsync() => _json.DisposeAsync();
}

/// <summary>Writes rows as JSON into a file, in pieces of some size.</summary>
internal sealed class ReportJson : IAsyncDisposable
{
    private const int PieceLength = 64 * 1024;

    /// <summary>Letters of all languages stay readable; what acts in HTML is escaped, since JSON is put into pages.</summary>
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.Create(UnicodeRanges.All);

    private readonly Stream _file;
    private readonly ArrayBufferWriter<byte> _buffer = new(2 * PieceLength);

    public ReportJson(Stream file, bool isIndented)
    {
        _file = file;
        Writer = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = Encoder, Indented = isIndented });
    }

    public Utf8JsonWriter Writer { get; }

    public void WriteRow(ReportRow row)
    {
        Writer.WriteStartObject();
        foreach (ReportColumn column in ReportColumn.Of(row.Kind))
            Write(Writer, column.Name, column.Read(row));
        Writer.WriteEndObject();
    }

    /// <summary>Ends one document and begins the next one in a new line.</summary>
    public void EndLine()
    {
        Writer.Flush();
        Writer.Reset();
        _buffer.Write("\n"u8);
    }

    public ValueTask FlushIfLargeAsync(CancellationToken cancellationToken) =>
        _buffer.WrittenCount + Writer.BytesPending < PieceLength ? default : FlushAsync(cancellationToken);

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        Writer.Flush();
        await _file.WriteAsync(_buffer.WrittenMemory, cancellationToken).ConfigureAwait(false);
        _buffer.ResetWrittenCount();
    }

    public ValueTask DisposeAsync() => Writer.DisposeAsync();

    public static void Write(Utf8JsonWriter writer, string name, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNull(name);
                break;
            case bool flag:
                writer.WriteBoolean(name, flag);
                break;
            case int number:
                writer.WriteNumber(name, number);
                break;
            case long number:
                writer.WriteNumber(name, number);
                break;
            case double number:
                writer.WriteNumber(name, number);
                break;
            case DateTimeOffset time:
                writer.WriteString(name, ReportText.Of(time));
                break;
            default:
                writer.WriteString(name, value.ToString());
                break;
        }
    }
}
