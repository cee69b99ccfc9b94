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
            (string Name, string? Value)[] options = [.. ListOptions(result, user, windows)];
            Console.WriteLine(
                OperatingSystem.IsWindows() || result.GetValue(windows)
                    ? Windows(options)
                    : Systemd(result.GetValue(user) ?? DefaultUser, options)
            );
        });
        return command;
    }

    /// <summary>The options of 'run' that were given, with full paths: a service starts in another folder.</summary>
    private static IEnumerable<(string Name, string? Value)> ListOptions(ParseResult result, params Option[] own) =>
        result
            .CommandResult.Children.OfType<OptionResult>()
            .Where(option => !option.Implicit && !own.Contains(option.Option))
            .Select(option =>
                (option.Option.Name, Complete(option.Option.Name, option.Tokens is [{ Value: var value }, ..] ? value : null))
            );

    private static string? Complete(string name, string? value)
    {
        const string file = "file:";
        if (value?.Length > file.Length && value.StartsWith(file, StringComparison.Ordinal))
            return file + Path.GetFullPath(value[file.Length..]);
        return value is not null && IsPath(name, value) ? Path.GetFullPath(value) : value;
    }

    /// <summary>Whether an option names a file or folder that the daemon writes. On Windows a socket is the name of a pipe.</summary>
    private static bool IsPath(string name, string value) =>
        name switch
        {
            Folder or Log => true,
            Store => value != RunCommand.Postgres,
            Socket => !OperatingSystem.IsWindows(),
            _ => false,
        };

    /// <summary>Where it listens; null where every command finds it.</summary>
    private static string? SocketOf((string Name, string? Value)[] options)
    {
        string? socket = Array.Find(options, option => option.Name == Socket).Value;
        string? folder = Array
            .Find(options, option => option.Name == Folder || (option.Name == Store && IsPath(Store, option.Value!)))
            .Value;
        return socket ?? (folder is null ? null : SchedulerPlace.SocketOf(folder));
    }

    private static IEnumerable<string> Tokens((string Name, string? Value)[] options) =>
        options.SelectMany(option => option.Value is null ? (string[])[option.Name] : [option.Name, option.Value]);

    /// <summary>How this program is started: by its own executable, or by dotnet.</summary>
    private static (string Program, string? Argument) Command()
    {
        string process = Environment.ProcessPath!;
        bool isHosted = Path.GetFileNameWithoutExtension(process).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
        return isHosted ? (process, Path.Join(AppContext.BaseDirectory, "ingest-scheduler.dll")) : (process, null);
    }

    private static string Systemd(string user, (string Name, string? Value)[] options)
    {
        (string program, string? argument) = Command();
        string command = QuoteForSystemd(program) + (argument is null ? "" : " " + QuoteForSystemd(argument));
        string arguments = string.Concat(Tokens(options).Select(token => " " + QuoteForSystemd(token)));
        IEnumerable<string> writable = options
            .Where(option => option.Value is not null && IsPath(option.Name, option.Value))
            .Select(option => option.Name is Log or Socket ? Path.GetDirectoryName(option.Value!)! : option.Value!)
            .Distinct(StringComparer.Ordinal);
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
            ReadWritePaths={string.Join(' ', writable.Select(QuoteForSystemd))}
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

    private static string Windows((string Name, string? Value)[] options)
    {
        (string program, string? argument) = Command();
        string arguments = string.Concat(
            Tokens(options)
                .Select(option =>
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
