using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes where a secret is kept: the names of environment variables, and the forms for a file and a vault.</summary>
public sealed class SecretFromCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) =>
        Environment
            .GetEnvironmentVariables()
            .Keys.Cast<string>()
            .Order(StringComparer.OrdinalIgnoreCase)
            .Select(name => "env:" + name)
            .Concat(["file:", "vault:"]);
}
