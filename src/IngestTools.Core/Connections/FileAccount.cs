using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace IngestTools.Connections;

/// <summary>
/// Says whether another account owns a file or folder, or can change it. What this library keeps for itself, and what secrets are read
/// from, is not used then: another account could have written what is read, and could read what is written.
/// </summary>
/// <remarks>
/// Unix looks at the owner and at the mode, Windows at the owner and at the access list (<see cref="WindowsFileAccount"/>). What belongs to
/// the administrator is trusted: the administrator can change everything anyway.
/// </remarks>
public static class FileAccount
{
    private const uint Root = 0;

    private const uint TypeMask = 0xF000;

    private const uint RegularFile = 0x8000;

    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Why a file and its folder must not be used; null where nothing speaks against them, or they are not there.</summary>
    /// <param name="path">The full path of the file.</param>
    /// <param name="allowsSticky">
    /// Whether a folder such as /tmp will do, where others can make files and cannot remove or replace those of this account. It does for a
    /// file that is opened by its own name, and not for one with companions, such as a database.
    /// </param>
    public static FileRisk? FindRisk(string path, bool allowsSticky = false)
    {
        ArgumentNullException.ThrowIfNull(path);
        string folder = Path.GetDirectoryName(path)!;
        if (!OperatingSystem.IsWindows() && ReadUnix(path) is { } file && (file.Mode & TypeMask) != RegularFile)
            return new FileRisk("it is not a regular file", "Move it to another folder.");
        return FindRiskOfFolder(folder, $"its folder {folder}", allowsSticky) ?? FindRiskOf(path, "it");
    }

    /// <summary>Whether a path leads to a regular file; null where it leads nowhere, or that cannot be known here.</summary>
    /// <param name="path">The full path.</param>
    public static bool? IsRegularFile(string path) =>
        !OperatingSystem.IsWindows() && ReadUnix(path) is { } file ? (file.Mode & TypeMask) == RegularFile : null;

    /// <summary>
    /// Device and inode of what a path leads to: another file of the same name has another. Null where that is not known.
    /// </summary>
    /// <param name="path">The full path.</param>
    public static string? ReadIdentity(string path)
    {
        byte[] answer = new byte[256];
        if (OperatingSystem.IsLinux() && ReadLinux(WorkingFolder, path, flags: 0, Inode, answer))
        {
            const int inode = 32;
            const int major = 136;
            const int minor = 140;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{BitConverter.ToUInt32(answer, major)}:{BitConverter.ToUInt32(answer, minor)}:{BitConverter.ToUInt64(answer, inode)}"
            );
        }

