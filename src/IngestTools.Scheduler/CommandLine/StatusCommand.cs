using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.CommandLine;

/// <summary>Shows the state of the daemon, with the exit codes of monitoring plug-ins.</summary>
internal static class StatusCommand
{
    private const int Well = 0;

    private const int Warning = 1;

    private const int Critical = 2;

    private const int Unknown = 3;

    /// <summary>A monitoring system waits ten seconds as a rule.</summary>
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(8);

    public static Command Create()
    {
        Option<bool> json = new("--json") { Description = "Prints JSON." };
        Option<string?> socket = SchedulerCommands.SocketOption("Where the scheduler listens.");
        Command command = new(
            "status",
            "Shows the state of the scheduler, for people and for monitoring. Exit codes: 0 OK, 1 runs of the last day did not succeed, "
                + "2 not running, not answering or in trouble, 3 unknown."
        )
        {
            json,
            socket,
        };
        command.SetAction((result, _) => RunAsync(result.GetValue(json), result.GetValue(socket)));
        return command;
    }

    private static async Task<int> RunAsync(bool isJson, string? socket)
    {
        (int code, SchedulerState state) = await AskAsync(socket);
        Console.WriteLine(isJson ? JsonSerializer.Serialize(state, SchedulingJson.Default.SchedulerState) : Describe(code, state));
        return code;
    }

    private static async Task<(int Code, SchedulerState State)> AskAsync(string? socket)
    {
        using SchedulerClient client = new(socket);
        using CancellationTokenSource timeouts = new(TimeLimit);
        try
        {
            SchedulerState state = await client.GetStateAsync(timeouts.Token);
            return (
                state.Trouble is not null ? Critical
                : state.TroubledLastDay > 0 ? Warning
                : Well,
                state
            );
        }
        catch (OperationCanceledException)
        {
            return (
                Critical,
                new SchedulerState { Socket = client.Socket, Trouble = $"It does not answer within {TimeLimit.TotalSeconds:0} s." }
            );
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.SchedulerNotRunning && SchedulerPlace.FolderOf(client.Socket) is { } folder)
        {
            return (Critical, await ReadStoppedAsync(folder, client.Socket, e.Message, timeouts.Token));
        }
        catch (IngestException e)
        {
            bool isDown = e.ErrorId is ErrorId.SchedulerNotRunning or ErrorId.ConnectionFailed or ErrorId.TimedOut or ErrorId.ServerError;
            return (isDown ? Critical : Unknown, new SchedulerState { Socket = client.Socket, Trouble = e.Message });
        }
    }

    /// <summary>What the store of a scheduler that does not run says.</summary>
    private static async Task<SchedulerState> ReadStoppedAsync(
        string folder,
        string socket,
        string why,
        CancellationToken cancellationToken
    )
    {
        SchedulerState unknown = new()
        {
            Socket = socket,
            LogPath = File.Exists(SchedulerPlace.LogOf(folder)) ? SchedulerPlace.LogOf(folder) : null,
        };
        try
        {
            return await ReadCommand.ReadStateAsync(folder, socket, cancellationToken) with { Trouble = why };
        }
        catch (IngestException e)
        {
            // Without a store, there is nothing to say but that it does not run.
            return unknown with { Trouble = e.ErrorId == ErrorId.SchedulerNotRunning ? why : e.Message };
        }
        catch (StoreException e)
        {
            return unknown with { Trouble = $"{why} {e.Message}" };
        }
        catch (OperationCanceledException)
        {
            return unknown with { Trouble = $"{why} Its store could not be read within {TimeLimit.TotalSeconds:0} s." };
        }
    }

    private static string Describe(int code, SchedulerState state)
    {
        string word = code switch
        {
            Well => "OK",
            Warning => "WARNING",
            Critical => "CRITICAL",
            _ => "UNKNOWN",
        };
        if (!state.IsRunning && state.Store is null)
            return $"SCHEDULER {word} - {OnOneLine(state.Trouble!)}";
        string next = state.NextRun is { } time
            ? time.ToLocalTime().ToString("'next at' yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture)
            : "nothing is due";
        string runs = state.TroubledLastDay switch
        {
            0 => "all runs of the last day succeeded",
            1 => "1 run of the last day did not succeed (Get-BulkLoadRun)",
            var many => $"{many} runs of the last day did not succeed (Get-BulkLoadRun)",
        };
        string trouble = state.Trouble is null ? runs : OnOneLine(state.Trouble).TrimEnd('.');
        return string.Create(
            CultureInfo.InvariantCulture,
            $"SCHEDULER {word} - {trouble}; {state.Active} active, {state.Suspended} suspended, {state.Running} running, {next} | "
                + $"active={state.Active} suspended={state.Suspended} running={state.Running} troubled={state.TroubledLastDay}"
        );
    }

    /// <summary>Monitoring reads the first line, and numbers after an upright line.</summary>
    private static string OnOneLine(string text) => text.ReplaceLineEndings(" ").Replace('|', '/');
}
