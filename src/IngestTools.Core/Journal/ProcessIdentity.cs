using System.Diagnostics;
using System.Globalization;

namespace IngestTools.Journal;

/// <summary>
/// Identifies a process of this machine across the reuse of its number. A number alone would take another process, after a restart or
/// later, for the one that was meant.
/// </summary>
internal static class ProcessIdentity
{
    /// <summary>This process: its number, and what no other process of that number has.</summary>
    public static (int Number, string Start) Current { get; } = (Environment.ProcessId, ReadStart(Environment.ProcessId) ?? "");

    /// <summary>The machine's name. Only processes of the same machine can be looked up.</summary>
    public static string Machine => Environment.MachineName;

    /// <summary>Whether a process of this machine is still there.</summary>
    public static bool IsAlive(int number, string start) => ReadStart(number) is { } found && found == start;

    /// <summary>
    /// Whether a process of this machine is there and is not stopped. One that is stopped, by Ctrl+Z or SIGSTOP, does nothing until it is
    /// continued.
    /// </summary>
    public static bool IsActive(int number, string start) =>
        IsAlive(number, start) && !(OperatingSystem.IsLinux() && ReadLinuxState(number) is "T" or "t");

    /// <summary>When a process began, in a form that does not change while it lives; null where there is no such process.</summary>
    private static string? ReadStart(int number)
    {
        // On Linux the clock is not asked: setting it changes what .NET reports as the start time.
        if (OperatingSystem.IsLinux())
            return ReadLinuxStart(number);
        try
        {
            using Process process = Process.GetProcessById(number);
            return process.StartTime.ToUniversalTime().Ticks.ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    /// <summary>proc(5): field 3 of /proc/[pid]/stat is T for a process that is stopped; null where there is no such process.</summary>
    private static string? ReadLinuxState(int number) => ReadLinuxFields(number)?[0];

    /// <summary>proc(5): field 22 of /proc/[pid]/stat counts clock ticks since the machine's start, which the boot id names.</summary>
    private static string? ReadLinuxStart(int number)
    {
        // A zombie has ended, and only its parent has not noticed.
        if (ReadLinuxFields(number) is not { } fields || fields[0] is "Z" or "X")
            return null;
        return $"{fields[19]}/{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()}";
    }

    /// <summary>The fields behind the program's name, which may have spaces in it.</summary>
    private static string[]? ReadLinuxFields(int number)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{number}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
