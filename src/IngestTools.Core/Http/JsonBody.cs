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
    /// <param name="service">The service, for the error.</param>
    /// <param name="operation">The operation, for the error.</param>
    /// <param name="type">How the object is read.</param>
    /// <param name="whatIsWrong">What is wrong with the object, if something is; null takes any.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidAnswer"/></exception>
    public static Func<HttpResponseMessage, CancellationToken, ValueTask<object>> Reader<T>(
        IngestService service, HttpOperation operation, JsonTypeInfo<T> type, Func<T, string?>? whatIsWrong = null)
        where T : class => async (response, cancellationToken) =>
    {
        ReadOnlyMemory<byte> body = await AnswerBody.ReadAsync(response, cancellationToken).ConfigureAwait(false);
        string? charset = AnswerBody.CharsetOf(response);
        try
        {
            T value = JsonSerializer.Deserialize(JsonText.Rewrite(body, charset, operation.PassOf()).Span, type)
                ?? throw HttpFailure.Unreadable(service, operation, "JSON that is null", response.StatusCode, null);
            return whatIsWrong?.Invoke(value) is { } wrong ? throw HttpFailure.Unreadable(service, operation, wrong, response.StatusCode, null) : value;
        }
        catch (JsonException e)
        {
            string start = JsonText.Decode(body.Span[..Math.Min(body.Length, ServerText.MaxWords)], charset).TrimStart('\uFEFF', ' ', '\r', '\n', '\t');
            // JSON may hold what identifies a person, so of it only the place is reported.
            if (start is ['{' or '[', ..])
                throw HttpFailure.Unreadable(service, operation, $"something that is not its JSON ({PlaceOf(e)})", response.StatusCode, null, e);
            string what = start switch { "" => "an empty body", ['<', ..] => "a web page", _ => "something that is not its JSON" };
            throw HttpFailure.Unreadable(service, operation, what, response.StatusCode, start, e);
        }
    };

    private static string PlaceOf(JsonException e) => string.Create(
        CultureInfo.InvariantCulture, $"at {Redaction.EscapeControls(e.Path ?? "$")}, line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}");
}
