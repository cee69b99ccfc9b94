using System.Text.Json;
using System.Text.Json.Serialization;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Store;

/// <summary>How loads and lists stand in the store's columns.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(LoadDefinition))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class LoadJson : JsonSerializerContext
{
    /// <summary>A load as text. Two loads of the same text are the same, lists included.</summary>
    public static string Write(LoadDefinition load) => JsonSerializer.Serialize(load, Default.LoadDefinition);
}
