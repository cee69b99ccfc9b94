using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace IngestTools.Sandbox.Services.Ica;

/// <summary>What a request says about pages: by cursor, unless it gives an offset or an order.</summary>
internal sealed class IcaPaging
{
    private readonly Dictionary<string, StringValues> _query;
    private readonly IcaOptions _options;
    private readonly string _list;

    /// <param name="query">The query as it came.</param>
    /// <param name="options">How pages are made.</param>
    /// <param name="list">What is listed: a cursor of another list is refused.</param>
    public IcaPaging(string query, IcaOptions options, string list)
    {
        _query = QueryHelpers.ParseQuery(query);
        _options = options;
        _list = list;
    }

    /// <summary>The index of the first row.</summary>
    public int First { get; private set; }

    /// <summary>Rows in a page.</summary>
    public int Size { get; private set; }

    public bool IsByOffset => _query.ContainsKey("pageOffset") || _query.ContainsKey("sort");

    public string? Sort => Value("sort");

    /// <summary>The values of a filter that may be given several times; null where it is not given.</summary>
    public HashSet<string>? Filter(string name) =>
        _query.TryGetValue(name, out StringValues values) ? values.OfType<string>().ToHashSet(StringComparer.Ordinal) : null;

    /// <summary>Reads and checks. Returns what is wrong; null where nothing is.</summary>
    public string? Read()
    {
        Size = _options.MaxPageSize;
        if (Value("pageSize") is { } size)
        {
            if (!int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out int asked) || asked < 1)
                return $"Invalid pageSize '{size}'";
            Size = Math.Min(asked, _options.MaxPageSize);
        }
        if (Value("pageOffset") is { } offset)
        {
            if (Value("pageToken") is not null || !int.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out int first))
                return $"Invalid pageOffset '{offset}'";
            First = first;
        }
        return Value("pageToken") is { Length: > 0 } token && !TryReadToken(token) ? "Invalid pageToken" : null;
    }

    /// <summary>The page as it is answered.</summary>
    /// <param name="items">The rows.</param>
    /// <param name="next">The index of the next row; null where this is the last page.</param>
    /// <param name="remaining">Rows behind this page.</param>
    /// <param name="total">Rows in all.</param>
    public Dictionary<string, object?> Page(IReadOnlyList<object> items, int? next, long remaining, long total)
    {
        // In a dictionary a null is written; as a property it would be left out.
        Dictionary<string, object?> page = new() { ["items"] = items };
        if (IsByOffset)
        {
            page["nextPageToken"] = "";
            page["totalItemCount"] = total;
            return page;
        }
        page["remainingRecords"] = remaining;
        if (next is { } index)
            page["nextPageToken"] = Token(_options.RepeatsToken ? First : index);
        else if (_options.CursorEnd != IcaCursorEnd.Absent)
            page["nextPageToken"] = _options.CursorEnd == IcaCursorEnd.Null ? null : "";
        return page;
    }

    /// <summary>With characters that must be escaped in a query: a client that does not is found out.</summary>
    private string Token(int index) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{index}>{_list}?~"))) + "+/==";

    private bool TryReadToken(string token)
    {
        const string Tail = "+/==";
        if (!token.EndsWith(Tail, StringComparison.Ordinal))
            return false;
        Span<byte> bytes = new byte[token.Length];
        if (!Convert.TryFromBase64String(token[..^Tail.Length], bytes, out int length))
            return false;
        string[] sides = Encoding.UTF8.GetString(bytes[..length]).Split('>', 2);
        bool isIndex = int.TryParse(sides[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first);
        First = first;
        return isIndex && sides.Length == 2 && sides[1] == $"{_list}?~";
    }

    private string? Value(string name) => _query.TryGetValue(name, out StringValues values) ? values.ToString() : null;
}
