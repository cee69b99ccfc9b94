using System.Diagnostics;
using System.Globalization;
using IngestTools.Connections;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Several processes with one file of saved connections.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class ProfileProcessTests
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Profiles_that_several_processes_save_at_the_same_time_are_all_kept()
    {
        const int Count = 25;
        using TemporaryFolder folder = new();
        string home = Path.Join(folder.Path, "home");
        List<Process> processes = [.. new[] { "a", "b", "c", "d" }.Select(prefix => Start(home, prefix, Count))];
        using CancellationTokenSource limit = new(TimeLimit);
        try
        {
            foreach (Process process in processes)
                Assert.Equal("ready", await process.StandardOutput.ReadLineAsync(limit.Token));
            // All of them wait for this line, so that they save side by side.
            foreach (Process process in processes)
                await process.StandardInput.WriteLineAsync();

            foreach (Process process in processes)
                Assert.Equal("done", await process.StandardOutput.ReadLineAsync(limit.Token));
        }
        finally
        {
            foreach (Process process in processes)
            {
                process.Kill();
                ProcessWatch.Remove(process);
                process.Dispose();
            }
        }

        string[] expected =
        [
            .. new[] { "a", "b", "c", "d" }
                .SelectMany(prefix => Enumerable.Range(0, Count).Select(i => $"{prefix} {i}"))
                .Order(StringComparer.OrdinalIgnoreCase),
        ];
        Assert.Equal(expected, new ProfileStore(home).Read().Select(profile => profile.Name));
    }

    private static Process Start(string home, string prefix, int count)
    {
        Process process = Process.Start(
            new ProcessStartInfo(
                "dotnet",
                [typeof(ProfileProgram).Assembly.Location, ProfileProgram.Name, home, prefix, count.ToString(CultureInfo.InvariantCulture)]
            )
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            }
        )!;
        ProcessWatch.Add(process);
        return process;
    }
}
