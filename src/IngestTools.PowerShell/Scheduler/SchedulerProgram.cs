using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using IngestTools.PowerShell.Programs;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Scheduler;

/// <summary>How the daemon is started.</summary>
/// <param name="Folder">The folder of its store, its spool and its log.</param>
/// <param name="Socket">Where it listens.</param>
/// <param name="Program">The program; null takes the module's own.</param>
internal sealed record SchedulerLaunch(string Folder, string Socket, string? Program)
{
    /// <summary>The port of the page; null where it has none.</summary>
    public int? PagePort { get; init; }

    /// <summary>Where the runs of all schedules are reported; null where they are not.</summary>
    public string? NotifyUri { get; init; }

    /// <summary>Where the secret is kept that signs reports; null where none is signed.</summary>
    public string? NotifySecretFrom { get; init; }

    /// <summary>Its log.</summary>
    public string LogPath { get; } = SchedulerPlace.LogOf(Folder);

    /// <summary>What it writes to its error stream: why it did not start, and what its runtime says of a crash.</summary>
    public string ErrorPath { get; } = SchedulerPlace.ErrorsOf(Folder);
}

/// <summary>Starts the daemon as a process that outlives this one.</summary>
internal static class SchedulerProgram
{
    private const string Name = "ingest-scheduler";

    /// <summary>How much of the log an error shows.</summary>
    private const int MostShown = 2048;

    /// <summary>A cold start of .NET on a slow disk, with ten thousand schedules in the store, and then some.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    /// <summary>It ends within 10 s, and then its runtime does.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    /// <summary>Between two looks whether it answers.</summary>
    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// What the shell does: the daemon gets a session of its own, so that neither Ctrl+C nor the end of the terminal reaches it, a file of
    /// errors that only its owner can read, and a current folder that it does not hold for somebody else. setsid is part of every Linux,
    /// though not of every PATH; nohup is used without it.
    /// </summary>
    private const string Detach = """
        umask 077
        mkdir -p "$1" && cd "$1" || exit 1
        errors=$2
        shift 2
        if setsid=$(command -v setsid || command -v /usr/bin/setsid); then exec "$setsid" "$@" </dev/null >>"$errors" 2>&1; fi
        exec nohup "$@" </dev/null >>"$errors" 2>&1
        """;

    /// <summary>
    /// It waits most of the time, and is to stay small: a nursery of 2 MiB for the garbage collector, in place of one as large as the
    /// processor's cache, and one heap of the C library for all threads. Together they save a sixth with a thousand loads due. The runtime
    /// reads both before the program begins.
    /// </summary>
    private static readonly (string Name, string Value)[] Thrift = [("DOTNET_GCgen0size", "200000"), ("MALLOC_ARENA_MAX", "1")];

    /// <summary>The program that comes with the module. Where it is an assembly, the file to run is dotnet.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.FileNotFound"/></exception>
    internal static (string File, string? Assembly) Find() => ModuleProgram.Find("scheduler", Name, "IngestTools.Scheduler");

    /// <summary>
    /// Starts it, and waits until it answers. Where another one with this store began in the same moment, that one is waited for.
    /// </summary>
    /// <returns>The state of the one that runs, and whether it is the one that was started here.</returns>
    /// <exception cref="IngestException">
    /// <see cref="ErrorId.FileNotFound"/>; <see cref="ErrorId.ServerError"/>: it ended, and its log says why;
    /// <see cref="ErrorId.TimedOut"/>.
    /// </exception>
    internal static async Task<(SchedulerState State, bool IsOwn)> StartAsync(
        SchedulerLaunch launch,
        SchedulerClient client,
        CancellationToken cancellationToken
    )
    {
        long logged = LengthOf(launch.ErrorPath);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartLimit);
        using Process process = Launch(launch);
        Task<string> complaints = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            while (true)
            {
                (_, SchedulerState? state) = await LookAsync(client, limit.Token).ConfigureAwait(false);
                if (state is not null)
                    return (state, IsOf(process, state));
                if (process.HasExited && process.ExitCode != SchedulerPlace.RunsAlready)
                    throw Failed(
                        launch,
                        ErrorId.ServerError,
                        await ReasonAsync(launch, logged, complaints).WaitAsync(limit.Token).ConfigureAwait(false)
                    );
                await Task.Delay(LookPause, limit.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            if (cancellationToken.IsCancellationRequested)
                throw;
            throw Failed(launch, ErrorId.TimedOut, $"it did not answer within {StartLimit.TotalSeconds:0} seconds.", e);
        }
    }

    /// <summary>Whether a daemon is the process that was started: on Windows, a shell that started it.</summary>
    private static bool IsOf(Process process, SchedulerState state) =>
        OperatingSystem.IsWindows() ? !process.HasExited : process.Id == state.ProcessId;

    /// <summary>The state of the daemon that listens; null where none does.</summary>
    internal static async Task<SchedulerState?> TryGetStateAsync(SchedulerClient client, CancellationToken cancellationToken)
    {
        try
        {
            return await client.GetStateAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.SchedulerNotRunning)
        {
            return null;
        }
    }

