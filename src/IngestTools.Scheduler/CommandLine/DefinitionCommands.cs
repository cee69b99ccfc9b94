using System.CommandLine;
using System.Text;
using System.Text.Json;
using IngestTools.Files;
using IngestTools.Http;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.CommandLine;

/// <summary>Takes schedules out of a store, and into one.</summary>
internal static class DefinitionCommands
{
    private const int Ok = 0;

    private const int SomeRefused = 1;

    private static readonly SchedulingJson Readable = new(
        new JsonSerializerOptions(SchedulingJson.Default.Options) { WriteIndented = true }
    );

    public static Command CreateExport()
    {
        Argument<string?> file = new("FILE") { Description = "The file. Default: the output.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> socket = SchedulerCommands.SocketOption("Where the scheduler listens.");
        Command command = new(
            "export",
            "Writes the schedules as JSON, without secrets and files, for another store. Schedules that have ended are left out. "
                + "Those that cannot be read are left out and reported."
        )
        {
            file,
            socket,
        };
        command.SetAction((result, _) => ExportAsync(result.GetValue(file), result.GetValue(socket)));
        return command;
    }

    public static Command CreateImport()
    {
        Argument<string> file = new("FILE") { Description = "A file that 'export' wrote. The paths in it must exist." };
        Option<bool> replace = new("--replace") { Description = "Replaces schedules of the same name." };
        Option<string?> socket = SchedulerCommands.SocketOption("Where the scheduler listens.");
        Command command = new("import", "Registers the schedules of a file. A suspended one stays suspended.") { file, replace, socket };
        command.SetAction((result, _) => ImportAsync(result.GetRequiredValue(file), result.GetValue(socket), result.GetValue(replace)));
        return command;
    }

    /// <summary>Writes all definitions to a file, or to the output.</summary>
    private static async Task<int> ExportAsync(string? file, string? socket)
    {
        using SchedulerClient client = new(socket);
        List<BulkLoadSchedule> schedules = [];
        await foreach (BulkLoadSchedule schedule in client.ReadSchedulesAsync([], CancellationToken.None))
        {
            schedules.Add(schedule);
            if (schedule.Definition is null)
                Console.Error.WriteLine($"{schedule.Name}: {schedule.Reason}");
        }

        string text = JsonSerializer.Serialize(DefinitionFile.Of(schedules), Readable.DefinitionFile);
        if (file is null)
            Console.WriteLine(text);
        else
            await WriteAsync(file, text);
        return schedules.TrueForAll(schedule => schedule.Definition is not null) ? Ok : SomeRefused;
    }

    /// <summary>Registers the schedules of a file. What is refused is reported, and the others are registered.</summary>
    private static async Task<int> ImportAsync(string file, string? socket, bool replace)
    {
        DefinitionFile definitions = Read(file);
        using SchedulerClient client = new(socket);
        int refused = 0;
        foreach (RegisterRequest request in definitions.Requests(replace, $"{Environment.UserName}@{Environment.MachineName}"))
        {
            try
            {
                await client.RegisterAsync(request, CancellationToken.None);
            }
            catch (IngestException e)
                when (e.ErrorId is not (ErrorId.SchedulerNotRunning or ErrorId.ConnectionFailed or ErrorId.OutcomeUnknown))
            {
                refused++;
                Console.Error.WriteLine(
                    $"{Redaction.EscapeControls(request.Definition.Name)}: {e.Message} {AdviceOf(e, request.Definition.Load, file)}"
                );
            }
        }

        int imported = definitions.Schedules.Count - refused;
        Console.WriteLine(
            $"{imported} {(imported == 1 ? "schedule was" : "schedules were")} imported, {refused} {(refused == 1 ? "was" : "were")} not."
        );
        return refused == 0 ? Ok : SomeRefused;
    }

    /// <summary>What is to be done for an error of a schedule that comes from a file.</summary>
    private static string? AdviceOf(IngestException error, LoadDefinition load, string file) =>
        error.ErrorId == ErrorId.WrongServer
            ? $"To load to the connection's server, delete the line \"server\" of this schedule in {file}. To load to "
                + $"{Redaction.Of(load.Server!)}, save the connection '{Redaction.EscapeControls(load.Connection)}' with that address."
            : error.Advice;

    private static async Task WriteAsync(string file, string text)
    {
        try
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text + "\n");
            string? aside = await UserFile.Find(file).WriteAsync(stream => stream.WriteAsync(bytes).AsTask(), CancellationToken.None);
            if (aside is not null)
                Console.Error.WriteLine($"{file} held something else, and was renamed to {aside}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IngestException(ErrorId.FileUnreadable, $"{file} cannot be written: {e.Message}")
            {
                Advice = "Give a file that this account may write.",
            };
        }
    }

    private static DefinitionFile Read(string file)
    {
        try
        {
            DefinitionFile definitions =
                JsonSerializer.Deserialize(File.ReadAllText(file), SchedulingJson.Default.DefinitionFile)
                ?? throw new JsonException("it is null.");
            if (definitions.Version != new DefinitionFile().Version)
                throw new IngestException(
                    ErrorId.Rejected,
                    $"{file} has version {definitions.Version}, and this one reads {new DefinitionFile().Version}."
                )
                {
                    Advice = "Export it with a scheduler of this version.",
                };
            return definitions.IsWhole ? definitions : throw new JsonException("a schedule of it has no name or no load.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new IngestException(ErrorId.FileUnreadable, $"{file} cannot be read: {e.Message}")
            {
                Advice = "Give a file that 'ingest-scheduler export' wrote.",
            };
        }
    }
}
