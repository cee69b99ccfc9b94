namespace IngestTools;

/// <summary>What a transaction does.</summary>
public enum TransactionKind
{
    /// <summary>A run of a DSP-INGEST project's bulk ingest.</summary>
    BulkIngest,

    /// <summary>An ICA linking batch.</summary>
    LinkingBatch,

    /// <summary>A lakeFS import.</summary>
    Import,

    /// <summary>A VOSS bulk load.</summary>
    BulkLoad,

    /// <summary>The making of a schedule on the server.</summary>
    Schedule,
}
