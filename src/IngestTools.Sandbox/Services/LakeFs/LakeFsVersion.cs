namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>The two forms of the import operations.</summary>
public enum LakeFsDialect
{
    /// <summary>v0.101.0 and later: several paths, 202, and the id in the query.</summary>
    Released,

    /// <summary>Before that: one source, 201, and the id in a JSON body, also of GET and DELETE. No release speaks it.</summary>
    Legacy,
}

/// <summary>What a version of lakeFS does otherwise than the newest. A version that is no number behaves as the newest.</summary>
internal readonly struct LakeFsVersion(string text)
{
    private readonly Version _number = Version.TryParse(text.TrimStart('v'), out Version? number)
        ? number
        : new Version(int.MaxValue, 0, 0);

    /// <summary>Range and metarange operations: v0.65.0 to v0.110.0.</summary>
    public bool HasRanges => _number >= new Version(0, 65, 0) && _number < new Version(0, 111, 0);

    public bool HasImport => _number >= new Version(0, 101, 0);

    /// <summary>v0.101.0 commits to a branch of its own, and leaves the merge to its caller.</summary>
    public bool CommitsToImportBranch => _number < new Version(0, 101, 1);

    /// <summary>Since v0.105.0 what lies under the destination goes.</summary>
    public bool ReplacesDestination => _number >= new Version(0, 105, 0);

    /// <summary>Storage configuration tells an import_validity_regex.</summary>
    public bool HasImportRegex => _number >= new Version(0, 101, 0);

    /// <summary>An empty map of metadata ends the process before v1.10.0.</summary>
    public bool DiesOfEmptyMetadata => _number < new Version(1, 10, 0);

    /// <summary>A source in the repository's own storage is refused since v1.54.0.</summary>
    public bool RefusesOwnStorage => _number >= new Version(1, 54, 0);

    /// <summary>Before v1.74.0 the server returns the id before it writes the record of the import.</summary>
    public bool TellsIdEarly => _number < new Version(1, 74, 0);

    /// <summary>Repositories can be read-only, and imports forced, since v1.5.0.</summary>
    public bool HasReadOnly => _number >= new Version(1, 5, 0);

    /// <summary>An import without a message gets one since v1.2.0.</summary>
    public bool HasDefaultMessage => _number >= new Version(1, 2, 0);
}