        if (OperatingSystem.IsMacOS() && ReadMac(path, answer))
        {
            const int inode = 8;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{BitConverter.ToUInt32(answer, 0)}:{BitConverter.ToUInt64(answer, inode)}"
            );
        }

        return null;
    }

    /// <summary>Why a folder must not be used; null where nothing speaks against it, or it is not there.</summary>
    /// <param name="folder">The full path of the folder.</param>
    public static FileRisk? FindRiskOfFolder(string folder) => FindRiskOfFolder(folder, "it", allowsSticky: false);

    /// <summary>
    /// Opens a file to read it, and refuses it as <see cref="FindRisk"/> does. Owner and mode are those of the opened file, so that what is
    /// read is what was looked at, whatever becomes of its name meanwhile.
    /// </summary>
    /// <param name="path">The full path of the file.</param>
    /// <param name="refuse">Makes the error of a file that is refused.</param>
    internal static FileStream OpenTrusted(string path, Func<FileRisk, Exception> refuse)
    {
        // First by name: to open a pipe waits until somebody writes to it. A file that is not there says so when it is opened.
        if (Path.Exists(path) && FindRisk(path, allowsSticky: true) is { } unopened)
            throw refuse(unopened);
        FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            return FindRiskOf(file, path) is { } risk ? throw refuse(risk) : file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Why an opened file must not be used, whatever its name leads to by now.</summary>
    internal static FileRisk? FindRiskOf(FileStream file, string path)
    {
        if (OperatingSystem.IsWindows())
            return WindowsFileAccount.FindRisk(file, path);
        return ReadUnix(file.SafeFileHandle) is { } found ? RiskOf(found, path, "it", isSticky: false) : null;
    }

    private static FileRisk? FindRiskOfFolder(string folder, string what, bool allowsSticky)
    {
        if (OperatingSystem.IsWindows())
            return WindowsFileAccount.FindRisk(new DirectoryInfo(folder), what);
        return ReadUnix(folder) is { } found
            ? RiskOf(found, folder, what, allowsSticky && ((UnixFileMode)found.Mode & UnixFileMode.StickyBit) != 0)
            : null;
    }

    private static FileRisk? FindRiskOf(string path, string what)
    {
        if (OperatingSystem.IsWindows())
            return WindowsFileAccount.FindRisk(new FileInfo(path), what);
        return ReadUnix(path) is { } found ? RiskOf(found, path, what, isSticky: false) : null;
    }

    private static FileRisk? RiskOf((uint Owner, uint Mode) found, string path, string what, bool isSticky)
    {
        uint account = CurrentAccount();
        if (found.Owner != account && found.Owner != Root)
        {
            return new FileRisk(
                $"{what} belongs to another account ({NameOf(found.Owner)}; this is {NameOf(account)})",
                $"Use the account that it belongs to, or run as root: chown {account} '{path}'."
            );
        }

        return isSticky || ((UnixFileMode)(found.Mode & 0xFFF) & WritableByOthers) == 0
            ? null
            : new FileRisk($"other accounts can write to {what}", $"Run: chmod go-w '{path}'.");
    }

    /// <summary>
    /// The name that this machine's own list has for an account, with its number; the number alone for accounts from elsewhere.
    /// </summary>
    private static string NameOf(uint account)
    {
        string number = account.ToString(CultureInfo.InvariantCulture);
        try
        {
            string? name = File.ReadLines("/etc/passwd")
                .Select(line => line.Split(':'))
                .FirstOrDefault(parts => parts.Length > 2 && parts[2] == number)
                ?[0];
            return name is null ? $"number {number}" : $"{Http.Redaction.EscapeControls(name)}, number {number}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"number {number}";
        }
    }

    /// <summary>Owner and mode of what a path leads to; null where it leads nowhere, or this system is not known.</summary>
    private static (uint Owner, uint Mode)? ReadUnix(string path) =>
        OperatingSystem.IsLinux() ? ReadLinux(WorkingFolder, path, flags: 0)
        : OperatingSystem.IsMacOS() ? ReadMac(path)
        : null;

    /// <summary>Owner and mode of an opened file; null where this system is not known.</summary>
    private static (uint Owner, uint Mode)? ReadUnix(SafeFileHandle file)
    {
        bool isHeld = false;
        try
        {
            file.DangerousAddRef(ref isHeld);
            const nint EmptyPath = 0x1000;
            return OperatingSystem.IsLinux() ? ReadLinux(file.DangerousGetHandle(), "", EmptyPath)
                : OperatingSystem.IsMacOS() ? ReadMac(file)
                : null;
        }
        finally
        {
            if (isHeld)
                file.DangerousRelease();
        }
    }

    /// <summary>AT_FDCWD: a path that is not full begins at the working folder.</summary>
    private const nint WorkingFolder = -100;

    /// <summary>
    /// statx(2): its structure is the same on every processor. It is called by number, since musl has a function for it only since 1.2.5.
    /// </summary>
    private static bool ReadLinux(nint folder, string path, nint flags, nint mask, byte[] answer)
    {
        nint? number = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 332,
            Architecture.X86 => 383,
            Architecture.Arm => 397,
            Architecture.Arm64 => 291,
            _ => null,
        };
        return number is not null && SystemCall(number.Value, folder, NativeText(path), flags, mask, answer) == 0;
    }

    /// <summary>STATX_INO.</summary>
    private const nint Inode = 0x100;

    private static (uint Owner, uint Mode)? ReadLinux(nint folder, string path, nint flags)
    {
        const nint TypeModeAndOwner = 0x1 | 0x2 | 0x8;
        const int Owner = 20;
        const int Mode = 28;
        byte[] answer = new byte[256];
        return ReadLinux(folder, path, flags, TypeModeAndOwner, answer)
            ? (BitConverter.ToUInt32(answer, Owner), BitConverter.ToUInt16(answer, Mode))
            : null;
    }

    private static (uint Owner, uint Mode)? ReadMac(string path)
    {
        byte[] answer = new byte[256];
        return ReadMac(path, answer) ? MacAnswer(answer) : null;
    }

    private static bool ReadMac(string path, byte[] answer) =>
        RuntimeInformation.ProcessArchitecture == Architecture.X64
            ? StatX64(NativeText(path), answer) == 0
            : Stat(NativeText(path), answer) == 0;

    private static (uint Owner, uint Mode)? ReadMac(SafeFileHandle file)
    {
        byte[] answer = new byte[256];
        int result = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? StatX64(file, answer) : Stat(file, answer);
        return result == 0 ? MacAnswer(answer) : null;
    }

    /// <summary>stat(2) with 64-bit inodes: device 4, mode 2, links 2, inode 8, owner 4.</summary>
    private static (uint Owner, uint Mode) MacAnswer(byte[] answer)
    {
        const int Mode = 4;
        const int Owner = 16;
        return (BitConverter.ToUInt32(answer, Owner), BitConverter.ToUInt16(answer, Mode));
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

    [DllImport("libc", EntryPoint = "fstat")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Stat(SafeFileHandle file, [Out] byte[] answer);

    [DllImport("libc", EntryPoint = "fstat$INODE64")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int StatX64(SafeFileHandle file, [Out] byte[] answer);
}
