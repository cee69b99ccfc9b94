using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace IngestTools.Units.Support;

/// <summary>A fact that needs another account on the machine: only root on Linux can be one for a moment.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OtherAccountFactAttribute : FactAttribute
{
    public OtherAccountFactAttribute()
    {
        if (!OtherAccount.IsAvailable)
            Skip = "Only root on Linux can listen as another account.";
    }
}

/// <summary>Does something as another account.</summary>
internal static class OtherAccount
{
    private const nint Nobody = 65534;
    private const nint Unchanged = -1;

    internal static bool IsAvailable => OperatingSystem.IsLinux() && Environment.UserName == "root" && SetUserIds is not null;

    /// <summary>The number of the system call setresuid, which changes the account of one thread; that of libc changes all.</summary>
    internal static nint? SetUserIds =>
        RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 117,
            Architecture.Arm64 => 147,
            _ => null,
        };

    /// <summary>Makes a file or folder that of another account.</summary>
    internal static void Give(string path)
    {
        using Process changed = Process.Start("chown", ["65534", path]);
        changed.WaitForExit();
        Assert.Equal(0, changed.ExitCode);
    }

    /// <summary>Runs on a thread of its own, which is the other account for as long.</summary>
    internal static T Run<T>(Func<T> work)
    {
        T result = default!;
        Thread thread = new(() =>
        {
            Assert.Equal(0, SystemCall(SetUserIds!.Value, Unchanged, Nobody, Unchanged));
            try
            {
                result = work();
            }
            finally
            {
                _ = SystemCall(SetUserIds!.Value, Unchanged, 0, Unchanged);
            }
        });
        thread.Start();
        thread.Join();
        return result;
    }

    [DllImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint SystemCall(nint number, nint real, nint effective, nint saved);
}
