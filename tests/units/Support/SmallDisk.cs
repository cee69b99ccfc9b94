using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace IngestTools.Units.Support;

/// <summary>A file system in memory that a test can fill, on a folder of its own.</summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string path)
    {
        Path = path;
    }

    public string Path { get; }

    /// <summary>Mounts one; the test is skipped where this account cannot.</summary>
    public static SmallDisk Mount(string path, int kilobytes)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Only Linux has tmpfs.");
        Directory.CreateDirectory(path);
        (int code, string errors) = Run("mount", "-t", "tmpfs", "-o", Options(kilobytes), "ingesttools-test", path);
        Skip.If(code != 0, $"A file system cannot be mounted here: {errors}");
        return new SmallDisk(path);
    }

    public void Resize(int kilobytes)
    {
        (int code, string errors) = Run("mount", "-o", $"remount,{Options(kilobytes)}", Path);
        Assert.True(code == 0, errors);
    }

    /// <summary>
    /// Its folder is deleted with the test, so it must not stay mounted; a lazy unmount does not mind a file that is open.
    /// </summary>
    public void Dispose() => Run("umount", "-l", Path);

    private static string Options(int kilobytes) => string.Create(CultureInfo.InvariantCulture, $"size={kilobytes}k,mode=700");

    private static (int Code, string Errors) Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, errors);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }
}
