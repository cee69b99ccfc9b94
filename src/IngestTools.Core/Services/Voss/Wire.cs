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
internal sealed record UploadedFile([property: JsonConverter(typeof(LooseText))] string? Name);

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
internal sealed record StartedAnswer
{
    [JsonConverter(typeof(LooseText))]
    public string? Href { get; init; }

    /// <summary>A truth value, which may be written as a text.</summary>
    [JsonConverter(typeof(LooseText))]
    public string? Success { get; init; }

    [JsonConverter(typeof(LooseText))]
    public string? TransactionId { get; init; }

    [JsonConverter(typeof(LooseText))]
    public string? Message { get; init; }

    [JsonConverter(typeof(LooseText))]
    public string? Error { get; init; }

    /// <summary>Whether the server says that it did not do it.</summary>
    public bool IsRefusal => string.Equals(Success, "false", StringComparison.OrdinalIgnoreCase);

    /// <summary>The transaction's pkid; null where the answer names none.</summary>
    public string? Pkid => TransactionId is { Length: > 0 } id ? id : Pkids.OfHref(Href);
}

/// <summary>VOSS Automate, GET /api/tool/Transaction/poll/: what it answers for each pkid.</summary>
internal sealed record PollEntry([property: JsonConverter(typeof(LooseText))] string? Status);

/// <summary>VOSS Automate: a list.</summary>
internal sealed record ListAnswer(IReadOnlyList<JsonElement>? Resources);

/// <summary>Reads a text, or what else stands in its place, as it is written: releases differ. Lists and objects are passed over.</summary>
internal sealed class LooseText : JsonConverter<string?>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using JsonDocument value = JsonDocument.ParseValue(ref reader);
        return value.RootElement.ValueKind switch
        {
            JsonValueKind.String => value.RootElement.GetString(),
            JsonValueKind.Object or JsonValueKind.Array => null,
            _ => value.RootElement.GetRawText(),
        };
    }

    public override void Write(Utf8JsonWriter writer, string? value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}

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

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(UploadAnswer))]
[JsonSerializable(typeof(LoadRequest))]
[JsonSerializable(typeof(StartedAnswer))]
[JsonSerializable(typeof(Dictionary<string, PollEntry>))]
[JsonSerializable(typeof(ListAnswer))]
internal sealed partial class VossJson : JsonSerializerContext;
