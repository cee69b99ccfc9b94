using System.Text.Json.Serialization;

namespace IngestTools.Services.LakeFs;

/// <summary>lakeFS, POST /auth/login: what it takes.</summary>
internal sealed record LoginRequest(string AccessKeyId, string SecretAccessKey);

/// <summary>lakeFS, POST /auth/login: what it answers. The expiration is in seconds since 1970, and may be left out.</summary>
internal sealed record LoginAnswer(string? Token, long? TokenExpiration);

/// <summary>lakeFS, GET /config/version.</summary>
internal sealed record VersionAnswer(string? Version);

/// <summary>lakeFS, GET /config/storage: what is used of it.</summary>
internal sealed record StorageAnswer
{
    public string? BlockstoreType { get; init; }

    /// <summary>What a namespace must look like; before v0.101 the rule for sources too.</summary>
    [JsonPropertyName("blockstore_namespace_ValidityRegex")]
    public string? NamespaceRegex { get; init; }

    public string? ImportValidityRegex { get; init; }

    public bool? ImportSupport { get; init; }
}

/// <summary>lakeFS, GET /repositories/{repository}: what is used of it.</summary>
internal sealed record RepositoryAnswer(string? Id, bool? ReadOnly);

/// <summary>lakeFS, GET /repositories/{repository}/branches/{branch}.</summary>
internal sealed record BranchAnswer(string? Id, string? CommitId);

/// <summary>lakeFS, GET /repositories/{repository}/refs/{ref}/objects/ls.</summary>
internal sealed record ObjectsAnswer(PaginationAnswer? Pagination, IReadOnlyList<ObjectAnswer>? Results);

/// <summary>lakeFS, GET /repositories and GET /repositories/{repository}/branches.</summary>
internal sealed record NamesAnswer(IReadOnlyList<NameAnswer?>? Results);

/// <summary>A repository or branch in a list.</summary>
internal sealed record NameAnswer(string? Id);

/// <summary>Where a listing stands.</summary>
internal sealed record PaginationAnswer(bool HasMore, string? NextOffset);

/// <summary>An object, or a prefix that several have in common.</summary>
internal sealed record ObjectAnswer(string? Path);

/// <summary>lakeFS, POST /repositories/{repository}/branches/{branch}/import, since v0.101.0.</summary>
internal sealed record ImportCreation(IReadOnlyList<ImportLocation> Paths, CommitCreation Commit, bool? Force);

/// <summary>From where to where.</summary>
internal sealed record ImportLocation(string Type, string Path, string Destination);

/// <summary>The commit of an import. Metadata must be left out where there is none: an empty map ends servers before v1.10.0.</summary>
internal sealed record CommitCreation(string Message, IReadOnlyDictionary<string, string>? Metadata);

/// <summary>lakeFS, POST /repositories/{repository}/branches/{branch}/import, before v0.101.0.</summary>
internal sealed record LegacyImportCreation(
    string SourceUri,
    string Prepend,
    string CommitMessage,
    IReadOnlyDictionary<string, string>? Metadata
);

/// <summary>The body of GET and DELETE before v0.101.0.</summary>
internal sealed record LegacyImportId([property: JsonPropertyName("importID")] string ImportId);

/// <summary>What the start of an import answers.</summary>
internal sealed record ImportCreationAnswer(string? Id);

/// <summary>The status of an import, of all dialects together.</summary>
internal sealed record ImportStatusAnswer
{
    public bool? Completed { get; init; }

    public DateTimeOffset? UpdateTime { get; init; }

    /// <summary>Since v0.101.0.</summary>
    public long? IngestedObjects { get; init; }

    /// <summary>Before v0.101.0.</summary>
    public long? ImportProgress { get; init; }

    /// <summary>Up to v0.101.0: the branch that the commit is on.</summary>
    public string? ImportBranch { get; init; }

    [JsonPropertyName("metarange_id")]
    public string? MetaRangeId { get; init; }

    public CommitAnswer? Commit { get; init; }

    public ErrorAnswer? Error { get; init; }
}

