using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using IngestTools.Connections;
using IngestTools.Scheduler.Hosting;
using IngestTools.Scheduler.Notifications;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.CommandLine;

/// <summary>The command 'run': how the daemon runs is read from its options.</summary>
internal static class RunCommand
{
    /// <summary>The value of --store that names a database.</summary>
    public const string Postgres = "postgres";

    private static readonly TimeSpan DefaultTakeOver = TimeSpan.FromSeconds(30);

    /// <summary>The command 'run'.</summary>
    public static Command Create()
    {
        Option<string?> store = new("--store")
        {
            Description =
                "The folder of the store. Default: scheduler below INGESTTOOLS_HOME, or below the configuration folder. One daemon "
                + "serves a store. "
                + "With 'postgres', several nodes share the work, and any of them may fail.",
            HelpName = "DIR|postgres",
        };
        Option<string?> connection = new("--connection-from")
        {
            Description = "With --store postgres: where the connection string is kept, env:NAME or file:PATH.",
            HelpName = "REFERENCE",
        };
        Option<string?> folder = new("--folder")
        {
            Description = "With --store postgres: the folder of this node's lock, socket and spool.",
            HelpName = "DIR",
        };
        Option<string?> socket = SchedulerCommands.SocketOption("Where it listens: a path, or on Windows the name of a pipe.");
        Option<string?> node = SchedulerCommands.NameOption("--node", 100, "The name of this node. Default: the name of the machine.");
        Option<TimeSpan?> poll = SchedulerCommands.SecondsOption(
            "--poll-interval",
            0.01,
            3600,
            "The pause between polls of what runs. Default: what suits the service."
        );
        Option<TimeSpan?> takeOver = SchedulerCommands.SecondsOption(
            "--takeover-after",
            2,
            3600,
            "With --store postgres: how long a node is silent before others take over its runs. Default: 30."
        );
        Option<int?> page = new("--page")
        {
            Description =
                "Serves a page that shows schedules and runs, to this account on this machine alone: on 127.0.0.1, for those who have its "
                + "token. Show-IngestScheduler opens it. Without a port, or with 0, on a free one.",
            HelpName = "PORT",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = ReadPort,
        };
        Option<bool> verbose = new("--verbose") { Description = "Logs details, for troubleshooting." };
        Option<string?> log = new("--log")
        {
            Description = "The file that the log is written to. It is rotated at 10 MiB. Default: the error stream, for the journal.",
            HelpName = "FILE",
        };
        Option<string?> notify = new("--notify")
        {
            Description =
                "Where runs of all schedules are reported that end other than Succeeded, by POST: an https address, or env:NAME or "
                + "file:PATH where it is kept.",
            HelpName = "URI|REFERENCE",
        };
        Option<string?> notifySecret = new("--notify-secret-from")
        {
            Description = "Where the secret is kept that signs the reports (HMAC-SHA256): env:NAME or file:PATH.",
            HelpName = "REFERENCE",
        };
        Command command = new(
            "run",
            "Runs until SIGTERM, Ctrl+C or Stop-IngestScheduler, and ends within ten seconds then. What runs at the services "
                + "continues there."
        )
        {
            store,
            connection,
            folder,
            socket,
            node,
            poll,
            takeOver,
            page,
            verbose,
            log,
            notify,
            notifySecret,
        };
        command.Validators.Add(result =>
        {
            bool isPostgres = result.GetResult(store)?.Tokens is [{ Value: Postgres }];
            if (isPostgres != result.GetResult(connection) is not null)
                result.AddError("Give --store postgres and --connection-from env:NAME together.");
            if (!isPostgres && result.GetResult(folder) is not null)
                result.AddError("Give --folder with --store postgres. The folder of a store of files is given as --store DIR.");
        });
        command.SetAction(async result =>
        {
            bool isPostgres = result.GetValue(store) == Postgres;
            string? given = isPostgres ? result.GetValue(folder) : result.GetValue(store);
            string place = Path.GetFullPath(given ?? SchedulerPlace.Folder);
            string? database = isPostgres ? await ReadConnectionAsync(result.GetRequiredValue(connection)!) : null;
            NotificationOptions notifications = await ReadNotificationsAsync(result.GetValue(notify), result.GetValue(notifySecret));
            await SchedulerDaemon.RunAsync(
                new DaemonOptions
                {
                    Folder = place,
                    Connection = database,
                    Socket = SocketOf(result.GetValue(socket), place, isGiven: given is not null),
                    Node = result.GetValue(node) ?? Environment.MachineName,
                    PollInterval = result.GetValue(poll),
                    TakeOverAfter = result.GetValue(takeOver) ?? DefaultTakeOver,
                    PagePort = result.GetResult(page) is null ? null : result.GetValue(page) ?? 0,
                    IsVerbose = result.GetValue(verbose),
                    LogPath = result.GetValue(log) is { } file ? Path.GetFullPath(file) : null,
                    Notifications = notifications,
                }
            );
        });
        return command;
    }

    /// <summary>What would fail when a run has failed is refused now.</summary>
    /// <exception cref="IngestException">The address or the secret cannot be used.</exception>
    private static async Task<NotificationOptions> ReadNotificationsAsync(string? uri, string? secretFrom)
    {
        if (uri is not null)
            await NotificationAddress.CheckAsync(uri, CancellationToken.None);
        SecretReader? secret = secretFrom is null ? null : SecretReference.Parse(secretFrom).CreateReader(vault: null);
        if (secret is not null)
            _ = await secret(CancellationToken.None);
        return new NotificationOptions { Uri = uri, Secret = secret };
    }

    /// <summary>A daemon with a folder of its own has a socket of its own in it.</summary>
    private static string SocketOf(string? given, string folder, bool isGiven)
    {
        string socket = given ?? (isGiven ? SchedulerPlace.SocketOf(folder) : SchedulerPlace.Socket);
        return OperatingSystem.IsWindows() ? socket : Path.GetFullPath(socket);
    }

    private static int? ReadPort(ArgumentResult result)
    {
        if (result.Tokens.Count == 0)
            return 0;
        string text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port <= IPEndPoint.MaxPort)
            return port;
        result.AddError($"--page takes a port from 0 to {IPEndPoint.MaxPort}, not '{text}'.");
        return null;
    }

    /// <summary>The connection string contains a password, so it does not belong on a command line.</summary>
    private static async Task<string> ReadConnectionAsync(string reference)
    {
        try
        {
            return await SecretReference.Parse(reference).CreateReader(vault: null)(CancellationToken.None);
        }
        catch (IngestException e)
        {
            throw new StoreException($"--connection-from: {e.Message} {e.Advice}", e);
        }
    }
}
