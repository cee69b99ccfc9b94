using System.CommandLine;
using System.CommandLine.Parsing;
using IngestTools.Scheduler.Hosting;

namespace IngestTools.Scheduler.CommandLine;

/// <summary>Prints what makes the daemon a service of the machine.</summary>
internal static class UnitCommand
{
    private const string DefaultUser = "ingest";

    public static Command Create()
    {
        Option<string?> user = SchedulerCommands.NameOption("--user", 100, $"The account of the systemd unit. Default: {DefaultUser}.");
        Option<bool> windows = new("--windows") { Description = "Prints the commands for Windows on other systems too." };
        Command run = RunCommand.Create();
        Command command = new(
            "unit",
            "Prints a systemd unit, or the commands that start the scheduler with Windows. The options of 'run' are taken too, and "
                + "stand in it: --notify file:/etc/ingest/hook, for example."
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
            Console.WriteLine(
                OperatingSystem.IsWindows() || result.GetValue(windows)
                    ? Windows(options)
                    : Systemd(result.GetValue(user) ?? DefaultUser, options)
            );
        });
        return command;
    }

    /// <summary>The options that are not the command's own, as they were given.</summary>
    private static IEnumerable<string> ListTokens(ParseResult result, params Option[] own) =>
        result
            .CommandResult.Children.OfType<OptionResult>()
            .Where(option => !option.Implicit && !own.Contains(option.Option))
            .SelectMany(option => option.Tokens.Select(token => token.Value).Prepend(option.Option.Name));

    /// <summary>How this program is started: by its own executable, or by dotnet.</summary>
    private static (string Program, string? Argument) Command()
    {
        string process = Environment.ProcessPath!;
        bool isHosted = Path.GetFileNameWithoutExtension(process).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
        return isHosted ? (process, Path.Join(AppContext.BaseDirectory, "ingest-scheduler.dll")) : (process, null);
    }

    private static string Systemd(string user, string[] options)
    {
        (string program, string? argument) = Command();
        string command = QuoteForSystemd(program) + (argument is null ? "" : " " + QuoteForSystemd(argument));
        string arguments = string.Concat(options.Select(option => " " + QuoteForSystemd(option)));
        return $"""
            # /etc/systemd/system/ingest-scheduler.service
            # useradd --system --home-dir /var/lib/ingest-scheduler {user}
            # systemctl daemon-reload && systemctl enable --now ingest-scheduler
            # sudo -u {user} env INGESTTOOLS_HOME=/var/lib/ingest-scheduler {command} status
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
            options.Select(option => option.Contains(' ', StringComparison.Ordinal) ? $" \"{option}\"" : " " + option)
        );
        string command = (argument is null ? $"\"{program}\" run" : $"\"{program}\" \"{argument}\" run") + arguments;
        // The text stands in single quotation marks of PowerShell.
        command = command.Replace("'", "''", StringComparison.Ordinal);
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
