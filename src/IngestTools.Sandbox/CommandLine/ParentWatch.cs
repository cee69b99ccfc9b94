using System.ComponentModel;
using System.Diagnostics;

namespace IngestTools.Sandbox.CommandLine;

/// <summary>Notices the end of the process that started the sandbox, which may have been killed without a chance to stop it.</summary>
internal sealed class ParentWatch
{
    /// <summary>Well below the second after which the sandbox has to be gone.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly int _id;
    private readonly DateTime _started;

    private ParentWatch(int id, DateTime started)
    {
        _id = id;
        _started = started;
    }

    /// <summary>Watches a process; null where there is none of this id.</summary>
    public static ParentWatch? Find(int id) => StartTime(id) is { } started ? new ParentWatch(id, started) : null;

    public async Task WaitForEndAsync(CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(Interval);
        while (StartTime(_id) == _started)
            await timer.WaitForNextTickAsync(cancellationToken);
    }

    /// <summary>Null when the process is gone. Its start tells it from a later process that was given the same id.</summary>
    private static DateTime? StartTime(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            return process.HasExited || IsZombie(id) ? null : process.StartTime;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }

    /// <summary>On Linux a process that has ended keeps its id until its own parent has asked for its exit code.</summary>
    private static bool IsZombie(int id)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        try
        {
            // "pid (name) state ..": the name may hold anything, so the last parenthesis is what counts.
            string status = File.ReadAllText($"/proc/{id}/stat");
            return status.AsSpan(status.LastIndexOf(')') + 2) is ['Z' or 'X', ..];
        }
        catch (IOException)
        {
            return true;
        }
    }
}
