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

    /// <summary>The next row; null at the end.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidAnswer"/>: a row that is none.</exception>
    public async ValueTask<MappingRow?> ReadAsync()
    {
        if (!await _csv.ReadAsync().ConfigureAwait(false))
            return null;
        RowCount++;
        if (_csv.Count < 2 || _csv[0].Length == 0)
            throw Invalid($"a mapping whose row {RowCount} has no 'original,derivative'", string.Join(',', _csv.Record ?? []));
        return new MappingRow(_csv[0], _csv[1]);
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
