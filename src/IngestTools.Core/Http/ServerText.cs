using System.Net.Http.Headers;
using System.Text;

namespace IngestTools.Http;

/// <summary>
/// The one door for text that a server wrote: status lines, headers, members of JSON, rows of a mapping, and what the transport quotes
/// of them. Behind it no text has a secret of the connection, or a character that acts on a terminal; the rest of the server's words stay.
/// </summary>
/// <param name="secrets">The connection's secrets.</param>
internal sealed class ServerText(KnownSecrets secrets)
{
    /// <summary>How long a message may be.</summary>
    public const int MaxWords = 2048;

    /// <summary>How long a status, a version or a code may be.</summary>
    public const int MaxWord = 200;

    /// <summary>How long a name, a key or an id may be. None of a service comes near it.</summary>
    public const int MaxValue = 64 * 1024;

    /// <summary>Headers that bring credentials. Signing in needs them as they are, and they are never shown.</summary>
    private static readonly HashSet<string> OfCredentials = new(StringComparer.OrdinalIgnoreCase) { "Set-Cookie", "X-CSRFToken" };

    /// <summary>The door of a connection that knows no secret.</summary>
    public static ServerText OfNoSecrets => new(new KnownSecrets());

    /// <summary>The connection's secrets.</summary>
    public KnownSecrets Secrets => secrets;

    /// <summary>A name, a key or an id.</summary>
    public string Value(string text) => Redaction.EscapeControls(Key(text));

    /// <summary>A key that is handed back to the server: it keeps its control characters, and whoever shows it escapes them.</summary>
    public string Key(string text) => secrets.Hide(Cut(text, MaxValue));

    /// <summary>A message, in one line; null where it says nothing.</summary>
    public string? Words(string? text) => Words(text, MaxWords);

    /// <summary>The beginning of a text that came through the door, for a message that quotes it.</summary>
    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(value))]
    public static string? Shorten(string? value) => value?.Length > MaxWord ? string.Concat(value.AsSpan(0, MaxWord), "…") : value;

    /// <summary>A status, a version or a code; null where it says nothing.</summary>
    public string? Word(string? text) => Words(text, MaxWord);

    /// <summary>Cleans what an answer says before its body: its reason, and its headers.</summary>
    public void Clean(HttpResponseMessage response)
    {
        if (response.ReasonPhrase is { } reason)
            response.ReasonPhrase = Word(reason);
        Clean(response.Headers);
        Clean(response.Content.Headers);
    }

    /// <summary>
    /// The cause of an error: as it is, or in its place what it says, where that quotes a server. What reads all of an error, such as a
    /// log, reads its causes too.
    /// </summary>
    public Exception? Cause(Exception? exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is not IngestException && !string.Equals(e.Message, Redaction.HideSecrets(Value(e.Message)), StringComparison.Ordinal))
                return new TransportException(
                    string.Join(" ", Chain(exception).Select(cause => $"{cause.GetType().Name}: {Words(cause.Message)}"))
                );
        }

        return exception;
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
                if (!string.Equals(value, Value(value), StringComparison.Ordinal))
                {
                    (changed ??= []).Add((name, [.. values]));
                    break;
                }
            }
        }

        foreach ((string name, string[] values) in changed ?? [])
        {
            headers.Remove(name);
            headers.TryAddWithoutValidation(name, values.Select(Value));
        }
    }

    private static IEnumerable<Exception> Chain(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
            yield return exception;
    }

    private string? Words(string? text, int length)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        // What is cut goes last: half a secret is not found.
        string oneLine = Fold(secrets.Hide(Cut(text, MaxValue)));
        string shown = Redaction.EscapeControls(Redaction.HideSecrets(secrets.Hide(oneLine)));
        return shown.Length == 0 ? null : Cut(shown, length);
    }

    private string Cut(string text, int length)
    {
        if (text.Length <= length)
            return text;
        // A text of any size is read no further than this; a secret at the end of it is not shown in part.
        int end = length == MaxValue ? Math.Max(0, length - secrets.LongestForm) : length;
        if (char.IsHighSurrogate(text[end - 1 < 0 ? 0 : end - 1]))
            end = Math.Max(0, end - 1);
        return string.Concat(text.AsSpan(0, end), "…");
    }

    /// <summary>The text in one line, without white space around it.</summary>
    private static string Fold(string text)
    {
        StringBuilder line = new(text.Length);
        foreach (char c in text)
        {
            if (!char.IsWhiteSpace(c))
                line.Append(c);
            else if (line.Length > 0 && line[^1] != ' ')
                line.Append(' ');
        }

        return line.ToString().TrimEnd();
    }

    /// <summary>What an exception of the transport says, without what it quoted of the server.</summary>
    private sealed class TransportException(string message) : Exception(message);
}
