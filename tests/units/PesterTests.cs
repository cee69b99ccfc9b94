using System.Reflection;
using System.Text.Json;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units;

/// <summary>Brings Pester into <c>dotnet test</c>: stages the module as just built, runs tests/*.Tests.ps1 against it, and reports each of Pester's tests as one of its own.</summary>
[Collection(RunsAlone.Name)]
public sealed class PesterTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(15);

    private static readonly string Configuration =
        typeof(PesterTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    private static readonly string PesterVersion =
        typeof(PesterTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == nameof(PesterVersion)).Value!;

    /// <summary>Runs Pester. Where that fails, so does the test that asks for its results.</summary>
    public static IEnumerable<object[]> Results()
    {
        // Outside of xunit's own context, which this blocks.
        PesterRun run = Task.Run(RunPesterAsync).GetAwaiter().GetResult();
        return run.Tests.Select(test => new object[] { test with { Message = $"{test.Message}\nPester: {run.Summary}" } });
    }

    [SkippableTheory(DisplayName = "Pester")]
    [MemberData(nameof(Results), DisableDiscoveryEnumeration = true)]
    public void Pester_test_passes(PesterTest test)
    {
        ArgumentNullException.ThrowIfNull(test);
        Skip.If(test.Outcome == "Skipped", test.Message);
        Assert.True(test.Outcome == "Passed", test.Message);
    }

    private static async Task<PesterRun> RunPesterAsync()
    {
        string resultPath = Path.Join(Repository.Root, "out", "pester-result.json");
        Directory.CreateDirectory(Path.GetDirectoryName(resultPath)!);
        File.Delete(resultPath);
        DirectoryInfo home = Directory.CreateTempSubdirectory("ingesttools-pester-");
        using CancellationTokenSource timeout = new(Timeout);
        try
        {
            ProcessResult staging = await PowerShellProcess.RunScriptAsync(
                Path.Join(Repository.Root, "build.ps1"),
                ["-Task", "Build", "-SkipCompile", "-Configuration", Configuration], home.FullName, timeout.Token);
            Assert.True(staging.ExitCode == 0, $"build.ps1 did not stage the module:\n{staging.Output}");

            ProcessResult run = await PowerShellProcess.RunScriptAsync(
                Path.Join(Repository.Root, "tests", "units", "Pester", "Invoke-Tests.ps1"),
                ["-Path", Path.Join(Repository.Root, "tests", "*.Tests.ps1"), "-ResultPath", resultPath, "-PesterVersion", PesterVersion], home.FullName, timeout.Token);
            Assert.True(File.Exists(resultPath), $"Pester ended with {run.ExitCode} and left no result:\n{run.Output}");

            string json = await File.ReadAllTextAsync(resultPath, timeout.Token);
            PesterRun result = JsonSerializer.Deserialize<PesterRun>(json, JsonSerializerOptions.Web)!;
            Assert.True(result.Tests.Any(test => test.Outcome == "Passed"), $"Pester passed no test:\n{run.Output}");
            return result;
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }
}

/// <summary>What Invoke-Tests.ps1 writes.</summary>
internal sealed record PesterRun(string Summary, IReadOnlyList<PesterTest> Tests);

/// <summary>One of Pester's tests: Passed, Failed or Skipped, and why.</summary>
public sealed record PesterTest(string Name, string Outcome, string Message)
{
    /// <summary>The name by which xunit shows it.</summary>
    public override string ToString() => Name;
}

/// <summary>Tests that time things in processes of their own: nothing else runs while they do.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunsAlone
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Runs alone";
}
