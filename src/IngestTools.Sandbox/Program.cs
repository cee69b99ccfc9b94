using IngestTools.Sandbox.CommandLine;
using IngestTools.Sandbox.Samples;

const int CannotListen = 1;
const int CannotWriteSample = 73;

try
{
    return await SandboxCommands.InvokeAsync(args);
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
