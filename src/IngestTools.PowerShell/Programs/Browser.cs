using System.ComponentModel;
using System.Diagnostics;

namespace IngestTools.PowerShell.Programs;

/// <summary>The browser of this machine's session.</summary>
internal static class Browser
{
    /// <summary>Variables that name a display on Linux.</summary>
    private static readonly string[] Displays = ["WAYLAND_DISPLAY", "DISPLAY"];

    /// <summary>What the starter and the browser say is not for this terminal.</summary>
    private const string Quietly = "exec \"$0\" \"$1\" </dev/null >/dev/null 2>&1";

    /// <summary>Opens an address; false where this session has no display or no program that opens addresses.</summary>
    internal static bool TryOpen(Uri address)
    {
        if (CreateStart(address) is not { } start)
            return false;
        try
        {
            Process.Start(start)?.Dispose();
            return true;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static ProcessStartInfo? CreateStart(Uri address)
    {
        if (OperatingSystem.IsWindows())
            return Environment.UserInteractive ? new ProcessStartInfo(address.AbsoluteUri) { UseShellExecute = true } : null;
        if (!OperatingSystem.IsMacOS() && !Displays.Any(name => Environment.GetEnvironmentVariable(name) is { Length: > 0 }))
            return null;
        if (FindProgram(OperatingSystem.IsMacOS() ? "open" : "xdg-open") is not { } program)
            return null;
        ProcessStartInfo start = new("/bin/sh");
        foreach (string argument in (string[])["-c", Quietly, program, address.AbsoluteUri])
            start.ArgumentList.Add(argument);
        return start;
    }

    private static string? FindProgram(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
}
