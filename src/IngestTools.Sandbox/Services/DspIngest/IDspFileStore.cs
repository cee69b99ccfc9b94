namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>Where a project's files are kept. A project asks for one thing at a time, but for <see cref="MoveToAssets"/>.</summary>
internal interface IDspFileStore
{
    /// <summary>What was there when the sandbox started.</summary>
    StoredProject Load();

    /// <summary>A file in the import folder, emptied if it was there.</summary>
    Stream OpenUpload(string path);

    /// <summary>Takes an ingested file out of the import folder; several at once.</summary>
    void MoveToAssets(DspAsset asset);

    /// <summary>Appends rows to the mapping, which begins with the first call.</summary>
    void AppendMapping(IReadOnlyCollection<DspAsset> rows);

    /// <summary>Deletes the import folder and the mapping; assets stay.</summary>
    void DeleteImport();
}

/// <summary>What a store knows of a project.</summary>
/// <param name="Waiting">The files in the import folder; null when there is none.</param>
/// <param name="Mapping">The rows of the mapping; null when there is none.</param>
/// <param name="Assets">All that was ever ingested.</param>
internal sealed record StoredProject(
    IReadOnlyList<DspWaitingFile>? Waiting,
    IReadOnlyList<DspAsset>? Mapping,
    IReadOnlyList<DspAsset> Assets
);

/// <summary>Keeps no contents at all: hash and length are what tests ask for, and memory stays flat however large the files are.</summary>
internal sealed class ForgetfulFileStore : IDspFileStore
{
    public StoredProject Load() => new(null, null, []);

    public Stream OpenUpload(string path) => Stream.Null;

    public void MoveToAssets(DspAsset asset) { }

    public void AppendMapping(IReadOnlyCollection<DspAsset> rows) { }

    public void DeleteImport() { }
}
