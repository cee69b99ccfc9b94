using System.Net;
using System.Text;

namespace IngestTools.Http;

/// <summary>
/// The secrets of one connection: what was read to sign in, and what was made from it. Finds them in a text that a server wrote, in
/// every encoding in which a server might repeat them: as they are, in base64, URL-encoded, JSON-escaped, HTML-escaped, and one of
/// these in another.
/// </summary>
internal sealed class KnownSecrets
{
    /// <summary>A shorter secret may be an ordinary word, or a part of one: it is hidden only where it stands alone.</summary>
    private const int LongLength = 12;

    /// <summary>A shorter piece of base64 occurs by chance.</summary>
    private const int MinBase64Length = 8;

    /// <summary>A text that breaks off in the middle of a secret has so much of it.</summary>
    private const int MinPartLength = 10;

    /// <summary>How many encodings within each other are read.</summary>
    private const int MaxDepth = 3;

    /// <summary>Tokens are renewed for as long as a connection lives; an old one is useless.</summary>
    private const int MaxSecrets = 200;

    private readonly object _lock = new();
    private readonly LinkedList<string> _secrets = new();
    private volatile Form[] _forms = [];

    /// <summary>The length of the longest form of a secret; 0 where none is known.</summary>
    public int LongestForm => _forms is { Length: > 0 } forms ? forms[^1].Text.Length : 0;

    /// <summary>Remembers a secret.</summary>
    public void Add(string? secret)
    {
        secret = secret?.Trim();
        if (string.IsNullOrEmpty(secret))
            return;
        lock (_lock)
        {
            if (_secrets.Last?.Value == secret)
                return;
            // The newest is last, so that the oldest goes first.
            _secrets.Remove(secret);
            _secrets.AddLast(secret);
            if (_secrets.Count > MaxSecrets)
                _secrets.RemoveFirst();
            _forms = _secrets
                .SelectMany(FormsOf)
                .DistinctBy(form => form.Text, StringComparer.Ordinal)
                .OrderBy(form => form.Text.Length)
                .ToArray();
        }
    }

    /// <summary>The text without the secrets. Everything else in it stays as it is.</summary>
    public string Hide(string text) => _forms.Length == 0 ? text : Hide(text, depth: 0);

    private string Hide(string text, int depth)
    {
        text = HideForms(text);
        if (depth == MaxDepth)
            return text;
        // Where a secret is written with escapes, all of the text is shown as it reads without them.
        if (text.AsSpan().ContainsAny('%', '+'))
            text = HideDecoded(HideDecoded(text, Uri.UnescapeDataString(text), depth), WebUtility.UrlDecode(text), depth);
        if (text.Contains('&', StringComparison.Ordinal))
            text = HideDecoded(text, WebUtility.HtmlDecode(text), depth);
        if (text.Contains('\\', StringComparison.Ordinal))
            text = HideDecoded(text, JsonText.Unescape(text), depth);
        return text;
    }

    private string HideDecoded(string text, string decoded, int depth)
    {
        if (string.Equals(text, decoded, StringComparison.Ordinal))
            return text;
        string hidden = Hide(decoded, depth + 1);
        return string.Equals(hidden, decoded, StringComparison.Ordinal) ? text : hidden;
    }

    private string HideForms(string text)
    {
        Form[] forms = _forms;
        // The longest first: a shorter one may be a part of it.
        for (int i = forms.Length - 1; i >= 0; i--)
        {
            if (forms[i].Text.Length <= text.Length)
                text = HideForm(text, forms[i]);
            if (forms[i].Kind != FormKind.Word)
                text = HidePartAtEnd(text, forms[i]);
        }

        return text;
    }

    /// <summary>An answer that breaks off can do so in the middle of a secret.</summary>
    private static string HidePartAtEnd(string text, Form form)
    {
        if (form.Text.Length <= MinPartLength || text.Length < MinPartLength)
            return text;
        int earliest = Math.Max(0, text.Length - form.Text.Length);
        int start = text.LastIndexOf(form.Text[..MinPartLength], text.Length - 1, text.Length - earliest, StringComparison.Ordinal);
        if (start < 0 || !form.Text.AsSpan().StartsWith(text.AsSpan(start), StringComparison.Ordinal))
            return text;
        while (form.Kind == FormKind.Base64 && start > 0 && IsBase64(text[start - 1]))
            start--;
        return string.Concat(text.AsSpan(0, start), Redaction.Hidden);
    }

    private static string HideForm(string text, Form form)
    {
        int found = text.IndexOf(form.Text, StringComparison.Ordinal);
        if (found < 0)
            return text;
        StringBuilder hidden = new(text.Length);
        int copied = 0;
        for (; found >= 0; found = text.IndexOf(form.Text, found, StringComparison.Ordinal))
        {
            (int start, int end) = (found, found + form.Text.Length);
            found = end;
            if (form.Kind == FormKind.Word && (IsPartOfWord(text, start - 1, -1) || IsPartOfWord(text, end, 1)))
                continue;
            if (form.Kind == FormKind.Base64)
            {
                // What the secret was encoded with, such as a user's name and a colon, surrounds it.
                while (start > copied && IsBase64(text[start - 1]))
                    start--;
                while (end < text.Length && (IsBase64(text[end]) || text[end] == '='))
                    end++;
                found = end;
            }

            hidden.Append(text, copied, start - copied).Append(Redaction.Hidden);
            copied = end;
        }

        return copied == 0 ? text : hidden.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>Whether a character next to a short secret makes it a part of a longer word or name, such as <c>users.xlsx</c>.</summary>
    private static bool IsPartOfWord(string text, int index, int step)
    {
        if (index < 0 || index >= text.Length)
            return false;
        if (char.IsLetterOrDigit(text[index]))
            return true;
        int next = index + step;
        return text[index] is '.' or '_' or '-' && next >= 0 && next < text.Length && char.IsLetterOrDigit(text[next]);
    }

    private static bool IsBase64(char c) => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '-' or '_';

    private static IEnumerable<Form> FormsOf(string secret)
    {
        yield return new Form(secret, secret.Length < LongLength ? FormKind.Word : FormKind.Anywhere);
        byte[] bytes = Encoding.UTF8.GetBytes(secret);
        // In base64 the same bytes read in three ways, by what comes before them.
        for (int before = 0; before < 3; before++)
        {
            string all = Convert.ToBase64String([.. new byte[before], .. bytes]);
            int start = (before * 8 + 5) / 6;
            string core = all[start..((before + bytes.Length) * 8 / 6)];
            if (core.Length < MinBase64Length)
                continue;
            yield return new Form(core, FormKind.Base64);
            string forAddresses = core.Replace('+', '-').Replace('/', '_');
            if (forAddresses != core)
                yield return new Form(forAddresses, FormKind.Base64);
        }
    }

    private enum FormKind
    {
        Anywhere,
        Word,
        Base64,
    }

    private readonly record struct Form(string Text, FormKind Kind);
}
