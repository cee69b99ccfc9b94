using System.CommandLine;

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

    /// <summary>
    /// A console program is no Windows service by itself; a task that starts with the machine and is started again is what Windows has for
    /// it.
    /// </summary>
    private static string Windows()
    {
        (string program, string? argument) = Command();
        string arguments = argument is null ? "run" : $"\"{argument}\" run";
        return $"""
            # In an elevated PowerShell. The account needs the right to log on as a batch job, and saves its connections itself
            # (Connect-IngestService -Save).
            $action = New-ScheduledTaskAction -Execute '{program}' -Argument '{arguments}'
            $trigger = New-ScheduledTaskTrigger -AtStartup
            $settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit 0 -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) `
                -MultipleInstances IgnoreNew -StartWhenAvailable
            $account = Get-Credential -Message 'The account that the scheduler runs as'
            Register-ScheduledTask -TaskName 'IngestTools scheduler' -Action $action -Trigger $trigger -Settings $settings `
                -User $account.UserName -Password $account.GetNetworkCredential().Password
            Start-ScheduledTask -TaskName 'IngestTools scheduler'
            """;
    }
}
