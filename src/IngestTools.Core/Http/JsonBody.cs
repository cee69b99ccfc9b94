using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace IngestTools.Http;

/// <summary>JSON on the wire: exact when written, lenient when read.</summary>
internal static class JsonBody
{
    /// <summary>What JSON is called on the wire.</summary>
    public const string MediaType = "application/json";

    public static HttpContent Of<T>(T value, JsonTypeInfo<T> type)
    {
        ByteArrayContent content = new(JsonSerializer.SerializeToUtf8Bytes(value, type));
        content.Headers.ContentType = new MediaTypeHeaderValue(MediaType);
        return content;
    }

    /// <summary>Reads an answer that is one JSON object.</summary>
    /// <param name="http">The service, for the error, and the door for what it answers.</param>
    /// <param name="operation">The operation, for the error.</param>
    /// <param name="type">How the object is read.</param>
    /// <param name="whatIsWrong">Says what is wrong with the object; null takes any.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidAnswer"/></exception>
    public static AnswerReader Reader<T>(
        IngestHttp http,
        HttpOperation operation,
        JsonTypeInfo<T> type,
        Func<T, string?>? whatIsWrong = null
    )
        where T : class =>
        WholeReader(
            (response, body) =>
            {
                string? charset = AnswerBody.CharsetOf(response);
                try
                {
                    T value =
                        JsonSerializer.Deserialize(JsonText.Rewrite(body, charset, operation.CleanerOf(http.Text)).Span, type)
                        ?? throw http.Unreadable(operation, "JSON that is null", response.StatusCode);
                    return whatIsWrong?.Invoke(value) is { } wrong ? throw http.Unreadable(operation, wrong, response.StatusCode) : value;
                }
                catch (JsonException e)
                {
                    throw NotJson(http, operation, response, body, charset, e);
                }
            }
        );

    /// <summary>Reads all of an answer's body first. Not generic: what waits for the network stays one method for all answers.</summary>
    private static AnswerReader WholeReader(Func<HttpResponseMessage, ReadOnlyMemory<byte>, object> parse) =>
        async (response, cancellationToken) =>
            parse(response, await AnswerBody.ReadAsync(response, cancellationToken).ConfigureAwait(false));

    private static IngestException NotJson(
        IngestHttp http,
        HttpOperation operation,
        HttpResponseMessage response,
        ReadOnlyMemory<byte> body,
        string? charset,
        JsonException e
    )
    {
        ReadOnlySpan<byte> beginning = body.Span[..Math.Min(body.Length, ServerText.MaxWords)];
        string start = JsonText.Decode(beginning, charset).TrimStart('\uFEFF', ' ', '\r', '\n', '\t');
        // JSON may hold what identifies a person, so of it only the place is reported.
        if (start is ['{' or '[', ..])
            return http.Unreadable(operation, $"something that is not its JSON ({PlaceOf(e)})", response.StatusCode, cause: e);
        string what = start switch
        {
            "" => "an empty body",
            ['<', ..] => "a web page",
            _ => "something that is not its JSON",
        };
        return http.Unreadable(operation, what, response.StatusCode, start, e);
    }

    private static string PlaceOf(JsonException e)
    {
        string path = Redaction.EscapeControls(e.Path ?? "$");
        return string.Create(CultureInfo.InvariantCulture, $"at {path}, line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}");
    }
}
