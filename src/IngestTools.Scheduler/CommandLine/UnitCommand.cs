using System.CommandLine;
using System.CommandLine.Parsing;
using IngestTools.Scheduler.Hosting;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.CommandLine;

/// <summary>Prints what makes the daemon a service of the machine.</summary>
internal static class UnitCommand
{
    private const string DefaultUser = "ingest";

    private const string Store = "--store";

    private const string Folder = "--folder";

    private const string Log = "--log";

    private const string Socket = "--socket";

    public static Command Create()
    {
        Option<string?> user = SchedulerCommands.NameOption("--user", 100, $"The account of the systemd unit. Default: {DefaultUser}.");
        Option<bool> windows = new("--windows") { Description = "Prints the commands for Windows on other systems too." };
        Command run = RunCommand.Create();
        Command command = new(
            "unit",
            "Prints a systemd unit, or the commands that start the scheduler with Windows. It also takes the options of 'run', and puts "
                + "them into the unit."
        )
        {
            user,
            windows,
        };
        foreach (Option option in run.Options)
            command.Add(option);
        foreach (Action<CommandResult> validator in run.Validators)
            command.Validators.Add(validator);
        command.SetAction(result =>
        {
            string[] options = [.. ListTokens(result, user, windows)];
            string[] places = [.. ListPlaces(result)];
            Console.WriteLine(
                OperatingSystem.IsWindows() || result.GetValue(windows)
                    ? Windows(options)
                    : Systemd(result.GetValue(user) ?? DefaultUser, options, places)
            );
        });
        return command;
    }

    /// <summary>The options that are not the command's own, as they were given.</summary>
    private static IEnumerable<string> ListTokens(ParseResult result, params Option[] own) =>
        result
            .CommandResult.Children.OfType<OptionResult>()
            .Where(option => !option.Implicit && !own.Contains(option.Option))
            .SelectMany(option => option.Tokens.Select(token => Complete(option.Option.Name, token.Value)).Prepend(option.Option.Name));

    /// <summary>A path in full: a service starts in another folder than the one where the unit is printed.</summary>
    private static string Complete(string option, string value)
    {
        const string file = "file:";
        if (value.StartsWith(file, StringComparison.Ordinal) && value.Length > file.Length)
            return file + Path.GetFullPath(value[file.Length..]);
        bool isPath =
            option is Folder or Log
            || (option is Store && value != RunCommand.Postgres)
            || (option is Socket && !OperatingSystem.IsWindows());
        return isPath ? Path.GetFullPath(value) : value;
    }

    /// <summary>Where it listens; null where every command finds it.</summary>
    private static string? SocketOf(string[] options)
    {
        if (ValueOf(Socket) is { } socket)
            return socket;
        string? folder = ValueOf(Folder) ?? (ValueOf(Store) is { } store && store != RunCommand.Postgres ? store : null);
        return folder is null ? null : SchedulerPlace.SocketOf(folder);

        string? ValueOf(string name) => Array.IndexOf(options, name) is var at and >= 0 ? options[at + 1] : null;
    }

    /// <summary>The folders that the daemon writes besides its own.</summary>
    private static IEnumerable<string> ListPlaces(ParseResult result) =>
        result
            .CommandResult.Children.OfType<OptionResult>()
            .Where(option => !option.Implicit && option.Tokens.Count == 1)
            .Select(option => (option.Option.Name, Value: Complete(option.Option.Name, option.Tokens[0].Value)))
            .Where(option => option.Name is Folder or Log or Socket || (option.Name is Store && option.Value != RunCommand.Postgres))
            .Select(option => option.Name is Log or Socket ? Path.GetDirectoryName(option.Value)! : option.Value)
            .Distinct(StringComparer.Ordinal);

    /// <summary>How this program is started: by its own executable, or by dotnet.</summary>
    private static (string Program, string? Argument) Command()
    {
        string process = Environment.ProcessPath!;
        bool isHosted = Path.GetFileNameWithoutExtension(process).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
        return isHosted ? (process, Path.Join(AppContext.BaseDirectory, "ingest-scheduler.dll")) : (process, null);
    }

