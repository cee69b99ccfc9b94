using System.Reflection;
using System.Text.Json;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units;

/// <summary>
/// Brings Pester into <c>dotnet test</c>: stages the module as just built, runs tests/*.Tests.ps1 against it, and reports each of Pester's
/// tests as one of its own.
/// </summary>
[Collection(RunsAlone.Name)]
[Trait("kind", "process")]
public sealed class PesterTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(15);

    /// <summary>Processes that run test files at once. Most of a file's time is spent waiting for other processes.</summary>
    private const int Processes = 2;

    private static readonly string Configuration = typeof(PesterTests)
        .Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!
        .Configuration;

    private static readonly string PesterVersion = typeof(PesterTests)
        .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(data => data.Key == nameof(PesterVersion))
        .Value!;

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
                ["-Task", "Build", "-SkipCompile", "-Configuration", Configuration],
                home.FullName,
                timeout.Token
            );
            Assert.True(staging.ExitCode == 0, $"build.ps1 did not stage the module:\n{staging.Output}");

            string claims = home.CreateSubdirectory("claims").FullName;
            PesterRun[] runs = await Task.WhenAll(
                Enumerable.Range(1, Processes).Select(number => RunTestsAsync(number, claims, home.FullName, timeout.Token))
            );
            PesterRun result = PesterRun.Of([.. runs.SelectMany(run => run.Tests)]);
            await File.WriteAllTextAsync(resultPath, JsonSerializer.Serialize(result, JsonSerializerOptions.Web), timeout.Token);
            return result;
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    /// <summary>Runs the test files that no other process has claimed.</summary>
    private static async Task<PesterRun> RunTestsAsync(int number, string claims, string home, CancellationToken cancellationToken)
    {
        string resultPath = Path.Join(home, $"result-{number}.json");
        ProcessResult run = await PowerShellProcess.RunScriptAsync(
            Path.Join(Repository.Root, "tests", "units", "Pester", "Invoke-Tests.ps1"),
            [
                "-Path",
                Path.Join(Repository.Root, "tests", "*.Tests.ps1"),
                "-ResultPath",
                resultPath,
                "-PesterVersion",
                PesterVersion,
                "-ClaimFolder",
                claims,
            ],
            home,
            cancellationToken
        );
        Assert.True(File.Exists(resultPath), $"Pester ended with {run.ExitCode} and left no result:\n{run.Output}");

        string json = await File.ReadAllTextAsync(resultPath, cancellationToken);
        PesterRun result = JsonSerializer.Deserialize<PesterRun>(json, JsonSerializerOptions.Web)!;
        Assert.True(result.Tests.Any(test => test.Outcome == "Passed"), $"Pester passed no test:\n{run.Output}");
        return result;
    }
}

/// <summary>What Invoke-Tests.ps1 writes.</summary>
internal sealed record PesterRun(string Summary, IReadOnlyList<PesterTest> Tests)
{
    /// <summary>The tests of several processes as one run.</summary>
    public static PesterRun Of(IReadOnlyList<PesterTest> tests)
    {
        return new PesterRun($"{Count("Passed")} passed, {Count("Failed")} failed, {Count("Skipped")} skipped", tests);

        int Count(string outcome) => tests.Count(test => test.Outcome == outcome);
    }
}

/// <summary>One of Pester's tests: Passed, Failed or Skipped, and why.</summary>
public sealed record PesterTest(string Name, string Outcome, string Message)
{
    /// <summary>The name by which xunit shows it.</summary>
    public override string ToString() => Name;
}

/// <summary>Tests that time things in processes of their own: no other test of xunit runs while they do.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunsAlone
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Runs alone";
}
