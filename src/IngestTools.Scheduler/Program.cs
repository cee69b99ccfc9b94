using IngestTools;
using IngestTools.Scheduler.CommandLine;
using IngestTools.Scheduler.Hosting;
using IngestTools.Scheduler.Store;

const int Ok = 0;
const int Refused = 1;
const int WrongUsage = 64;

try
{
    switch (args)
    {
        case ["help" or "--help" or "-h", ..]:
        case [_, ..] when args.Contains("--help"):
            Console.WriteLine(Help.Text);
            return Ok;
        case ["--version"]:
            Console.WriteLine(StateReader.Version);
            return Ok;
        case ["run", .. string[] arguments]:
            await SchedulerDaemon.RunAsync(RunCommand.Parse(arguments));
            return Ok;
        case ["status", .. string[] arguments]:
            return await StatusCommand.RunAsync(arguments);
        case ["unit", .. string[] arguments]:
            UnitCommand.Run(arguments);
            return Ok;
        case ["export", .. string[] arguments]:
            return await DefinitionCommands.ExportAsync(arguments);
        case ["import", .. string[] arguments]:
            return await DefinitionCommands.ImportAsync(arguments);
        case []:
            throw new UsageException("say what to do: ingest-scheduler run");
        default:
            throw new UsageException($"unknown command '{args[0]}'");
    }
}
catch (UsageException e)
{
    Console.Error.WriteLine($"ingest-scheduler: {e.Message} (see ingest-scheduler --help)");
    return WrongUsage;
}
catch (StoreException e)
{
    Console.Error.WriteLine($"{(StderrLoggerProvider.IsJournal ? "<3>" : "")}ingest-scheduler: {e.Message}");
    return Refused;
}
catch (IngestException e)
{
    Console.Error.WriteLine($"ingest-scheduler: {e.Message} {e.Advice}");
    return Refused;
}
