using System.Text;
using CsvHelper;
using IngestTools.Http;

namespace IngestTools.Services.DspIngest;

/// <summary>Reads mapping.csv row by row: RFC 4180, in UTF-8 whatever the answer's header says.</summary>
internal sealed class MappingReader : IAsyncDisposable
{
    /// <summary>
    /// A name is at most a few hundred bytes: a row beyond this is not a mapping's. The parser looks at a row from its beginning whenever
    /// more of it comes, so the limit is also one of time.
    /// </summary>
    private const int MaxRowBytes = 16 * 1024;

    private static readonly CsvReaderOptions Form = new()
    {
        Separator = ',',
        HasHeader = false,
        DetectSeparatorHint = false,
        MalformedData = CsvMalformedDataHandling.Recover,
        FieldCountMismatch = CsvFieldCountHandling.Allow,
        MaxRecordSize = MaxRowBytes,
    };

    private readonly CsvReader _csv;
    private readonly ServerText _text;
    private readonly CancellationTokenSource _disposing = new();

    /// <summary>The row that is being read while those before it are given; null where none is.</summary>
    private Task<bool>? _next;

    /// <summary>Starts at the stream's position, and disposes it in the end.</summary>
    /// <param name="body">The mapping.</param>
    /// <param name="text">The door for what the server wrote.</param>
    public MappingReader(Stream body, ServerText text)
    {
        _csv = CsvReader.Create(body, Form);
        _text = text;
    }

    /// <summary>Rows read so far, the header not counted.</summary>
    public long RowCount { get; private set; }

    /// <exception cref="IngestException"><see cref="ErrorId.InvalidAnswer"/>: this is no mapping.</exception>
    public async ValueTask ReadHeaderAsync()
    {
        if (!await ReadRowAsync(_csv.ReadAsync(_disposing.Token)).ConfigureAwait(false))
            throw Invalid("an empty body", null);
        if (_csv.FieldCount >= 2 && _csv.GetString(0).Trim() == "original" && _csv.GetString(1).Trim() == "derivative")
            return;
        string start = Row();
        throw Invalid(
            start.TrimStart().StartsWith('<')
                ? "a web page instead of a mapping"
                : "no mapping: its first line is not 'original,derivative'",
            start
        );
    }

    /// <summary>
    /// Adds the next rows to a list: as many as it has room for, and fewer where it would have to wait for more. At the end it adds none.
    /// </summary>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidAnswer"/>: a row that is none. The rows before it are in the
    /// list.</exception>
    public async ValueTask ReadAsync(List<MappingRow> rows)
    {
        while (rows.Count < rows.Capacity)
        {
            ValueTask<bool> next = _next is null ? _csv.ReadAsync(_disposing.Token) : new(_next);
            if (rows.Count > 0 && !next.IsCompleted)
            {
                _next = next.AsTask();
                return;
            }

            _next = null;
            if (!await ReadRowAsync(next).ConfigureAwait(false))
                return;
            if (_csv.FieldCount < 2 || _csv.IsEmpty(0))
                throw Invalid($"a mapping whose row {RowCount + 1} has no 'original,derivative'", Row());
            rows.Add(new MappingRow(_text.Value(_csv.GetString(0)), _text.Value(_csv.GetString(1))));
            RowCount++;
        }
    }

    /// <summary>The reader's buffers are shared once they are given back, so a read that is still under way is ended first.</summary>
    public async ValueTask DisposeAsync()
    {
        await _disposing.CancelAsync().ConfigureAwait(false);
        if (_next is not null)
            await ((Task)_next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _csv.DisposeAsync().ConfigureAwait(false);
        _disposing.Dispose();
    }

    private async ValueTask<bool> ReadRowAsync(ValueTask<bool> next)
    {
        try
        {
            return await next.ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            throw NotAsEncoded(_text, e);
        }
        catch (CsvFormatException)
        {
            throw Invalid($"a mapping whose row {RowCount + 1} is longer than {MaxRowBytes:N0} bytes", null);
        }
    }

    /// <summary>The error of a body that is compressed in another way than its header says.</summary>
    public static IngestException NotAsEncoded(ServerText text, InvalidDataException cause) =>
        Invalid(text, "a body that is not encoded as its header says", null, cause);

    /// <summary>The start of the current row, as it was sent.</summary>
    private string Row()
    {
        ReadOnlySpan<byte> row = _csv.RawRecord;
        return Encoding.UTF8.GetString(row);
    }

    private IngestException Invalid(string what, string? start, Exception? cause = null) => Invalid(_text, what, start, cause);

    private static IngestException Invalid(ServerText text, string what, string? start, Exception? cause) =>
        new(
            ErrorId.InvalidAnswer,
            $"DspIngest answered 'get mapping' with {what}.{(text.Word(start) is { } words ? $" It reads: {words}" : "")}",
            text.Cause(cause)
        )
        {
            Service = IngestService.DspIngest,
            Operation = "get mapping",
            IsTransient = true,
            Advice = "Check that -Uri is DSP-INGEST's own address, and no web page or proxy answers in its place.",
        };
}
