using System.Text.Json.Serialization;

namespace IngestTools.Services.DspIngest;

/// <summary>DSP-API, POST /v2/authentication: what it takes. One of the three names is given.</summary>
internal sealed record LoginRequest
{
    public string? Email { get; init; }

    public string? Username { get; init; }

    public string? Iri { get; init; }

    public required string Password { get; init; }
}

/// <summary>DSP-API, POST /v2/authentication: what it answers.</summary>
internal sealed record LoginAnswer(string? Token);

/// <summary>DSP-INGEST, POST /projects/{shortcode}/bulk-ingest/ingest/{file}: what it answers.</summary>
internal sealed record UploadAnswer(string? Status);

/// <summary>DSP-INGEST, POST /projects/{shortcode}/bulk-ingest: what it answers.</summary>
internal sealed record ProjectAnswer(string? Id);

/// <summary>DSP-INGEST, GET /projects/{shortcode}/assets/{assetId}: what is used of the answer.</summary>
internal sealed record AssetAnswer(string? OriginalFilename, string? ChecksumOriginal);

/// <summary>DSP-INGEST, GET /health.</summary>
internal sealed record HealthAnswer(string? Status);

/// <summary>DSP-INGEST, GET /info.</summary>
internal sealed record InfoAnswer(string? Name, string? Version);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(LoginAnswer))]
[JsonSerializable(typeof(UploadAnswer))]
[JsonSerializable(typeof(ProjectAnswer))]
[JsonSerializable(typeof(AssetAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(InfoAnswer))]
internal sealed partial class DspIngestJson : JsonSerializerContext;
