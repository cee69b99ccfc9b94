namespace IngestTools.PowerShell.Sandbox;

/// <summary>How a sandbox is started.</summary>
/// <param name="Port">Where it listens; 0 takes any port that is free.</param>
/// <param name="DataPath">A folder for its state; null keeps it in memory.</param>
/// <param name="SamplePath">A folder for sample files; null writes none.</param>
/// <param name="Faults">How it misbehaves.</param>
/// <param name="Options">What else is set, each as NAME=VALUE.</param>
internal sealed record SandboxOptions(
    int Port,
    string? DataPath,
    string? SamplePath,
    IReadOnlyList<string> Faults,
    IReadOnlyList<string> Options
)
{
    /// <summary>The last value that was given for an option; null where it was not given.</summary>
    internal string? ValueOf(string name) =>
        Options
            .Select(static option => option.Split('=', 2))
            .LastOrDefault(sides => sides.Length == 2 && sides[0].Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
            ?[1];
}
