using System.Text.Json;
using System.Text.Json.Serialization;

namespace IngestTools.Services.Voss;

/// <summary>VOSS Automate, POST /noninteractivelogin/: what it takes. Its answer is in its headers.</summary>
internal sealed record LoginRequest
{
    public required string Username { get; init; }

    public required string Password { get; init; }
}

/// <summary>VOSS Automate, POST /api/uploadfiles/: what it answers.</summary>
internal sealed record UploadAnswer(IReadOnlyList<UploadedFile>? Uploadedfiles);

/// <summary>An uploaded file: a load finds it by its name, and no call takes the id.</summary>
internal sealed record UploadedFile(string? Name);

/// <summary>VOSS Automate, POST /api/tool/BulkLoad/: what it takes.</summary>
internal sealed record LoadRequest
{
    public required string BulkloadFile { get; init; }

    public required bool ExecuteImmediately { get; init; }

    /// <summary>YYYY-MM-DD</summary>
    public string? ExecuteDate { get; init; }

    /// <summary>HH:MM:SS</summary>
    public string? ExecuteTime { get; init; }

    /// <summary>Minutes relative to UTC, as a text.</summary>
    public string? ExecuteTimezone { get; init; }
}

/// <summary>VOSS Automate: what a change with nowait=true answers at once.</summary>
internal sealed record StartedAnswer(string? Href, bool? Success, string? TransactionId)
{
    /// <summary>The transaction's pkid; null where the answer names none.</summary>
    public string? Pkid => TransactionId is { Length: > 0 } id ? id : Pkids.OfHref(Href);
}

/// <summary>VOSS Automate, GET /api/tool/Transaction/poll/: what it answers for each pkid.</summary>
internal sealed record PollEntry(string? Status, string? Description);

/// <summary>VOSS Automate: a list.</summary>
internal sealed record ListAnswer(PageAnswer? Pagination, IReadOnlyList<JsonElement>? Resources);

/// <summary>Which part of a list an answer is. The total is 0 where it was not counted.</summary>
internal sealed record PageAnswer(int? Skip, int? Limit, int? Total);

/// <summary>Pkids of transactions.</summary>
internal static class Pkids
{
    /// <summary>The pkid in "/api/tool/Transaction/[pkid]/"; null where it has none.</summary>
    public static string? OfHref(string? href)
    {
        const string Before = "/Transaction/";
        int start = href?.IndexOf(Before, StringComparison.OrdinalIgnoreCase) ?? -1;
        if (start < 0)
            return null;
        string pkid = href![(start + Before.Length)..].Split('/', '?')[0];
        return pkid.Length > 0 ? Uri.UnescapeDataString(pkid) : null;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(UploadAnswer))]
[JsonSerializable(typeof(LoadRequest))]
[JsonSerializable(typeof(StartedAnswer))]
[JsonSerializable(typeof(Dictionary<string, PollEntry>))]
[JsonSerializable(typeof(ListAnswer))]
internal sealed partial class VossJson : JsonSerializerContext;
