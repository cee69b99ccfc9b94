namespace IngestTools.PowerShell.Sandbox;

/// <summary>How a sandbox is started.</summary>
/// <param name="Port">Where it listens; 0 takes any port that is free.</param>
/// <param name="DataPath">A folder for its state; null keeps it in memory.</param>
/// <param name="Faults">How it misbehaves.</param>
internal sealed record SandboxOptions(int Port, string? DataPath, IReadOnlyList<string> Faults);
