using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using IngestTools.Connections;

namespace IngestTools.Units.Support;

/// <summary>
/// A device of the test's own, and never one of the machine: a node in a folder where the account may make one, else a terminal that nobody
/// else has.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal sealed class DeviceNode : IDisposable
{
    private readonly FileStream? _terminal;

    private DeviceNode(string path, FileStream? terminal)
    {
        Path = path;
        _terminal = terminal;
    }

    public string Path { get; }

    /// <summary>Whether it is still a device.</summary>
    public bool IsThere => File.Exists(Path) && FileAccount.IsRegularFile(Path) == false;

    /// <summary>Makes a device. Like the null device, a node takes what is written to it and keeps nothing.</summary>
    public static DeviceNode Make(string folder)
    {
        string path = System.IO.Path.Join(folder, "device");
        return OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && TryMakeNode(path)
            ? new DeviceNode(path, null)
            : OpenTerminal();
    }

    /// <summary>Makes a named pipe, to which nobody writes.</summary>
    public static void CreatePipe(string path)
    {
        using Process process = Process.Start("mkfifo", [path]);
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new IOException($"mkfifo {path} ended with {process.ExitCode}.");
    }

    public void Dispose() => _terminal?.Dispose();

    /// <summary>A container may forbid it to root too.</summary>
    private static bool TryMakeNode(string path)
    {
        using Process made = Process.Start(new ProcessStartInfo("mknod", [path, "c", "1", "3"]) { RedirectStandardError = true })!;
        made.WaitForExit();
        return made.ExitCode == 0;
    }

    private static DeviceNode OpenTerminal()
    {
        FileStream terminal = new("/dev/ptmx", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        byte[] name = new byte[128];
        int handle = (int)terminal.SafeFileHandle.DangerousGetHandle();
        if (GrantTerminal(handle) != 0 || UnlockTerminal(handle) != 0 || NameTerminal(handle, name, (nuint)name.Length) != 0)
            throw new InvalidOperationException("There is no terminal for the test.");
        return new DeviceNode(System.Text.Encoding.UTF8.GetString(name, 0, Array.IndexOf(name, (byte)0)), terminal);
    }

    [DllImport("libc", EntryPoint = "grantpt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GrantTerminal(int handle);

    [DllImport("libc", EntryPoint = "unlockpt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int UnlockTerminal(int handle);

    [DllImport("libc", EntryPoint = "ptsname_r")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NameTerminal(int handle, byte[] name, nuint length);
}
