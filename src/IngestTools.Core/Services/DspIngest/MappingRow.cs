namespace IngestTools.Services.DspIngest;

/// <summary>A row of mapping.csv.</summary>
/// <param name="Original">The name of the file as it was uploaded.</param>
/// <param name="Derivative">The server's name of the ingested file.</param>
public readonly record struct MappingRow(string Original, string Derivative);
