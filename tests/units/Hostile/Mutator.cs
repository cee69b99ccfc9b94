using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace IngestTools.Units.Hostile;

/// <summary>Changes real answers as broken servers, proxies and attackers do. The same seed makes the same changes.</summary>
/// <param name="random">What decides.</param>
/// <param name="secrets">What a server was told, and may repeat.</param>
internal sealed class Mutator(Random random, IReadOnlyList<string> secrets)
{
    /// <summary>How often nothing more of an answer comes, and the connection stays open: each costs the client's timeout.</summary>
    private const double StallRatio = 0.0005;

    private static readonly string[] Statuses =
    [
        "200 OK",
        "201 Created",
        "202 Accepted",
        "204 No Content",
        "206 Partial Content",
        "301 Moved",
        "302 Found",
        "307 Elsewhere",
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "407 Proxy",
        "408 Timeout",
        "409 Conflict",
        "410 Gone",
        "413 Too Large",
        "418 Teapot",
        "420 Calm",
        "422 Unprocessable",
        "423 Locked",
        "429 Too Many",
        "500 Error",
        "501 Never",
        "502 Bad Gateway",
        "503 Unavailable",
        "504 Timeout",
        "507 Full",
        "520 Odd",
        "599",
    ];

    private static readonly string[] Values =
    [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1e999",
        "-1e999",
        "99999999999999999999999",
        "1.5",
        "9223372036854775807",
        "-9223372036854775808",
        "253402300800",
        "\"\"",
        "\" \"",
        "\"x\"",
        "[]",
        "{}",
        "[null]",
        "{\"\":null}",
        "\"9999-12-31T23:59:59.999Z\"",
        "\"0001-01-01T00:00:00Z\"",
        "\"2026-02-30\"",
        "\"\\ud800\"",
        "\"a\\udfffb\"",
        "\"\\u001b[31mred\\u0007\"",
        "\"\\u0000\"",
        "\"\\u202eabc\"",
        "\"../../etc/passwd\"",
        "\"http://example.org/x\"",
        "\"%zz\"",
    ];

    private static readonly string[] Bodies =
    [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "\"x\"",
        "123",
        "{",
        "[",
        "{\"",
        "<html><head><title>502 Bad Gateway</title></head></html>",
        "<html><form><input type=\"password\"></form></html>",
        "original,derivative\n",
        "original,derivative\na.tif",
        "\u001b]0;title\u0007",
        "Bad gateway",
    ];

    private static readonly string[] HeaderLines =
    [
        "Content-Encoding: gzip",
        "Content-Encoding: br",
        "Content-Encoding: deflate",
        "Content-Encoding: gzip, gzip",
        "Content-Encoding: utf-8",
        "Content-Type: text/html",
        "Content-Type: application/json; charset=utf-16",
        "Content-Type: ;;;",
        "Content-Type: application/json; charset=\"no such\"",
        "Retry-After: -5",
        "Retry-After: 99999999999999",
        "Retry-After: Mon, 99 Foo 2026",
        "Location: http://[::1",
        "Location: //",
        "Location: /login?next=%00",
        "Location: \\\\x",
        "ETag: x",
        "Set-Cookie: sessionid=",
        "Set-Cookie: ;;;=",
        "X-Request-Id: \u001b[31m",
        "Date: yesterday",
        "X-CSRFToken: ",
        "WWW-Authenticate: \"",
        "Transfer-Encoding: gzip",
    ];

    private static readonly string[] FramingLines =
    [
        "Content-Length: -1",
        "Content-Length: 99999999999999999999",
        "Content-Length: 5, 6",
        "Content-Length: 1000000",
        "Transfer-Encoding: chunked",
        "Bad Header: x",
        "no colon at all",
        ": empty name",
        "X-Null: a\0b",
        "Content-Length: abc",
    ];

