using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using IngestTools.Http;

namespace IngestTools.Services.DspIngest;

/// <summary>Reads mapping.csv row by row: RFC 4180, in UTF-8 whatever the answer's header says.</summary>
internal sealed class MappingReader : IDisposable
{
    private static readonly CsvConfiguration Form = new(CultureInfo.InvariantCulture)
    {
        HasHeaderRecord = false,
        BufferSize = 64 * 1024,
        // A name is at most a few hundred bytes: a field beyond this is no name, and memory stays flat.
        MaxFieldSize = 1024 * 1024,
        Mode = CsvMode.RFC4180,
        BadDataFound = null,
        IgnoreBlankLines = true,
    };

    private readonly StreamReader _text;
    private readonly CsvParser _csv;

    /// <summary>The row that is being read while those before it are given; null where none is.</summary>
    private Task<bool>? _next;

    public MappingReader(Stream body)
    {
        _text = new StreamReader(body, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), detectEncodingFromByteOrderMarks: false, bufferSize: 64 * 1024);
        _csv = new CsvParser(_text, Form);
    }

    /// <summary>Rows read so far, the header not counted.</summary>
    public long RowCount { get; private set; }

    /// <exception cref="IngestException"><see cref="ErrorId.InvalidAnswer"/>: this is no mapping.</exception>
    public async ValueTask ReadHeaderAsync()
    {
        if (!await _csv.ReadAsync().ConfigureAwait(false))
            throw Invalid("an empty body", null);
        string start = string.Join(',', _csv.Record ?? []);
        if (_csv.Count < 2 || _csv[0].TrimStart('\uFEFF').Trim() != "original" || _csv[1].Trim() != "derivative")
            throw Invalid(start.TrimStart().StartsWith('<') ? "a web page instead of a mapping" : "no mapping: its first line is not 'original,derivative'", start);
    }

    /// <summary>
    /// Adds the next rows to a list: as many as it has room for, and fewer where it would have to wait for more. At the end it adds none.
    /// </summary>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidAnswer"/>: a row that is none. The rows before it are in the list.</exception>
    public async ValueTask ReadAsync(List<MappingRow> rows)
    {
        while (rows.Count < rows.Capacity)
        {
            _next ??= _csv.ReadAsync();
            if (rows.Count > 0 && !_next.IsCompleted)
                return;
            bool isRow = await _next.ConfigureAwait(false);
            _next = null;
            if (!isRow)
                return;
            if (_csv.Count < 2 || _csv[0].Length == 0)
                throw Invalid($"a mapping whose row {RowCount + 1} has no 'original,derivative'", string.Join(',', _csv.Record ?? []));
            rows.Add(new MappingRow(_csv[0], _csv[1]));
            RowCount++;
        }
    }

    public void Dispose()
    {
        _csv.Dispose();
        _text.Dispose();
    }

    private static IngestException Invalid(string what, string? start) => new(
        ErrorId.InvalidAnswer,
        $"DspIngest answered 'get mapping' with {what}.{(string.IsNullOrEmpty(start) ? "" : $" It reads: {Redaction.EscapeControls(start.Length > 200 ? start[..200] + "…" : start)}")}")
    {
        Service = IngestService.DspIngest,
        Operation = "get mapping",
        IsTransient = true,
        Advice = "Check that -Uri is DSP-INGEST's own address, and no web page or proxy answers in its place.",
    };
}
