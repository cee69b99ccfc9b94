using System.Runtime.InteropServices;
using System.Text;

namespace IngestTools.Connections;

/// <summary>
/// Says whether another account owns a file or folder, or can change it. What this library keeps for itself is not used then: another account could have
/// written what is read, and could read what is written.
/// </summary>
/// <remarks>
/// Unix only. On Windows the folders of this library lie in the account's own profile, which others cannot write unless its owner lets them.
/// </remarks>
internal static class FileAccount
{
    private const uint Root = 0;

    private const uint TypeMask = 0xF000;

    private const uint RegularFile = 0x8000;

    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Why a file and its folder must not be used, and what to do about it; null where nothing speaks against them, or they are not there.</summary>
    /// <param name="path">The full path of the file.</param>
    public static (string Reason, string Advice)? FindRisk(string path)
    {
        if (OperatingSystem.IsWindows())
            return null;
        string folder = Path.GetDirectoryName(path)!;
        if (Read(path) is { } file && (file.Mode & TypeMask) != RegularFile)
            return ("it is not a regular file", "Move it to another folder.");
        return RiskOf(folder, $"its folder {folder}") ?? RiskOf(path, "it");
    }

    /// <summary>Whether a path leads to a regular file; null where it leads nowhere, or that cannot be known here.</summary>
    /// <param name="path">The full path.</param>
    public static bool? IsRegularFile(string path) => !OperatingSystem.IsWindows() && Read(path) is { } file ? (file.Mode & TypeMask) == RegularFile : null;

    private static (string Reason, string Advice)? RiskOf(string path, string what)
    {
        if (Read(path) is not { } found)
            return null;
        uint account = CurrentAccount();
        // The administrator can change everything anyway.
        if (found.Owner != account && found.Owner != Root)
        {
            return (
                $"{what} belongs to another account (the one with the number {found.Owner}; this is {account})",
                "Use the account that it belongs to, or set INGESTTOOLS_HOME to a folder of this account.");
        }

        return ((UnixFileMode)(found.Mode & 0xFFF) & WritableByOthers) == 0 ? null : ($"other accounts can write to {what}", $"Run: chmod go-w '{path}'.");
    }

    /// <summary>Owner and mode of what a path leads to; null where it leads nowhere, or this system is not known.</summary>
    private static (uint Owner, uint Mode)? Read(string path) => OperatingSystem.IsLinux() ? ReadLinux(path) : OperatingSystem.IsMacOS() ? ReadMac(path) : null;

    /// <summary>statx(2): its structure is the same on every processor. It is called by number, since musl has a function for it only since 1.2.5.</summary>
    private static (uint Owner, uint Mode)? ReadLinux(string path)
    {
        nint? number = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 332,
            Architecture.X86 => 383,
            Architecture.Arm => 397,
            Architecture.Arm64 => 291,
            _ => null,
        };
        const nint WorkingFolder = -100;
        const nint TypeModeAndOwner = 0x1 | 0x2 | 0x8;
        const int Owner = 20;
        const int Mode = 28;
        byte[] answer = new byte[256];
        if (number is null || SystemCall(number.Value, WorkingFolder, NativeText(path), 0, TypeModeAndOwner, answer) != 0)
            return null;
        return (BitConverter.ToUInt32(answer, Owner), BitConverter.ToUInt16(answer, Mode));
    }

    /// <summary>stat(2) with 64-bit inodes: device 4, mode 2, links 2, inode 8, owner 4.</summary>
    private static (uint Owner, uint Mode)? ReadMac(string path)
    {
        const int Mode = 4;
        const int Owner = 16;
        byte[] answer = new byte[256];
        int result = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? StatX64(NativeText(path), answer) : Stat(NativeText(path), answer);
        return result == 0 ? (BitConverter.ToUInt32(answer, Owner), BitConverter.ToUInt16(answer, Mode)) : null;
    }

    private static byte[] NativeText(string text) => Encoding.UTF8.GetBytes(text + '\0');

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint CurrentAccount();

    [DllImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint SystemCall(nint number, nint folder, byte[] path, nint flags, nint mask, [Out] byte[] answer);

    [DllImport("libc", EntryPoint = "stat")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Stat(byte[] path, [Out] byte[] answer);

    [DllImport("libc", EntryPoint = "stat$INODE64")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int StatX64(byte[] path, [Out] byte[] answer);
}
