using IngestTools.Connections;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.CommandLine;

/// <summary>How the daemon is to run.</summary>
internal sealed record RunCommand
{
    private const string Postgres = "postgres";

    /// <summary>The folder of the store, the lock and the spool.</summary>
    public required string Folder { get; init; }

    /// <summary>The database of several nodes; null where the store is a file in the folder.</summary>
    public string? Connection { get; init; }

    public required string Socket { get; init; }

    public required string Node { get; init; }

    /// <summary>A fixed pause between looks at what runs; null suits it to the service.</summary>
    public TimeSpan? PollInterval { get; init; }

    public TimeSpan TakeOverAfter { get; init; } = TimeSpan.FromSeconds(30);

    public bool IsVerbose { get; init; }

    /// <exception cref="UsageException">The arguments are none of this command.</exception>
    public static RunCommand Parse(IReadOnlyList<string> texts)
    {
        Arguments arguments = new(texts);
        string? store = null;
        string? connectionFrom = null;
        string? socket = null;
        string? folder = null;
        RunCommand command = new() { Folder = "", Socket = "", Node = Environment.MachineName };
        while (arguments.TryNext(out string option))
        {
            switch (option)
            {
                case "--store":
                    store = arguments.Value();
                    break;
                case "--folder":
                    folder = arguments.Value();
                    break;
                case "--connection-from":
                    connectionFrom = arguments.Value();
                    break;
                case "--socket":
                    socket = arguments.Value();
                    break;
                case "--node":
                    command = command with { Node = CheckNode(arguments.Value()) };
                    break;
                case "--poll-interval":
                    command = command with { PollInterval = arguments.Seconds(0.01, 3600) };
                    break;
                case "--takeover-after":
                    command = command with { TakeOverAfter = arguments.Seconds(2, 3600) };
                    break;
                case "--verbose":
                    command = command with { IsVerbose = true };
                    break;
                default:
                    throw Arguments.Unknown(option);
            }
        }

        bool isPostgres = store == Postgres;
        if (isPostgres != connectionFrom is not null)
            throw new UsageException("--store postgres and --connection-from env:NAME go together");
        if (folder is not null && !isPostgres)
            throw new UsageException("--folder goes with --store postgres; a store of files is given its folder as --store DIR");
        string place = Path.GetFullPath((isPostgres ? folder : store) ?? SchedulerPlace.Folder);
        return command with
        {
            Folder = place,
            Connection = connectionFrom is null ? null : ReadConnection(connectionFrom),
            Socket = SocketOf(socket, place, isGiven: store is not null && !isPostgres || folder is not null),
        };
    }

    /// <summary>A daemon with a folder of its own has a socket of its own in it.</summary>
    private static string SocketOf(string? given, string folder, bool isGiven)
    {
        string socket = given ?? (isGiven ? SchedulerPlace.SocketOf(folder) : SchedulerPlace.Socket);
        return OperatingSystem.IsWindows() ? socket : Path.GetFullPath(socket);
    }

    private static string CheckNode(string name) => name.Length <= 100 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
        ? name
        : throw new UsageException($"--node is a name of letters, digits, - _ and ., not '{name}'");

    /// <summary>The connection has a password in it, so it stands in no list of processes.</summary>
    private static string ReadConnection(string from)
    {
        try
        {
            return SecretReference.Parse(from).CreateReader(vault: null)(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }
        catch (IngestException e)
        {
            throw new UsageException($"--connection-from: {e.Message} {e.Advice}");
        }
    }
}
