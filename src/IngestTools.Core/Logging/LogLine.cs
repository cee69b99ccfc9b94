using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using IngestTools.Http;

namespace IngestTools.Logging;

/// <summary>A line of a log in a file, as text or as JSON.</summary>
internal static partial class LogLine
{
    /// <summary>More than a line has before its source.</summary>
    private const int MaxBeginning = 256;

    /// <summary>A last line that is longer is not looked at.</summary>
    private const int MaxEnd = 256 * 1024;

    private static readonly JsonSerializerOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A line of text, with its end.</summary>
    public static string ToText(DateTimeOffset time, LogSeverity severity, string source, string message)
    {
        string shown = time.ToString("yyyy-MM-dd'T'HH:mm:ss.fffzzz", CultureInfo.InvariantCulture);
        return $"{shown} {Environment.ProcessId} {severity, -11} {source}: {Redaction.EscapeControls(message)}\n";
    }

    /// <summary>A line of JSON, with its end.</summary>
    public static string ToJson(DateTimeOffset time, LogSeverity severity, string source, string message) =>
        JsonSerializer.Serialize(
            new
            {
                time,
                process = Environment.ProcessId,
                severity = severity.ToString(),
                source,
                message,
            },
            JsonOptions
        ) + "\n";

    /// <summary>
    /// Whether a file begins or ends with such a line: what the log was added to may begin otherwise, and a last line may be torn.
    /// </summary>
    public static bool IsOf(Stream file)
    {
        byte[] bytes = new byte[MaxBeginning];
        int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return IsLine(bytes.AsSpan(0, length)) || IsLine(ReadLast(file));
    }

    private static ReadOnlySpan<byte> ReadLast(Stream file)
    {
        byte[] bytes = new byte[Math.Min(MaxEnd, file.Length)];
        file.Seek(-bytes.Length, SeekOrigin.End);
        file.ReadExactly(bytes);
        ReadOnlySpan<byte> lines = bytes.AsSpan().TrimEnd("\r\n"u8);
        return lines[(lines.LastIndexOf((byte)'\n') + 1)..];
    }

    private static bool IsLine(ReadOnlySpan<byte> bytes) =>
        Beginning().IsMatch(Encoding.UTF8.GetString(bytes[..Math.Min(MaxBeginning, bytes.Length)]));

    [GeneratedRegex(
        """
            ^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}[+-][0-9]{2}:[0-9]{2}\ [0-9]+\ (Debug|Information|Warning|Error)\ +\S
            |\{"time":"[0-9T:.+-]+","process":[0-9]+,"severity":"(Debug|Information|Warning|Error)","source":")
            """,
        RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace
    )]
    private static partial Regex Beginning();
}