    /// <summary>Lets the daemon end, and waits until it has.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.TimedOut"/></exception>
    internal static async Task StopAsync(SchedulerClient client, SchedulerState state, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StopLimit);
        using Process? process = FindProcess(state.ProcessId);
        try
        {
            await client.ShutDownAsync(limit.Token).ConfigureAwait(false);
            while ((await LookAsync(client, limit.Token).ConfigureAwait(false)).Listens)
                await Task.Delay(LookPause, limit.Token).ConfigureAwait(false);

            // It lets go of its store with its last breath: until then no other can begin.
            if (process is not null)
                await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IngestException(
                ErrorId.TimedOut,
                $"The scheduler, process {state.ProcessId}, has not ended within {StopLimit.TotalSeconds:0} seconds.",
                e
            )
            {
                Advice = "Look at its log. If it does not respond, end its process: it knows what it has sent, and does not send it again.",
            };
        }
    }

    /// <summary>Whether a daemon listens, and its state. One that begins or ends in this moment breaks off its answer.</summary>
    private static async Task<(bool Listens, SchedulerState? State)> LookAsync(SchedulerClient client, CancellationToken cancellationToken)
    {
        try
        {
            SchedulerState? state = await TryGetStateAsync(client, cancellationToken).ConfigureAwait(false);
            return (state is not null, state);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.ConnectionFailed)
        {
            return (true, null);
        }
    }

    /// <summary>The daemon's process; null where it is gone, or in a container of its own.</summary>
    private static Process? FindProcess(int? id)
    {
        try
        {
            return id is { } known ? Process.GetProcessById(known) : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static Process Launch(SchedulerLaunch launch)
    {
        (string file, string? assembly) = launch.Program switch
        {
            null => Find(),
            { } given when given.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) => ("dotnet", given),
            { } given => (given, null),
        };
        string[] command =
        [
            file,
            .. assembly is null ? (string[])[] : [assembly],
            "run",
            "--store",
            launch.Folder,
            "--socket",
            launch.Socket,
            "--log",
            launch.LogPath,
            .. Option("--page", launch.PagePort?.ToString(CultureInfo.InvariantCulture)),
            .. Option("--notify", launch.NotifyUri),
            .. Option("--notify-secret-from", launch.NotifySecretFrom),
        ];
        ProcessStartInfo start = OperatingSystem.IsWindows() ? OnWindows(command, launch) : OnUnix(command, launch);

        // With a stream of its own for each, the terminal is not set up for a child that will never use it.
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.CreateNoWindow = true;
        foreach ((string name, string value) in Thrift)
            start.Environment.TryAdd(name, value);
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw Failed(launch, ErrorId.FileNotFound, $"{start.FileName} cannot be run: {e.Message}", e);
        }
    }

    private static string[] Option(string name, string? value) => value is null ? [] : [name, value];

    private static ProcessStartInfo OnUnix(string[] command, SchedulerLaunch launch)
    {
        ProcessStartInfo start = new("/bin/sh");
        foreach (string argument in (string[])["-c", Detach, Name, launch.Folder, launch.ErrorPath, .. command])
            start.ArgumentList.Add(argument);
        return start;
    }

    /// <summary>
    /// A process without a window has a console of its own there, and outlives its parent anyway; the shell is for the errors.
    /// </summary>
    private static ProcessStartInfo OnWindows(string[] command, SchedulerLaunch launch)
    {
        Directory.CreateDirectory(launch.Folder);
        string quoted = string.Join(
            ' ',
            command.Append(launch.ErrorPath).Select((part, i) => (i == command.Length ? ">> " : "") + $"\"{part}\"")
        );
        return new ProcessStartInfo("cmd.exe") { Arguments = $"/d /s /c \"{quoted} 2>&1\"" };
    }

    private static long LengthOf(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <summary>What it wrote to its error stream before it ended, and what the shell said.</summary>
    private static async Task<string> ReasonAsync(SchedulerLaunch launch, long logged, Task<string> complaints)
    {
        StringBuilder said = new(await complaints.ConfigureAwait(false));
        if (File.Exists(launch.ErrorPath))
        {
            using FileStream log = new(launch.ErrorPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            log.Position = Math.Clamp(log.Length - MostShown, logged, log.Length);
            using StreamReader reader = new(log, Encoding.UTF8);
            said.Append(await reader.ReadToEndAsync().ConfigureAwait(false));
        }

        string reason = said.ToString().Trim();
        return reason.Length == 0 ? "it ended, and said nothing." : $"it ended, and said: {reason}";
    }

    private static IngestException Failed(SchedulerLaunch launch, ErrorId errorId, string why, Exception? cause = null) =>
        new(errorId, $"The scheduler did not start: {why}", cause)
        {
            Advice =
                $"It needs the .NET 10 runtime, and its folder for itself. Its log is {launch.LogPath}, and its errors are in "
                + $"{launch.ErrorPath}.",
            Target = launch.Folder,
        };
}