    private static readonly string[] StatusLines =
    [
        "HTTP/1.1 2OO OK",
        "HTTP/9.9 200 OK",
        "HTTP/1.1 99 Low",
        "HTTP/1.1 1000 High",
        "HTTP/1.1",
        "",
        "PRI * HTTP/2.0",
        "SSH-2.0-OpenSSH",
        "HTTP/1.1 200 \u001b[31mOK",
        "HTTP/1.0 200 OK",
    ];

    /// <summary>The answer with one change, or with several.</summary>
    public RecordedAnswer Mutate(RecordedAnswer answer)
    {
        if (random.NextDouble() < StallRatio)
            return answer with { CutAt = random.Next(0, answer.ToBytes().Length), Stalls = true };
        int changes = random.Next(4) == 0 ? 2 : 1;
        for (int i = 0; i < changes; i++)
            answer = MutateOnce(answer);
        return answer;
    }

    private RecordedAnswer MutateOnce(RecordedAnswer answer)
    {
        switch (random.Next(17))
        {
            case 0:
                return answer with { Body = Flip(answer.Body) };
            case 1:
                return answer with { Body = answer.Body[..random.Next(0, answer.Body.Length + 1)] };
            case 2:
                return answer with { CutAt = random.Next(0, answer.ToBytes().Length) };
            case 3 or 4 or 5 or 6 or 7:
                return answer with { Body = MutateJson(answer.Body) };
            case 8:
                return answer with { StatusLine = "HTTP/1.1 " + Pick(Statuses) };
            case 9:
                return answer with { StatusLine = "HTTP/1.1 " + Pick(Statuses), Body = Encoding.UTF8.GetBytes(Pick(Bodies)) };
            case 10:
                return answer with { Body = Encoding.UTF8.GetBytes(Pick(Bodies)) };
            case 11:
                return answer with { Headers = [.. answer.Headers, Pick(HeaderLines)] };
            case 12:
                return answer with { Headers = [.. answer.Headers, Pick(FramingLines)], HasOwnFraming = true };
            case 13:
                return Echo(answer);
            case 14:
                return Encode(answer);
            case 15:
                return answer with { Body = Large(answer.Body) };
            default:
                return answer with { StatusLine = Pick(StatusLines), HasOwnFraming = true };
        }
    }

    private T Pick<T>(IReadOnlyList<T> all) => all[random.Next(all.Count)];

    private byte[] Flip(byte[] body)
    {
        byte[] changed = [.. body];
        for (int i = random.Next(1, 6); i > 0 && changed.Length > 0; i--)
            changed[random.Next(changed.Length)] = (byte)random.Next(256);
        return changed;
    }

