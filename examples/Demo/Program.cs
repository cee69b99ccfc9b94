using IngestTools;
using IngestTools.Demo;

// Runs each service's main job against a sandbox on this machine, and prints what happened. Exit code: 0, or 1 where something was not as
// it should be.
using CancellationTokenSource stop = new();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

try
{
    bool isWell = await DspIngestDemo.RunAsync(Console.Out, stop.Token);
    isWell &= await IcaDemo.RunAsync(Console.Out, stop.Token);
    isWell &= await LakeFsDemo.RunAsync(Console.Out, stop.Token);
    isWell &= await VossDemo.RunAsync(Console.Out, stop.Token);
    return isWell ? 0 : 1;
}
catch (IngestException e)
{
    await Console.Error.WriteLineAsync($"{e.ErrorId}: {e.Message} {e.Advice}");
    return 1;
}
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("Stopped.");
    return 1;
}
