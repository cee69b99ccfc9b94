using System.Reflection;
using System.Text;
using System.Text.Json;
using Xunit;

namespace IngestTools.Units;

/// <summary>Brings Pester into <c>dotnet test</c>: stages the module as just built, and runs tests/*.Tests.ps1 against it.</summary>
[Collection(RunsAlone.Name)]
[Trait("kind", "process")]
public sealed class PesterTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    private static readonly string Configuration =
        typeof(PesterTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    [PesterFact]
    public async Task Pester_tests_pass()
    {
        var root = FindRoot();
        var resultPath = Path.Combine(root, "out", "pester-result.json");
        Directory.CreateDirectory(Path.GetDirectoryName(resultPath)!);
        File.Delete(resultPath);
        var home = Directory.CreateTempSubdirectory("ingesttools-pester-");
        using var timeout = new CancellationTokenSource(Timeout);
        try
        {
            var staging = await PowerShellProcess.RunScriptAsync(
                Path.Combine(root, "build.ps1"),
                ["-Task", "Build", "-SkipCompile", "-Configuration", Configuration], home.FullName, timeout.Token);
            Assert.True(staging.ExitCode == 0, $"build.ps1 did not stage the module:\n{staging.Output}");

            var run = await PowerShellProcess.RunScriptAsync(
                Path.Combine(root, "tests", "units", "Pester", "Invoke-Tests.ps1"),
                ["-Path", Path.Combine(root, "tests", "*.Tests.ps1"), "-ResultPath", resultPath], home.FullName, timeout.Token);
            Assert.True(File.Exists(resultPath), $"Pester ended with {run.ExitCode} and left no result:\n{run.Output}");

            var json = await File.ReadAllTextAsync(resultPath, timeout.Token);
            var result = JsonSerializer.Deserialize<PesterResult>(json, JsonSerializerOptions.Web)!;
            Assert.True(result.Failed == 0, Describe(result));
            Assert.True(result.Passed > 0, $"Pester passed no test:\n{run.Output}");
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "IngestTools.sln")))
        {
            folder = Path.GetDirectoryName(folder)
                ?? throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} has IngestTools.sln.");
        }

        return folder;
    }

    private static string Describe(PesterResult result)
    {
        var text = new StringBuilder()
            .AppendLine(FormattableString.Invariant($"Pester: {result.Passed} passed, {result.Failed} failed, {result.Skipped} skipped"));
        foreach (var failure in result.Failures)
            text.AppendLine().AppendLine(failure.Name).AppendLine(failure.Message);
        return text.ToString();
    }

    /// <summary>What Invoke-Tests.ps1 writes.</summary>
    private sealed record PesterResult(int Passed, int Failed, int Skipped, IReadOnlyList<PesterFailure> Failures);

    private sealed record PesterFailure(string Name, string Message);
}

/// <summary>Tests that time things in processes of their own: nothing else runs while they do.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunsAlone
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Runs alone";
}
