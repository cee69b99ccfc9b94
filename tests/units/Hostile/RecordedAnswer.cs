using System.Text;

namespace IngestTools.Units.Hostile;

/// <summary>An answer as a server gave it, or as a test changes it.</summary>
internal sealed record RecordedAnswer
{
    public string StatusLine { get; init; } = "HTTP/1.1 200 OK";

    public IReadOnlyList<string> Headers { get; init; } = [];

    public byte[] Body { get; init; } = [];

    /// <summary>Whether the body's length is in no header, or in a wrong one of the test's own.</summary>
    public bool HasOwnFraming { get; init; }

    /// <summary>Whether nothing more is sent, and the connection stays open.</summary>
    public bool Stalls { get; init; }

    /// <summary>How many bytes of all are sent; the rest is cut off. Null sends all.</summary>
    public int? CutAt { get; init; }

    public static RecordedAnswer Json(string body, string status = "200 OK") =>
        new()
        {
            StatusLine = "HTTP/1.1 " + status,
            Headers = ["Content-Type: application/json"],
            Body = Encoding.UTF8.GetBytes(body),
        };

    public static RecordedAnswer Text(string body, string status, params string[] headers) =>
        new()
        {
            StatusLine = "HTTP/1.1 " + status,
            Headers = headers,
            Body = Encoding.UTF8.GetBytes(body),
        };

    /// <summary>Whether another request may follow on the same connection.</summary>
    public bool KeepsConnection => !HasOwnFraming && !Stalls && CutAt is null;

    public byte[] ToBytes()
    {
        StringBuilder head = new(StatusLine);
        head.Append("\r\n");
        foreach (string header in Headers)
            head.Append(header).Append("\r\n");
        if (!HasOwnFraming)
            head.Append("Content-Length: ").Append(Body.Length).Append("\r\n");
        head.Append("\r\n");
        byte[] all = [.. Encoding.Latin1.GetBytes(head.ToString()), .. Body];
        return CutAt is { } end ? all[..Math.Min(end, all.Length)] : all;
    }
}
