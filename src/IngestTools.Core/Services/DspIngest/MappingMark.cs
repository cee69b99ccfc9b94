namespace IngestTools.Services.DspIngest;

/// <summary>
/// A position in a mapping that separates its newer rows from its older ones: a project's mapping only grows until it is finalized.
/// </summary>
/// <param name="Rows">Rows up to here.</param>
/// <param name="LastDerivative">The derivative of the last of them: it shows whether the mapping still is the one it was.</param>
public readonly record struct MappingMark(long Rows, string? LastDerivative);
