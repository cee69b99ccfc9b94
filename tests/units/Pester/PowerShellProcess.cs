using System.Diagnostics;
using System.Text;
using IngestTools.Units.Support;

namespace IngestTools.Units;

/// <summary>A PowerShell that runs to its end, with nobody at its keyboard and nothing of the user's settings.</summary>
internal static class PowerShellProcess
{
    // What would make a test speak to the user's own servers, or from the user's own profiles.
    private static readonly string[] UserSettings = ["INGESTTOOLS_", "ICAV2_", "LAKECTL_"];

    /// <summary>pwsh, as PATH has it; null where it does not.</summary>
    public static string? Path { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(System.IO.Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => System.IO.Path.Combine(folder, OperatingSystem.IsWindows() ? "pwsh.exe" : "pwsh"))
        .FirstOrDefault(File.Exists);

    /// <summary>Runs a script file.</summary>
    public static Task<ProcessResult> RunScriptAsync(string script, string[] arguments, string home, CancellationToken cancellationToken) =>
        RunAsync(["-File", script, .. arguments], home, cancellationToken);

    /// <summary>Runs pwsh.</summary>
    /// <param name="arguments">After -NoProfile -NonInteractive.</param>
    /// <param name="home">Where the module keeps its configuration.</param>
    /// <param name="cancellationToken">Kills the process and all that it started.</param>
    /// <exception cref="TimeoutException">It was killed; the message has what it printed.</exception>
    public static async Task<ProcessResult> RunAsync(string[] arguments, string home, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Path!, ["-NoProfile", "-NonInteractive", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var name in start.Environment.Keys.Where(IsUserSetting).ToList())
            start.Environment.Remove(name);
        start.Environment["INGESTTOOLS_HOME"] = home;
        start.Environment["NO_COLOR"] = "1";
        start.Environment["POWERSHELL_TELEMETRY_OPTOUT"] = "1";

        // Both streams are read as they come, or a full pipe would stop the child for ever.
        var output = new StringBuilder();
        void Append(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is null)
                return;
            lock (output)
                output.AppendLine(line.Data);
        }

        using var process = new Process { StartInfo = start };
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
            throw new TimeoutException($"pwsh {string.Join(' ', arguments)} took too long, and was killed. It had printed:\n{Text()}");
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
