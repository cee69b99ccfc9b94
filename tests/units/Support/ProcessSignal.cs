using System.Runtime.InteropServices;
using Xunit;

namespace IngestTools.Units.Support;

/// <summary>Signals of Unix, without the program kill, which a small machine does not have.</summary>
internal static class ProcessSignal
{
    public const int Interrupt = 2;
    public const int Quit = 3;
    public const int Terminate = 15;

    // Their numbers differ between systems.
    public static readonly int Continue = OperatingSystem.IsMacOS() ? 19 : 18;
    public static readonly int Stop = OperatingSystem.IsMacOS() ? 17 : 19;

    public static void Send(int process, int signal) =>
        Assert.True(Kill(process, signal) == 0, $"Process {process} took no signal {signal}: error {Marshal.GetLastPInvokeError()}.");

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
