using System.Collections.Concurrent;
using System.Net.Http.Headers;

namespace IngestTools.Units.Hostile;

/// <summary>Hands requests on to a real server, and keeps each of its answers by method and path.</summary>
internal sealed class Recorder : IDisposable
{
    private readonly HttpClient _client = new(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
        }
    );
    private readonly ConcurrentDictionary<string, List<RecordedAnswer>> _answers = new(StringComparer.Ordinal);

    /// <summary>Where requests go.</summary>
    public required Uri Server { get; init; }

    /// <summary>The answers to requests like this one, in their order; an answer that the path is not known where there was none.</summary>
    public IReadOnlyList<RecordedAnswer> AnswersTo(ReceivedRequest request) =>
        _answers.TryGetValue(KeyOf(request), out List<RecordedAnswer>? answers)
            ? answers
            : [RecordedAnswer.Json("{\"message\":\"not found\"}", "404 Not Found")];

    public async Task<RecordedAnswer> HandOnAsync(ReceivedRequest request, CancellationToken cancellationToken)
    {
        using HttpRequestMessage message = new(new HttpMethod(request.Method), new Uri(Server, request.Target));
        if (request.Body.Length > 0 || request.Headers.ContainsKey("Content-Type"))
            message.Content = new ByteArrayContent(request.Body);
        foreach ((string name, string value) in request.Headers)
        {
            if (
                name is not ("Host" or "Connection" or "Content-Length" or "Expect" or "Accept-Encoding")
                && !message.Headers.TryAddWithoutValidation(name, value)
            )
                message.Content?.Headers.TryAddWithoutValidation(name, value);
        }

        using HttpResponseMessage response = await _client.SendAsync(message, cancellationToken);
        RecordedAnswer answer = new()
        {
            StatusLine = $"HTTP/1.1 {(int)response.StatusCode} {response.ReasonPhrase}",
            Headers = [.. Lines(response.Headers), .. Lines(response.Content.Headers)],
            Body = await response.Content.ReadAsByteArrayAsync(cancellationToken),
        };
        _answers.GetOrAdd(KeyOf(request), _ => []).Add(answer);
        return answer;
    }

    public void Dispose() => _client.Dispose();

    private static IEnumerable<string> Lines(HttpHeaders headers) =>
        headers
            .Where(header => header.Key is not ("Transfer-Encoding" or "Content-Length" or "Connection" or "Date"))
            .SelectMany(header => header.Value.Select(value => $"{header.Key}: {value}"));

    private static string KeyOf(ReceivedRequest request) => $"{request.Method} {request.Path}";
}
