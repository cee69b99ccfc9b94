using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using IngestTools.Sandbox;
using IngestTools.Sandbox.CommandLine;
using IngestTools.Sandbox.NamedOptions;
using IngestTools.Sandbox.Samples;

const int Ok = 0;
const int CannotListen = 1;
const int WrongUsage = 64;
const int CannotWriteSample = 73;

try
{
    switch (args)
    {
        case ["serve", ..] when args.Contains("--help"):
        case ["help" or "--help" or "-h", ..]:
            Console.WriteLine(ServeCommand.Help);
            return Ok;
        case ["--version"]:
            Assembly assembly = typeof(SandboxServer).Assembly;
            Console.WriteLine(assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion);
            return Ok;
        case ["options"]:
            var options = OptionSet.All.Select(static o => new { o.Name, o.Values, o.Description });
            Console.WriteLine(JsonSerializer.Serialize(options, JsonSerializerOptions.Web));
            return Ok;
        case ["serve", .. var arguments]:
            return await ServeAsync(ServeCommand.Parse(arguments));
        case []:
            throw new UsageException("say what to do: ingest-sandbox serve");
        default:
            throw new UsageException($"unknown command '{args[0]}'");
    }
}
catch (UsageException e)
{
    Console.Error.WriteLine($"ingest-sandbox: {e.Message}");
    Console.Error.WriteLine("'ingest-sandbox --help' lists what it takes.");
    return WrongUsage;
}
catch (SampleException e)
{
    Console.Error.WriteLine($"ingest-sandbox: {e.Message}");
    return CannotWriteSample;
}
catch (IOException e)
{
    Console.Error.WriteLine($"ingest-sandbox: {e.Message}");
    return CannotListen;
}

static async Task<int> ServeAsync(ServeCommand command)
{
    if (command.SampleFolder is { } folder)
        SampleFolder.Write(folder);
    ParentWatch? parent = command.ParentId is { } id ? new ParentWatch(id) : null;
    using CancellationTokenSource end = new();
    // Ctrl+C at a shell reaches everything that runs in it. A sandbox that somebody started as part of a session stays for as long as the session does.
    using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, parent is null ? End : static signal => signal.Cancel = true);
    using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
    using ILoggerFactory loggers = LoggerFactory.Create(Log);

    await using SandboxServer sandbox = await SandboxServer.StartAsync(command.Options with { LoggerFactory = loggers }, end.Token);
    Console.WriteLine(JsonSerializer.Serialize(new { uri = sandbox.Uri.GetLeftPart(UriPartial.Authority), pid = Environment.ProcessId }));

    Task parentEnds = parent?.WaitForEndAsync(end.Token) ?? Task.Delay(Timeout.Infinite, end.Token);
    await Task.WhenAny(parentEnds, Task.Delay(command.RunTime, end.Token));
    await end.CancelAsync();
    return Ok;

    void End(PosixSignalContext signal)
    {
        signal.Cancel = true;
        end.Cancel();
    }
}

// Kestrel reports as errors what the sandbox does on purpose: answers that are shorter than announced, bodies left unread.
static void Log(ILoggingBuilder logging) => logging
    .AddConsole(static console => console.LogToStandardErrorThreshold = LogLevel.Trace)
    .AddFilter("Microsoft.AspNetCore", LogLevel.Critical)
    .SetMinimumLevel(LogLevel.Warning);
