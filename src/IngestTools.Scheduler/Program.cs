using System.Data.Common;
using IngestTools;
using IngestTools.Scheduler.CommandLine;
using IngestTools.Scheduler.Hosting;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;

const int Refused = 1;

try
{
    return await SchedulerCommands.InvokeAsync(args);
}
catch (StoreException e)
{
    Console.Error.WriteLine($"{(StderrLoggerProvider.IsJournal ? "<3>" : "")}ingest-scheduler: {e.Message}");
    return e is StoreHeldException ? SchedulerPlace.RunsAlready : Refused;
}
catch (DbException e)
{
    Console.Error.WriteLine($"{(StderrLoggerProvider.IsJournal ? "<3>" : "")}ingest-scheduler: the store cannot be used: {e.Message}");
    return Refused;
}
catch (IngestException e)
{
    Console.Error.WriteLine($"ingest-scheduler: {e.Message} {e.Advice}");
    return Refused;
}
