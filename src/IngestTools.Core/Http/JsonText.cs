using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace IngestTools.Http;

/// <summary>JSON as servers write it: with a byte order mark, in another encoding than UTF-8, with half of a surrogate pair.</summary>
internal static class JsonText
{
    /// <summary>What may be before the first character of a text in UTF-8.</summary>
    public static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private static readonly JsonWriterOptions Writing = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>The same JSON in valid UTF-8, with each of its texts passed through a function.</summary>
    /// <param name="body">The body as it came.</param>
    /// <param name="charset">The encoding that the answer's header names; null where it names none.</param>
    /// <param name="pass">What becomes of a text.</param>
    /// <exception cref="JsonException">It is not JSON, or too deep.</exception>
    public static ReadOnlyMemory<byte> Rewrite(ReadOnlyMemory<byte> body, string? charset, Func<string, string> pass)
    {
        ReadOnlySpan<byte> json = ToUtf8(body, charset).Span;
        ArrayBufferWriter<byte> output = new(json.Length + 16);
        using Utf8JsonWriter writer = new(output, Writing);
        Utf8JsonReader reader = new(json);
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    writer.WriteStartObject();
                    break;
                case JsonTokenType.EndObject:
                    writer.WriteEndObject();
                    break;
                case JsonTokenType.StartArray:
                    writer.WriteStartArray();
                    break;
                case JsonTokenType.EndArray:
                    writer.WriteEndArray();
                    break;
                case JsonTokenType.PropertyName:
                    writer.WritePropertyName(Whole(pass(TextOf(ref reader))));
                    break;
                case JsonTokenType.String:
                    writer.WriteStringValue(Whole(pass(TextOf(ref reader))));
                    break;
                default:
                    writer.WriteRawValue(reader.ValueSpan, skipInputValidation: true);
                    break;
            }
        }

        writer.Flush();
        return output.WrittenMemory;
    }

    /// <summary>The text at the reader's place. Half of a surrogate pair stays half of one.</summary>
    public static string TextOf(ref Utf8JsonReader reader)
    {
        string text = Encoding.UTF8.GetString(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan);
        return reader.ValueIsEscaped ? Unescape(text) : text;
    }

    /// <summary>A text without the escapes of JSON; what is not a valid escape stays.</summary>
    public static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        StringBuilder plain = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                plain.Append(text[i]);
                continue;
            }

            char escape = text[++i];
            if (
                escape == 'u'
                && i + 4 < text.Length
                && ushort.TryParse(text.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort code)
            )
            {
                plain.Append((char)code);
                i += 4;
                continue;
            }

            _ = escape switch
            {
                'n' => plain.Append('\n'),
                'r' => plain.Append('\r'),
                't' => plain.Append('\t'),
                'b' => plain.Append('\b'),
                'f' => plain.Append('\f'),
                '"' or '\\' or '/' => plain.Append(escape),
                _ => plain.Append('\\').Append(escape),
            };
        }

        return plain.ToString();
    }

    /// <summary>
    /// A body's text, by its byte order mark, else by the encoding that its header names, else in UTF-8. What is not valid is replaced.
    /// </summary>
    public static string Decode(ReadOnlySpan<byte> body, string? charset)
    {
        (Encoding encoding, int mark) = EncodingOf(body, charset);
        return encoding.GetString(body[mark..]);
    }

    private static ReadOnlyMemory<byte> ToUtf8(ReadOnlyMemory<byte> body, string? charset)
    {
        (Encoding encoding, int mark) = EncodingOf(body.Span, charset);
        body = body[mark..];
        return encoding.CodePage == Encoding.UTF8.CodePage && Utf8.IsValid(body.Span)
            ? body
            : Encoding.UTF8.GetBytes(encoding.GetString(body.Span));
    }

    private static (Encoding Encoding, int Mark) EncodingOf(ReadOnlySpan<byte> body, string? charset) =>
        body switch
        {
            _ when body.StartsWith(ByteOrderMark) => (Encoding.UTF8, ByteOrderMark.Length),
            [0xFF, 0xFE, ..] => (Encoding.Unicode, 2),
            [0xFE, 0xFF, ..] => (Encoding.BigEndianUnicode, 2),
            _ => (OfName(charset), 0),
        };

    private static Encoding OfName(string? charset) =>
        charset?.Trim('"', '\'', ' ').ToUpperInvariant() switch
        {
            "ISO-8859-1" or "LATIN1" or "WINDOWS-1252" => Encoding.Latin1,
            "UTF-16" or "UTF-16LE" => Encoding.Unicode,
            "UTF-16BE" => Encoding.BigEndianUnicode,
            _ => Encoding.UTF8,
        };

    /// <summary>The writer takes no half of a surrogate pair.</summary>
    private static string Whole(string text)
    {
        foreach (char c in text)
        {
            if (char.IsSurrogate(c))
                return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        }

        return text;
    }
}
