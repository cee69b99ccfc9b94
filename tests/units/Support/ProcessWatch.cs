using System.Diagnostics;

namespace IngestTools.Units.Support;

/// <summary>
/// Ends the processes that tests started when the test run itself has ended, also when it was killed: a shell in a session of its own
/// reads a pipe from this process, and the end of the pipe is the end of the run. On Windows nothing is watched: there is no such shell.
/// </summary>
internal static class ProcessWatch
{
    /// <summary>
    /// Reads "add PID SIGNAL FOLDER" and "remove PID"; FOLDER may be missing. At the end, what was not removed is ended with all that it
    /// started, and its folder is deleted.
    /// </summary>
    private const string Script = """
        signals=() folders=()
        while read -r verb pid signal folder; do
            case $verb in
                add) signals[$pid]=$signal folders[$pid]=$folder ;;
                remove) unset "signals[$pid]" "folders[$pid]" ;;
            esac
        done
        descendants() {
            local child
            for child in $(cat /proc/"$1"/task/*/children 2> /dev/null || pgrep -P "$1"); do descendants "$child"; echo "$child"; done
        }
        for pid in "${!signals[@]}"; do
            started=$(descendants "$pid")
            kill -s "${signals[$pid]}" "$pid"
            for ((i = 0; i < 50; i++)); do kill -0 "$pid" && sleep 0.1 || break; done
            kill -s KILL "$pid" $started
            [ -z "${folders[$pid]}" ] || rm -rf -- "${folders[$pid]}"
        done 2> /dev/null
        """;

    private static readonly Lazy<StreamWriter?> Shell = new(() => OperatingSystem.IsWindows() ? null : Start());

    /// <summary>Watches a process from now on.</summary>
    /// <param name="process">The process.</param>
    /// <param name="signal">What ends it.</param>
    /// <param name="folder">A folder that is deleted after it.</param>
    public static void Add(Process process, string signal = "KILL", string folder = "") => Tell($"add {process.Id} {signal} {folder}");

    /// <summary>Forgets a process that has ended.</summary>
    public static void Remove(Process process) => Tell($"remove {process.Id}");

    private static void Tell(string line)
    {
        if (Shell.Value is not { } shell)
            return;
        lock (shell)
            shell.WriteLine(line);
    }

    private static StreamWriter Start()
    {
        // setsid keeps the shell from what is sent to the process group of the run.
        const string detach =
            "PATH=$PATH:/usr/bin:/bin; if command -v setsid > /dev/null; then exec setsid bash -c \"$1\"; else exec bash -c \"$1\"; fi";
        ProcessStartInfo start = new("/bin/bash", ["-c", detach, "bash", Script]) { RedirectStandardInput = true };
        StreamWriter shell = Process.Start(start)!.StandardInput;
        shell.AutoFlush = true;
        return shell;
    }
}
