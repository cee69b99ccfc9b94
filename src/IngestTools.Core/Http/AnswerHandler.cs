using System.Net.Http.Headers;

namespace IngestTools.Http;

/// <summary>Passes what an answer says before its body through the door for a server's text: its reason, and its headers.</summary>
/// <param name="text">The connection's door.</param>
/// <param name="learn">Makes the connection's secret known to the door.</param>
/// <param name="inner">Sends the request.</param>
internal sealed class AnswerHandler(ServerText text, Func<CancellationToken, ValueTask> learn, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>Headers that bring credentials. Signing in needs them as they are, and they are never shown.</summary>
    private static readonly HashSet<string> OfCredentials = new(StringComparer.OrdinalIgnoreCase) { "Set-Cookie", "X-CSRFToken" };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // A server may know the secret from an earlier connection, and repeat it where this one did not send it yet.
        await learn(cancellationToken).ConfigureAwait(false);
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.ReasonPhrase is { } reason)
            response.ReasonPhrase = text.Word(reason);
        Clean(response.Headers);
        Clean(response.Content.Headers);
        return response;
    }

    private void Clean(HttpHeaders headers)
    {
        List<(string Name, string[] Values)>? changed = null;
        foreach ((string name, HeaderStringValues values) in headers.NonValidated)
        {
            if (OfCredentials.Contains(name))
                continue;
            foreach (string value in values)
            {
                if (!string.Equals(value, text.Value(value), StringComparison.Ordinal))
                {
                    (changed ??= []).Add((name, [.. values]));
                    break;
                }
            }
        }

        foreach ((string name, string[] values) in changed ?? [])
        {
            headers.Remove(name);
            headers.TryAddWithoutValidation(name, values.Select(text.Value));
        }
    }
}
