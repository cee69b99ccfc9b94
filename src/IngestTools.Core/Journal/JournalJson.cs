using System.Text.Json.Serialization;

namespace IngestTools.Journal;

/// <summary>How a transaction is written into the journal.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    IgnoreReadOnlyProperties = true,
    UseStringEnumConverter = true
)]
[JsonSerializable(typeof(Transaction))]
internal sealed partial class JournalJson : JsonSerializerContext;
