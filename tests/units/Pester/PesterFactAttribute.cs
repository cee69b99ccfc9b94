using Xunit;

namespace IngestTools.Units;

/// <summary>A fact that needs PowerShell 7.4 and Pester 5. Without them it is skipped, and its name says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PesterFactAttribute : FactAttribute
{
    private const string Probe = """
        if ($PSVersionTable.PSVersion -lt [version] '7.4') { "pwsh on PATH is $($PSVersionTable.PSVersion), and 7.4 is needed" }
        elseif (-not (Get-Module -ListAvailable Pester | Where-Object Version -ge '5.0')) {
            'there is no Pester 5 (Install-PSResource Pester)'
        }
        """;

    private static readonly Lazy<string?> Missing = new(FindMissing);

    /// <summary>Looks once a process.</summary>
    public PesterFactAttribute()
    {
        if (Missing.Value is { } reason)
        {
            Skip = reason;
            DisplayName = $"PESTER TESTS SKIPPED: {reason}";
        }
    }

    private static string? FindMissing()
    {
        if (PowerShellProcess.Path is null)
            return "there is no pwsh on PATH";
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var probe = PowerShellProcess.RunAsync(["-Command", Probe], Path.GetTempPath(), timeout.Token).GetAwaiter().GetResult();
        if (probe.ExitCode != 0)
            return $"pwsh on PATH does not run: {probe.Output}";
        return probe.Output.Length == 0 ? null : probe.Output;
    }
}
