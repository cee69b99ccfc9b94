namespace IngestTools.Scheduling;

/// <summary>What a schedule loads, and over which connection. It holds names and paths, never a secret.</summary>
public sealed record LoadDefinition
{
    /// <summary>What it does. Decides which of the other properties count.</summary>
    public required LoadKind Kind { get; init; }

    /// <summary>The name of a saved connection, whose secret the daemon can read by itself.</summary>
    public required string Connection { get; init; }

    /// <summary>
    /// The base address of the server that the connection leads to. Where it leads to another one, nothing is loaded. The scheduler sets it
    /// when it is null.
    /// </summary>
    public string? Server { get; init; }

    /// <summary>VOSS: the workbook. DSP-INGEST: the file or folder. A full path.</summary>
    public string? Path { get; init; }

    /// <summary>VOSS: the hierarchy.</summary>
    public string? Hierarchy { get; init; }

    /// <summary>DSP-INGEST: the project.</summary>
    public string? Shortcode { get; init; }

    /// <summary>DSP-INGEST: whether folders in the folder are sent too.</summary>
    public bool Recurse { get; init; }

    /// <summary>DSP-INGEST: file name patterns (* and ?) of which one must match; null lets every name through.</summary>
    public IReadOnlyList<string>? Include { get; init; }

    /// <summary>DSP-INGEST: file name patterns of which none may match; null leaves out none.</summary>
    public IReadOnlyList<string>? Exclude { get; init; }

    /// <summary>
    /// DSP-INGEST: whether what could be sent is ingested where other files could not be sent. The run then ends as
    /// <see cref="RunStatus.PartlySucceeded"/>.
    /// </summary>
    public bool ContinueOnFailure { get; init; }

    /// <summary>
    /// DSP-INGEST: whether files are sent too that were sent before and have not changed. VOSS: whether the workbook is loaded although its
    /// content was loaded before.
    /// </summary>
    public bool Again { get; init; }

    /// <summary>DSP-INGEST: where the mapping is saved after each run; null saves none. A full path.</summary>
    public string? MappingPath { get; init; }

    /// <summary>lakeFS: the source.</summary>
    public string? Source { get; init; }

    /// <summary>lakeFS: the repository.</summary>
    public string? Repository { get; init; }

    /// <summary>lakeFS: the branch.</summary>
    public string? Branch { get; init; }

    /// <summary>lakeFS: where in the branch; null is its root.</summary>
    public string? Destination { get; init; }

    /// <summary>lakeFS: the commit's message.</summary>
    public string? Message { get; init; }

    /// <summary>lakeFS: the number of objects below which the import has failed; null is 1 where objects were deleted.</summary>
    public long? MinimumObjects { get; init; }

    /// <summary>ICA: the file of data ids. A full path.</summary>
    public string? DataIdPath { get; init; }

    /// <summary>ICA: the project.</summary>
    public string? ProjectId { get; init; }

    /// <summary>What is loaded, from where and to where: "BulkLoad of /data/users.xlsx to sys.hcs".</summary>
    public override string ToString() =>
        $"{Kind} of {Path ?? Source ?? DataIdPath} to {Hierarchy ?? Shortcode ?? ProjectId ?? $"{Repository}/{Branch}"}";
}
