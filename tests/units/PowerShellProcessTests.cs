using System.Text.Json;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units;

/// <summary>The PowerShell that the tests bring with them.</summary>
public sealed class PowerShellProcessTests
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task PowerShell_is_the_version_that_the_tool_manifest_names_and_has_the_tests_own_Pester()
    {
        using JsonDocument manifest = JsonDocument.Parse(
            await File.ReadAllTextAsync(Path.Join(Repository.Root, ".config", "dotnet-tools.json"))
        );
        string version = manifest.RootElement.GetProperty("tools").GetProperty("powershell").GetProperty("version").GetString()!;

        ProcessResult result = await RunAsync(
            "\"PowerShell $($PSVersionTable.PSVersion)\"; (Get-Module Pester -ListAvailable)[0].ModuleBase"
        );

        Assert.Equal(0, result.ExitCode);
        Assert.Contains($"PowerShell {version}", result.Output, StringComparison.Ordinal);
        Assert.Contains(Path.Join(AppContext.BaseDirectory, "modules", "Pester"), result.Output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Script_that_fails_is_reported_with_its_exit_code_and_its_words()
    {
        ProcessResult result = await RunAsync("Write-Error 'It broke.'; exit 3");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("It broke.", result.Output, StringComparison.Ordinal);
    }

    private static async Task<ProcessResult> RunAsync(string script)
    {
        using TemporaryFolder folder = new();
        using CancellationTokenSource timeout = new(TimeLimit);
        string path = Path.Join(folder.Path, "script.ps1");
        await File.WriteAllTextAsync(path, script, timeout.Token);
        return await PowerShellProcess.RunScriptAsync(path, [], folder.Path, timeout.Token);
    }
}