    private static string Systemd(string user, string[] options, string[] places)
    {
        (string program, string? argument) = Command();
        string command = QuoteForSystemd(program) + (argument is null ? "" : " " + QuoteForSystemd(argument));
        string arguments = string.Concat(options.Select(option => " " + QuoteForSystemd(option)));
        string writable = places.Length == 0 ? "ReadWritePaths=" : "ReadWritePaths=" + string.Join(' ', places.Select(QuoteForSystemd));
        string status = SocketOf(options) is { } socket ? $"status {Socket} {QuoteForSystemd(socket)}" : "status";
        return $"""
            # /etc/systemd/system/ingest-scheduler.service
            # useradd --system --home-dir /var/lib/ingest-scheduler {user}
            # systemctl daemon-reload && systemctl enable --now ingest-scheduler
            # sudo -u {user} env INGESTTOOLS_HOME=/var/lib/ingest-scheduler {command} {status}
            [Unit]
            Description=IngestTools scheduler: runs bulk loads at their time
            Wants=network-online.target
            After=network-online.target time-sync.target
            StartLimitIntervalSec=300
            StartLimitBurst=5

            [Service]
            Type=notify
            NotifyAccess=main
            User={user}
            Environment=INGESTTOOLS_HOME=/var/lib/ingest-scheduler
            Environment=DOTNET_NOLOGO=true
            # It waits most of the time: these keep its memory small. 200000 is hexadecimal, 2 MiB.
            Environment=DOTNET_GCgen0size=200000 MALLOC_ARENA_MAX=1
            # Secrets that a connection reads as env:NAME: a file that root alone can read.
            EnvironmentFile=-/etc/ingest-scheduler.env
            ExecStart={command} run{arguments}
            Restart=on-failure
            RestartSec=5
            # It ends within ten seconds; what runs at the services goes on there.
            TimeoutStopSec=20
            # After a long time off it may plan for minutes what was missed.
            WatchdogSec=300
            StateDirectory=ingest-scheduler
            StateDirectoryMode=0700
            UMask=0077
            # The account must be able to read what the loads read. It writes its own folder alone, and a -MappingPath with ReadWritePaths=.
            {writable}
            ProtectSystem=strict
            ProtectHome=read-only
            PrivateTmp=true
            PrivateDevices=true
            ProtectKernelTunables=true
            ProtectKernelModules=true
            ProtectKernelLogs=true
            ProtectControlGroups=true
            ProtectClock=true
            ProtectHostname=true
            ProtectProc=invisible
            NoNewPrivileges=true
            CapabilityBoundingSet=
            AmbientCapabilities=
            RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
            RestrictNamespaces=true
            RestrictRealtime=true
            RestrictSUIDSGID=true
            LockPersonality=true
            RemoveIPC=true
            SystemCallArchitectures=native
            SystemCallFilter=@system-service
            # No MemoryDenyWriteExecute: .NET compiles while it runs.

            [Install]
            WantedBy=multi-user.target
            """;
    }

    /// <summary>A percent sign begins a specifier of systemd, a dollar sign a variable.</summary>
    private static string QuoteForSystemd(string text)
    {
        string escaped = text.Replace("%", "%%", StringComparison.Ordinal).Replace("$", "$$", StringComparison.Ordinal);
        return escaped.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':' or '@') && text.Length > 0
            ? escaped
            : $"\"{escaped.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }

    private static string Windows(string[] options)
    {
        (string program, string? argument) = Command();
        string arguments = string.Concat(
            options.Select(option =>
                option.Contains(' ', StringComparison.Ordinal) ? $" \"{option}{(option.EndsWith('\\') ? "\\" : "")}\"" : " " + option
            )
        );
        string command = (argument is null ? $"\"{program}\" run" : $"\"{program}\" \"{argument}\" run") + arguments;
        // The text stands in single quotation marks of PowerShell, of which it knows several.
        command = string.Concat(command.Select(c => c is '\'' or '\u2018' or '\u2019' or '\u201a' or '\u201b' ? $"{c}{c}" : c.ToString()));
        return $"""
            # In an elevated PowerShell. The account needs the right to log on as a service, and saves its connections itself
            # (Connect-IngestService -Save).
            $account = Get-Credential -Message 'The account that the scheduler runs as'
            New-Service -Name '{SchedulerDaemon.ServiceName}' -BinaryPathName '{command}' -StartupType Automatic -Credential $account `
                -Description 'IngestTools scheduler: runs bulk loads at their time'
            # It is started again when it fails. Its log is in the event log, below Application.
            sc.exe failure '{SchedulerDaemon.ServiceName}' reset= 300 actions= restart/5000/restart/5000/restart/60000
            Start-Service -Name '{SchedulerDaemon.ServiceName}'
            """;
    }
}
