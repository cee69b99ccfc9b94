namespace IngestTools.Connections;

/// <summary>Why a file must not be trusted.</summary>
/// <param name="Reason">What is wrong, as the end of a sentence: "other accounts can write to it".</param>
/// <param name="Advice">What the user can do about it.</param>
public sealed record FileRisk(string Reason, string Advice);
