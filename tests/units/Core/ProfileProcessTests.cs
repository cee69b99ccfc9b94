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
    [Fact]
    public async Task Profiles_that_several_processes_save_at_the_same_time_are_all_kept()
    {
        const int Count = 25;
        using TemporaryFolder folder = new();
        string home = Path.Join(folder.Path, "home");
        Process[] processes = [.. new[] { "a", "b", "c", "d" }.Select(prefix => Start(home, prefix, Count))];
        try
        {
            foreach (Process process in processes)
                Assert.Equal("ready", await process.StandardOutput.ReadLineAsync());
            // All of them wait for this line, so that they save side by side.
            foreach (Process process in processes)
                await process.StandardInput.WriteLineAsync();

            foreach (Process process in processes)
                Assert.Equal("done", await process.StandardOutput.ReadLineAsync());
        }
        finally
        {
            foreach (Process process in processes)
            {
                process.StandardInput.Close();
                await process.WaitForExitAsync();
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

    private static Process Start(string home, string prefix, int count) =>
        Process.Start(
            new ProcessStartInfo(
                "dotnet",
                [typeof(ProfileProgram).Assembly.Location, ProfileProgram.Name, home, prefix, count.ToString(CultureInfo.InvariantCulture)]
            )
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            }
        )!;
}
