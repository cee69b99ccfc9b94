using IngestTools;
using IngestTools.Demo;
using IngestTools.Reports;

// Runs each service's main job against a sandbox on this machine, prints what happened, and writes a report of it. Exit code: 0, or 1 where
// something was not as it should be.
using CancellationTokenSource stop = new();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

try
{
    DemoReport report = new();
    bool isWell = await DspIngestDemo.RunAsync(Console.Out, report, stop.Token);
    isWell &= await IcaDemo.RunAsync(Console.Out, report, stop.Token);
    isWell &= await LakeFsDemo.RunAsync(Console.Out, report, stop.Token);
    isWell &= await VossDemo.RunAsync(Console.Out, report, stop.Token);
    ReportOutput written = await report.WriteAsync(stop.Token);
    Console.WriteLine($"\nA report of all this, {written.Rows} rows: {written.Path}");
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
