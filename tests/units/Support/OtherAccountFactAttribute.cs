using System.Runtime.InteropServices;
using Xunit;

namespace IngestTools.Units.Support;

/// <summary>A fact that needs another account on the machine: only root on Linux can be one for a moment.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OtherAccountFactAttribute : FactAttribute
{
    public OtherAccountFactAttribute()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root" || OtherAccount.SetUserIds is null)
            Skip = "Only root on Linux can listen as another account.";
    }
}

/// <summary>Does something as another account.</summary>
internal static class OtherAccount
{
    private const nint Nobody = 65534;
    private const nint Unchanged = -1;

    /// <summary>The number of the system call setresuid, which changes the account of one thread; that of libc changes all.</summary>
    internal static nint? SetUserIds => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 117,
        Architecture.Arm64 => 147,
        _ => null,
    };

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
