using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>
/// How the bodies of lakeFS are written. A member that is "required" below and left out is answered with 400, before anything else.
/// </summary>
internal static class LakeFsWire
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
    };
}

internal sealed record LoginBody
{
    public required string AccessKeyId { get; init; }

    public required string SecretAccessKey { get; init; }
}

internal sealed record BranchBody
{
    public required string Name { get; init; }

    public required string Source { get; init; }
}

internal sealed record CommitBody
{
    public required string Message { get; init; }

    public Dictionary<string, string>? Metadata { get; init; }
}

internal sealed record MergeBody
{
    public string? Message { get; init; }

    public Dictionary<string, string>? Metadata { get; init; }
}

/// <summary>An object that two references do not have in common.</summary>
internal sealed record DifferingObject(string Type, string Path, string PathType = LakeFsImport.Object);

/// <summary>The start of an import since v0.101.0.</summary>
internal sealed record ImportBody
{
    public required IReadOnlyList<ImportLocation> Paths { get; init; }

    public required CommitBody Commit { get; init; }

    public bool Force { get; init; }
}

internal sealed record ImportLocation
{
    public required string Type { get; init; }

    public required string Path { get; init; }

    public required string Destination { get; init; }
}

/// <summary>The start of an import before v0.101.0.</summary>
internal sealed record LegacyImportBody
{
    public required string SourceUri { get; init; }

    public required string Prepend { get; init; }

    public required string CommitMessage { get; init; }

    public Dictionary<string, string>? Metadata { get; init; }
}

/// <summary>The body that carries the id, also of a GET, before v0.101.0.</summary>
internal sealed record LegacyIdBody
{
    [JsonPropertyName("importID")]
    public required string ImportId { get; init; }
}

internal sealed record RangeBody
{
    [JsonPropertyName("fromSourceURI")]
    public required string FromSourceUri { get; init; }

    public required string After { get; init; }

    public required string Prepend { get; init; }

    public string? ContinuationToken { get; init; }

    public string? StagingToken { get; init; }
}

internal sealed record MetaRangeBody
{
    public required IReadOnlyList<LakeFsRange> Ranges { get; init; }
}

internal sealed record StagingTokenBody
{
    public required string StagingToken { get; init; }
}

/// <summary>A range: keys that were written together.</summary>
/// <param name="Id">64 hex digits.</param>
/// <param name="MinKey">The first key; empty for a directory's own marker, and where there is none.</param>
/// <param name="MaxKey">The last key.</param>
/// <param name="Count">How many keys.</param>
/// <param name="EstimatedSize">In bytes.</param>
public sealed record LakeFsRange(string Id, string MinKey, string MaxKey, long Count, long EstimatedSize);

/// <summary>A commit.</summary>
/// <param name="Id">64 hex digits.</param>
/// <param name="Parents">The commits before it.</param>
/// <param name="Committer">Who committed.</param>
/// <param name="Message">What for.</param>
/// <param name="CreationDate">In seconds since 1970.</param>
/// <param name="MetaRangeId">What it holds.</param>
/// <param name="Metadata">The pairs that were given; null for none.</param>
public sealed record LakeFsCommit(
    string Id,
    IReadOnlyList<string> Parents,
    string Committer,
    string Message,
    long CreationDate,
    string MetaRangeId,
    IReadOnlyDictionary<string, string>? Metadata
);
