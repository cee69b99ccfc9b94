namespace IngestTools.Scheduler.CommandLine;

/// <summary>What --help says.</summary>
internal static class Help
{
    public const string Text = """
        ingest-scheduler: runs loads later, once, and never twice. Loads are registered with Register-BulkLoadSchedule of the PowerShell module IngestTools.

        ingest-scheduler run [--store DIR] [--socket PATH] [--node NAME] [--poll-interval SECONDS] [--verbose]
        ingest-scheduler run --store postgres --connection-from env:NAME [--folder DIR] [--takeover-after SECONDS] ...
            Runs until SIGTERM, Ctrl+C or Stop-IngestScheduler; ends within ten seconds, and what runs at the services goes on there.
            --store            the folder of the store: scheduler below INGESTTOOLS_HOME, or below the configuration folder. One daemon serves a store.
                               postgres: several nodes share the work, and any of them may die.
            --connection-from  where the connection of PostgreSQL stands: env:NAME or file:PATH
            --folder           with postgres: the folder of this node's lock, socket and spool
            --socket           where it listens: a path, or on Windows a pipe's name
            --node             this node's name; the machine's where it is not given
            --poll-interval    looks so often at what runs; without it as often as suits the service
            --takeover-after   with postgres: a node that was silent for so long is dead (30)
            --verbose          logs what is of use to who looks for an error

        ingest-scheduler status [--json] [--socket PATH]
            Tells how the scheduler stands, for people and for monitoring: ends with 0 well, 1 with runs of the last day that did not succeed,
            2 not running, not answering or in trouble, 3 not to be found out.

        ingest-scheduler unit [--user NAME] [--windows]
            Prints a systemd unit, or the commands for a Windows service.

        ingest-scheduler export [FILE] [--socket PATH]
        ingest-scheduler import FILE [--replace] [--socket PATH]
            Takes schedules from one store to another, as JSON without secrets and files. Paths in it must be there when it is imported.
            What has ended is left out, and so is, aloud, what cannot be read. What is suspended stays so, with its reason.

        ingest-scheduler --version | --help
            Exit codes of all commands: 1 refused, 64 wrong usage.
        """;
}
