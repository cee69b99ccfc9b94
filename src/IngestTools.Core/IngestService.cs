namespace IngestTools;

/// <summary>The systems that this library drives.</summary>
public enum IngestService
{
    /// <summary>DaSCH DSP-INGEST: upload files, run a bulk ingest, fetch mapping.csv, finalize.</summary>
    DspIngest,

    /// <summary>Illumina Connected Analytics v2: link data into a project in batches.</summary>
    Ica,

    /// <summary>lakeFS: import objects into a branch; ranges and metaranges.</summary>
    LakeFs,

    /// <summary>VOSS Automate: upload a workbook, run or schedule a bulk load, follow its transaction.</summary>
    Voss,
}