    /// <summary>A server that repeats what it was told, in whatever place and encoding.</summary>
    private RecordedAnswer Echo(RecordedAnswer answer)
    {
        string secret = Pick(secrets);
        string written = random.Next(7) switch
        {
            0 => Uri.EscapeDataString(secret),
            1 => Uri.EscapeDataString(secret).ToLowerInvariant() is { } lower && Uri.UnescapeDataString(lower) == secret ? lower : secret,
            2 => Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + secret)),
            3 => Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)),
            4 => string.Concat(secret.Select(c => $"&#{(int)c};")),
            5 => string.Concat(secret.Select(c => $"\\u{(int)c:x4}")),
            _ => secret,
        };
        return random.Next(5) switch
        {
            0 => answer with { StatusLine = $"HTTP/1.1 {random.Next(400, 600)} Told {written} off" },
            1 => answer with
            {
                StatusLine = "HTTP/1.1 302 Found",
                Headers = [.. answer.Headers, $"Location: /login/{written}/?x={written}"],
            },
            2 => answer with
            {
                Headers =
                [
                    .. answer.Headers,
                    $"X-Request-Id: {written}",
                    $"Server: {written}",
                    $"Via: 1.1 {written}",
                    $"ETag: \"{written}\"",
                ],
            },
            3 => RecordedAnswer.Text($"You sent {written}", Pick(Statuses)),
            _ => answer with { StatusLine = "HTTP/1.1 " + Pick(Statuses), Body = ReplaceText(answer.Body, written) },
        };
    }

    private byte[] ReplaceText(byte[] body, string text)
    {
        try
        {
            JsonNode? root = JsonNode.Parse(body);
            List<JsonValue> texts = Descend(root).OfType<JsonValue>().Where(value => value.GetValueKind() == JsonValueKind.String).ToList();
            if (root is null || texts.Count == 0)
                return Encoding.UTF8.GetBytes($"{{\"message\":\"{text}\"}}");
            Pick(texts).ReplaceWith("@@");
            return Encoding.UTF8.GetBytes(root.ToJsonString().Replace("@@", text, StringComparison.Ordinal));
        }
        catch (JsonException)
        {
            return [.. body, .. Encoding.UTF8.GetBytes($"\n{text},{text}\n")];
        }
    }

    private RecordedAnswer Encode(RecordedAnswer answer) =>
        random.Next(7) switch
        {
            0 => answer with { Body = [0xEF, 0xBB, 0xBF, .. answer.Body] },
            1 => answer with { Body = [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(Encoding.UTF8.GetString(answer.Body))] },
            2 => answer with { Body = Encoding.Latin1.GetBytes("é" + Encoding.UTF8.GetString(answer.Body)) },
            3 => answer with { Headers = [.. answer.Headers, "Content-Encoding: gzip"], Body = Compress(answer.Body) },
            4 => answer with
            {
                Headers = [.. answer.Headers, "Content-Encoding: gzip"],
                Body = Compress(answer.Body)[..^random.Next(1, 12)],
            },
            5 => answer with { Headers = [.. answer.Headers, "Content-Encoding: gzip"], Body = Compress(new byte[20 * 1024 * 1024]) },
            _ => answer with { Body = [0xED, 0xA0, 0x80, .. answer.Body] },
        };

    private static byte[] Compress(byte[] body)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.Fastest))
            gzip.Write(body);
        return compressed.ToArray();
    }

    private byte[] Large(byte[] body) =>
        random.Next(6) switch
        {
            0 => Encoding.UTF8.GetBytes(new string('[', 100_000)),
            1 => Encoding.UTF8.GetBytes("{\"message\":\"" + new string('x', 200_000) + "\"}"),
            2 => [.. "original,derivative\n"u8, .. Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("\"a", 50_000)))],
            3 => [.. "original,derivative\n"u8, .. Enumerable.Repeat((byte)'"', 100_000)],
            4 => [.. body, .. Enumerable.Repeat((byte)' ', 300_000)],
            _ => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 500)) + "1" + new string('}', 500)),
        };

    private byte[] MutateJson(byte[] body)
    {
        JsonNode? root;
        try
        {
            root = JsonNode.Parse(body);
        }
        catch (JsonException)
        {
            return Flip(body);
        }

        List<JsonNode> nodes = Descend(root).ToList();
        if (nodes.Count == 0 || Pick(nodes) is not { Parent: { } parent } node)
            return Encoding.UTF8.GetBytes(Pick(Values));
        const string Mark = "\"@@mark@@\"";
        string value = random.Next(8) == 0 ? new string('[', 70) + new string(']', 70) : Pick(Values);
        switch (parent)
        {
            case JsonObject members when random.Next(3) == 0:
                members.Remove(node.GetPropertyName());
                break;
            case JsonArray items when random.Next(3) == 0:
                for (int i = random.Next(1, 4); i > 0; i--)
                    items.Add(JsonNode.Parse(node.ToJsonString()));
                break;
            default:
                node.ReplaceWith("@@mark@@");
                break;
        }

        return Encoding.UTF8.GetBytes(root!.ToJsonString().Replace(Mark, value, StringComparison.Ordinal));
    }

    private static IEnumerable<JsonNode> Descend(JsonNode? node)
    {
        if (node is null)
            yield break;
        yield return node;
        IEnumerable<JsonNode?> children = node switch
        {
            JsonObject members => members.Select(member => member.Value),
            JsonArray items => items,
            _ => [],
        };
        foreach (JsonNode? child in children)
        {
            foreach (JsonNode below in Descend(child))
                yield return below;
        }
    }
}
