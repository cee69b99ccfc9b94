namespace IngestTools.Scheduling;

/// <summary>What a scheduled load does.</summary>
public enum LoadKind
{
    /// <summary>VOSS Automate: uploads a workbook, runs it, and follows the transaction.</summary>
    BulkLoad,

    /// <summary>DSP-INGEST: uploads a folder, runs the bulk ingest, and saves the mapping.</summary>
    BulkIngest,

    /// <summary>lakeFS: imports a source into a branch.</summary>
    Import,

    /// <summary>ICA: links data into a project, in batches.</summary>
    LinkingBatch,
}