/// <summary>A commit: what is used of it. The date is in seconds since 1970.</summary>
internal sealed record CommitAnswer(
    string? Id,
    string? Message,
    long? CreationDate,
    IReadOnlyList<string>? Parents = null,
    IReadOnlyDictionary<string, string>? Metadata = null
);

/// <summary>What went wrong.</summary>
internal sealed record ErrorAnswer(string? Message);

/// <summary>lakeFS, POST /repositories/{repository}/branches: what it takes.</summary>
internal sealed record BranchCreation(string Name, string Source);

/// <summary>lakeFS, POST /repositories/{repository}/refs/{sourceRef}/merge/{destinationBranch}: what it takes.</summary>
internal sealed record MergeCreation(string Message, IReadOnlyDictionary<string, string>? Metadata);

/// <summary>lakeFS, POST /repositories/{repository}/refs/{sourceRef}/merge/{destinationBranch}: the commit.</summary>
internal sealed record MergeAnswer(string? Reference);

/// <summary>lakeFS, GET /repositories/{repository}/refs/{leftRef}/diff/{rightRef}</summary>
internal sealed record DiffAnswer(PaginationAnswer? Pagination, IReadOnlyList<DiffEntry>? Results);

/// <summary>How an object differs: added, removed or changed.</summary>
internal sealed record DiffEntry(string? Type);

/// <summary>
/// lakeFS, POST /repositories/{repository}/branches/ranges: what it takes. After and prepend are empty, and not left out, where there are
/// none.
/// </summary>
internal sealed record StageRangeCreation(
    [property: JsonPropertyName("fromSourceURI")] string FromSourceUri,
    string After,
    string Prepend,
    string? ContinuationToken,
    string? StagingToken
);

/// <summary>lakeFS, POST /repositories/{repository}/branches/ranges: what it answers.</summary>
internal sealed record RangeCreationAnswer(RangeMetadata? Range, RangePagination? Pagination);

/// <summary>A range. Its keys may be empty: a directory's marker has no name.</summary>
internal sealed record RangeMetadata(string? Id, string? MinKey, string? MaxKey, long Count, long EstimatedSize);

/// <summary>Where a walk of a source stands.</summary>
internal sealed record RangePagination(bool HasMore, string? LastKey, string? ContinuationToken, string? StagingToken);

/// <summary>lakeFS, POST /repositories/{repository}/branches/metaranges: what it takes.</summary>
internal sealed record MetaRangeCreation(IReadOnlyList<RangeMetadata> Ranges);

/// <summary>lakeFS, POST /repositories/{repository}/branches/metaranges: what it answers.</summary>
internal sealed record MetaRangeCreationAnswer(string? Id);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(LoginAnswer))]
[JsonSerializable(typeof(VersionAnswer))]
[JsonSerializable(typeof(StorageAnswer))]
[JsonSerializable(typeof(RepositoryAnswer))]
[JsonSerializable(typeof(BranchAnswer))]
[JsonSerializable(typeof(ObjectsAnswer))]
[JsonSerializable(typeof(NamesAnswer))]
[JsonSerializable(typeof(ImportCreation))]
[JsonSerializable(typeof(LegacyImportCreation))]
[JsonSerializable(typeof(LegacyImportId))]
[JsonSerializable(typeof(ImportCreationAnswer))]
[JsonSerializable(typeof(ImportStatusAnswer))]
[JsonSerializable(typeof(CommitAnswer))]
[JsonSerializable(typeof(StageRangeCreation))]
[JsonSerializable(typeof(RangeCreationAnswer))]
[JsonSerializable(typeof(MetaRangeCreation))]
[JsonSerializable(typeof(MetaRangeCreationAnswer))]
[JsonSerializable(typeof(BranchCreation))]
[JsonSerializable(typeof(MergeCreation))]
[JsonSerializable(typeof(MergeAnswer))]
[JsonSerializable(typeof(DiffAnswer))]
internal sealed partial class LakeFsJson : JsonSerializerContext;
