using System.CommandLine;
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
        Command command = new("unit", "Prints a systemd unit, or the commands that start the scheduler with Windows.") { user, windows };
        command.SetAction(result =>
            Console.WriteLine(
                OperatingSystem.IsWindows() || result.GetValue(windows) ? Windows() : Systemd(result.GetValue(user) ?? DefaultUser)
            )
        );
        return command;
    }

    /// <summary>How this program is started: by its own executable, or by dotnet.</summary>
    private static (string Program, string? Argument) Command()
    {
        string process = Environment.ProcessPath!;
        bool isHosted = Path.GetFileNameWithoutExtension(process).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
        return isHosted ? (process, Path.Join(AppContext.BaseDirectory, "ingest-scheduler.dll")) : (process, null);
    }

    private static string Systemd(string user)
    {
        (string program, string? argument) = Command();
        // A percent sign begins a specifier of systemd.
        string command = (argument is null ? $"\"{program}\"" : $"\"{program}\" \"{argument}\"").Replace(
            "%",
            "%%",
            StringComparison.Ordinal
        );
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
            ExecStart={command} run
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

    private static string Windows()
    {
        (string program, string? argument) = Command();
        string command = argument is null ? $"\"{program}\" run" : $"\"{program}\" \"{argument}\" run";
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
