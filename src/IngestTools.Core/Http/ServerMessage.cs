using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace IngestTools.Http;

/// <summary>What a server says in the body of an error, whatever form it chose: its JSON, a proxy's HTML, plain text, or nothing.</summary>
/// <param name="Text">Its words; null where it said nothing.</param>
/// <param name="Code">Its own code for the error; null where it has none.</param>
/// <param name="RequestId">Its id of the request; null where it gives none.</param>
internal sealed partial record ServerMessage(string? Text, string? Code = null, string? RequestId = null)
{
    /// <summary>A text with a larger unreadable part than this does not count as text.</summary>
    private const double MaxUnreadable = 0.1;

    /// <param name="body">The body's beginning.</param>
    /// <param name="charset">The encoding that the answer's header names; null where it names none.</param>
    /// <param name="door">Takes what the body says.</param>
    public static ServerMessage Parse(ReadOnlySpan<byte> body, string? charset, ServerText door)
    {
        string text = JsonText.Decode(body, charset).Trim('\uFEFF', ' ', '\r', '\n', '\t', '\0');
        if (text.Length == 0 || text.Count(c => c is '\uFFFD' or '\0') > text.Length * MaxUnreadable)
            return new ServerMessage((string?)null);
        if (text[0] is '{' or '[' && TryParseJson(text) is { } parsed)
            return new ServerMessage(door.Words(parsed.Text), door.Word(parsed.Code), door.Word(parsed.RequestId));
        return new ServerMessage(door.Words(text[0] == '<' ? TextOfHtml(text) : text));
    }

    private static ServerMessage? TryParseJson(string text)
    {
        try
        {
            // Texts become whole ones, so that each can be read; what they say goes through the door once it is put together.
            using JsonDocument document = JsonDocument.Parse(JsonText.Rewrite(Encoding.UTF8.GetBytes(text), null, static member => member));
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return new ServerMessage(Join(root.EnumerateArray().Where(IsScalar).Select(value => value.ToString())));
            return new ServerMessage(WordsOf(root) ?? ScalarsOf(root), CodeOf(root), Word(root, "id", "requestId", "request_id"));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>
    /// What an object of unknown form says itself. What is inside of its members may identify a person, such as the owner of a job.
    /// </summary>
    private static string? ScalarsOf(JsonElement root) =>
        Join(
            root.EnumerateObject()
                .Where(member => IsScalar(member.Value))
                .Select(member => $"\"{member.Name}\":{member.Value.GetRawText()}")
        );

    private static bool IsScalar(JsonElement value) =>
        value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null);

    private static string? Join(IEnumerable<string> words) => string.Join(", ", words) is { Length: > 0 } all ? all : null;

    /// <summary>The order in which the services' error bodies are read; the first that is there wins.</summary>
    private static string? WordsOf(JsonElement root) =>
        Word(root, "reason")
        ?? ErrorsOf(root)
        ?? Word(root, "errorMessage")
        ?? (
            Word(root, "type") is { } type && root.TryGetProperty("id", out _) && !root.TryGetProperty("title", out _)
                ? $"{type} ({Word(root, "id")})"
                : null
        )
        ?? DetailOf(root)
        ?? Word(root, "message", "error", "title")
        ?? (root.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.Object ? WordsOf(error) : null);

    /// <summary>RFC 7807's text, with the parameters that ICA adds: what is wrong with which part of a body stands only there.</summary>
    private static string? DetailOf(JsonElement root)
    {
        string? detail = Word(root, "detail");
        if (
            detail is null
            || !root.TryGetProperty("parameters", out JsonElement parameters)
            || parameters.ValueKind != JsonValueKind.Object
        )
            return detail;
        string all = string.Join("; ", parameters.EnumerateObject().Select(parameter => $"{parameter.Name}: {parameter.Value}"));
        return all.Length == 0 ? detail : $"{detail} ({all})";
    }

    private static string? ErrorsOf(JsonElement root)
    {
        if (!root.TryGetProperty("errors", out JsonElement errors) || errors.ValueKind != JsonValueKind.Array)
            return null;
        IEnumerable<string> words = errors
            .EnumerateArray()
            .Select(error =>
                error.ValueKind == JsonValueKind.Object
                    ? string.Join(": ", new[] { Word(error, "argument"), Word(error, "reason", "message") }.Where(word => word is not null))
                    : error.ToString()
            )
            .Where(word => word.Length > 0);
        string all = string.Join("; ", words);
        return all.Length == 0 ? null : all;
    }

    private static string? CodeOf(JsonElement root)
    {
        string? code = Word(root, "code");
        return code ?? (Word(root, "detail") is not null ? Word(root, "title") : null);
    }

    private static string? Word(JsonElement element, params string[] names)
    {
        foreach (string name in names)
        {
            if (!element.TryGetProperty(name, out JsonElement value))
                continue;
            if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text)
                return text;
            if (value.ValueKind == JsonValueKind.Number)
                return value.GetRawText();
        }

        return null;
    }

    private static string TextOfHtml(string html)
    {
        Match title = HtmlTitle().Match(html);
        string text = title.Success ? title.Groups[1].Value : HtmlTag().Replace(HtmlUnseen().Replace(html, " "), " ");
        return System.Net.WebUtility.HtmlDecode(text);
    }

    [GeneratedRegex(
        @"<title[^>]*>(.*?)</title>",
        RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex HtmlTitle();

    [GeneratedRegex(
        @"<(script|style)\b.*?</(script|style)>",
        RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex HtmlUnseen();

    [GeneratedRegex(@"<[^>]*>", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex HtmlTag();
}
