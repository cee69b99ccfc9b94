using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace IngestTools.Services.Ica;

/// <summary>ICA, POST /api/tokens: what it answers.</summary>
internal sealed record TokenAnswer(string? Token);

/// <summary>A batch of any kind: what is made and what is asked for answer the same.</summary>
internal sealed record BatchAnswer(string? Id, JobAnswer? Job);

/// <summary>A job. Its owner, a person with address and telephone, is not read.</summary>
internal sealed record JobAnswer
{
    public string? Id { get; init; }

    public string? Status { get; init; }

    public string? AdditionalStatusInformation { get; init; }

    public string? SubjectId { get; init; }

    public string? TimeCreated { get; init; }

    public string? TimeStarted { get; init; }

    public string? TimeFinished { get; init; }

    public ProjectReference? Project { get; init; }

    /// <summary>A time that cannot be read is no reason to lose the rest.</summary>
    public static DateTimeOffset? TimeOf(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time) ? time : null;
}

/// <summary>The project of a job.</summary>
internal sealed record ProjectReference(string? Id);

/// <summary>An item of a batch; the data that it became is in the project and is not read.</summary>
internal sealed record ItemAnswer(string? Id, ItemRequestAnswer? Request, ItemProcessingAnswer? Processing);

/// <summary>What was asked for.</summary>
internal sealed record ItemRequestAnswer(string? DataId);

/// <summary>Where an item stands.</summary>
internal sealed record ItemProcessingAnswer(string? Status, string? AdditionalStatusInformation);

/// <summary>Data, as lists of it have it.</summary>
internal sealed record DataAnswer(string? Id);

/// <summary>ICA, GET /api/projects: one of them.</summary>
internal sealed record ProjectAnswer(string? Id, string? Name);

/// <summary>A page of any list.</summary>
/// <typeparam name="T">What is listed.</typeparam>
internal sealed record Page<T>
{
    public T[]? Items { get; init; }

    public string? NextPageToken { get; init; }

    /// <summary>Rows in all; told where pages are asked for by offset.</summary>
    public long? TotalItemCount { get; init; }

    /// <summary>The server's clock when it answered.</summary>
    [JsonIgnore]
    public DateTimeOffset? ServerTime { get; init; }
}

/// <summary>The body of items:search.</summary>
internal sealed record ItemSearch(IReadOnlyList<string> Status);

/// <summary>Takes a number or a truth value where a text is documented: the service has answered so before.</summary>
internal sealed class LenientText : JsonConverter<string>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return reader.GetString();
            case JsonTokenType.Number:
            case JsonTokenType.True:
            case JsonTokenType.False:
                return System.Text.Encoding.UTF8.GetString(reader.ValueSpan);
            default:
                throw new JsonException("It is not a text.");
        }
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowReadingFromString,
    Converters = [typeof(LenientText)]
)]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(BatchAnswer))]
[JsonSerializable(typeof(JobAnswer))]
[JsonSerializable(typeof(ItemAnswer))]
[JsonSerializable(typeof(Page<ItemAnswer>))]
[JsonSerializable(typeof(Page<JobAnswer>))]
[JsonSerializable(typeof(Page<DataAnswer>))]
[JsonSerializable(typeof(Page<ProjectAnswer>))]
[JsonSerializable(typeof(ItemSearch))]
internal sealed partial class IcaJson : JsonSerializerContext;
