using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>Writes mapping.csv: UTF-8 without BOM, LF between lines, and none at the end.</summary>
internal static class MappingCsv
{
    /// <summary>The first line.</summary>
    public const string Header = "original,derivative";

    /// <summary>Enough to keep the connection busy, and little enough to hold memory flat for a million rows.</summary>
    private const int FlushBytes = 64 * 1024;

    private static readonly SearchValues<char> NeedsQuotes = SearchValues.Create(",\"\n");

    public static long CountBytes(IReadOnlyList<DspAsset> rows)
    {
        long bytes = Header.Length;
        foreach (DspAsset row in rows)
            bytes += 1 + Encoding.UTF8.GetByteCount(Row(row));
        return bytes;
    }

    public static async Task WriteAsync(PipeWriter writer, IReadOnlyList<DspAsset> rows, CancellationToken cancellationToken)
    {
        int unflushed = Append(writer, Header);
        foreach (DspAsset row in rows)
        {
            unflushed += Append(writer, $"\n{Row(row)}");
            if (unflushed < FlushBytes)
                continue;
            await writer.FlushAsync(cancellationToken);
            unflushed = 0;
        }
        await writer.FlushAsync(cancellationToken);
    }

    /// <summary>A line without its end. A derivative's name never needs quotes.</summary>
    public static string Row(DspAsset row) => $"{Quoted(row.Original)},{row.Derivative}";

    private static string Quoted(string value) =>
        value.AsSpan().ContainsAny(NeedsQuotes) ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : value;

    private static int Append(PipeWriter writer, string text)
    {
        int bytes = Encoding.UTF8.GetBytes(text, writer.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length)));
        writer.Advance(bytes);
        return bytes;
    }
}
