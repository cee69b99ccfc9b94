using System.Collections;
using System.Globalization;
using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.Services.LakeFs;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>The sources that go into one branch, and so into one import.</summary>
internal sealed class ImportGroup(IngestConnection connection, string repository, string branch)
{
    private readonly List<ImportSource> _sources = [];

    internal IngestConnection Connection { get; } = connection;

    internal string Repository { get; } = repository;

    internal string Branch { get; } = branch;

    /// <summary>What errors and questions call it.</summary>
    internal string Name => $"{Repository}/{Branch}";

    internal bool IsFor(IngestConnection connection, string repository, string branch) =>
        (Connection, Repository, Branch) == (connection, repository, branch);

    internal void Add(ImportSource source) => _sources.Add(source);

    internal ImportRequest ToRequest(
        string? message,
        IDictionary? metadata,
        bool allowReadOnly,
        ImportDialect dialect,
        long? minimumObjects
    ) =>
        new()
        {
            Repository = Repository,
            Branch = Branch,
            Sources = _sources,
            Message = message,
            Metadata = ReadMetadata(metadata),
            AllowReadOnly = allowReadOnly,
            Dialect = dialect,
            MinimumObjects = minimumObjects,
        };

    /// <summary>Keys that differ can be the same as texts, such as 1 and '1': then the last one is taken.</summary>
    private static Dictionary<string, string>? ReadMetadata(IDictionary? metadata) =>
        metadata
            ?.Cast<DictionaryEntry>()
            .GroupBy(pair => TextOf(pair.Key), StringComparer.Ordinal)
            .ToDictionary(same => same.Key, same => TextOf(same.Last().Value));

    /// <summary>As PowerShell writes a value as text, the same whatever the user's culture; a time in ISO 8601 with its offset.</summary>
    private static string TextOf(object? value) =>
        (value is PSObject wrapped ? wrapped.BaseObject : value) switch
        {
            DateTime time => TextOf(new DateTimeOffset(time)),
            DateTimeOffset time => time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", CultureInfo.InvariantCulture),
            _ => LanguagePrimitives.ConvertTo<string>(value) ?? "",
        };
}
