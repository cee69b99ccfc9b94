using System.Diagnostics;
using System.Text;

namespace IngestTools.Units.Support;

/// <summary>
/// The PowerShell that .config/dotnet-tools.json names, whatever else is installed: run to its end, with nobody at its keyboard and nothing
/// of the user's settings. The tests start PowerShell here and nowhere else.
/// </summary>
internal static class PowerShellProcess
{
    // What would make a test speak to the user's own servers, or from the user's own profiles.
    private static readonly string[] UserSettings = ["INGESTTOOLS_", "ICAV2_", "LAKECTL_"];

    private static readonly string Dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    private static readonly Lazy<Task<ProcessResult>> Restored = new(() =>
        RunAsync(
            ["tool", "restore", "--tool-manifest", Path.Join(Repository.Root, ".config", "dotnet-tools.json")],
            Environment.CurrentDirectory,
            CancellationToken.None
        )
    );

    /// <summary>The folder of the modules that come with the tests: Pester.</summary>
    private static string ModuleFolder => Path.Join(AppContext.BaseDirectory, "modules");

    /// <summary>Runs a script file.</summary>
    /// <param name="script">The script.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="home">Where the module keeps its configuration.</param>
    /// <param name="cancellationToken">Kills the process and all that it started.</param>
    /// <exception cref="InvalidOperationException">PowerShell cannot be restored.</exception>
    /// <exception cref="TimeoutException">It was killed; the message has what it printed.</exception>
    public static async Task<ProcessResult> RunScriptAsync(
        string script,
        string[] arguments,
        string home,
        CancellationToken cancellationToken
    )
    {
        ProcessResult restored = await Restored.Value.WaitAsync(cancellationToken);
        if (restored.ExitCode != 0)
            throw new InvalidOperationException($"`dotnet tool restore` could not fetch PowerShell:\n{restored.Output}");
        return await RunAsync(
            ["tool", "run", "pwsh", "--", "-NoProfile", "-NonInteractive", "-File", script, .. arguments],
            home,
            cancellationToken
        );
    }

    private static async Task<ProcessResult> RunAsync(string[] arguments, string home, CancellationToken cancellationToken)
    {
        // A local tool is found from the folder that the command runs in.
        ProcessStartInfo start = new(Dotnet, arguments)
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (string name in start.Environment.Keys.Where(IsUserSetting).ToList())
            start.Environment.Remove(name);
        start.Environment["INGESTTOOLS_HOME"] = home;
        start.Environment["NO_COLOR"] = "1";
        start.Environment["POWERSHELL_TELEMETRY_OPTOUT"] = "1";
        start.Environment["PSModulePath"] = string.Join(
            Path.PathSeparator,
            new[] { ModuleFolder, Environment.GetEnvironmentVariable("PSModulePath") }.Where(folder => !string.IsNullOrEmpty(folder))
        );

        // Both streams are read as they come, or a full pipe would stop the child for ever.
        StringBuilder output = new();
        void Append(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is null)
                return;
            lock (output)
                output.AppendLine(line.Data);
        }

        using Process process = new() { StartInfo = start };
        process.OutputDataReceived += Append;
        process.ErrorDataReceived += Append;
        process.Start();
        ProcessWatch.Add(process);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"dotnet {string.Join(' ', arguments)} took too long, and was killed. It had printed:\n{Text()}");
        }
        finally
        {
            ProcessWatch.Remove(process);
        }

        return new ProcessResult(process.ExitCode, Text());

        string Text()
        {
            lock (output)
                return output.ToString().TrimEnd();
        }
    }

    private static bool IsUserSetting(string name) =>
        UserSettings.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}

/// <summary>How a process ended, and what it printed on both streams.</summary>
internal sealed record ProcessResult(int ExitCode, string Output);
