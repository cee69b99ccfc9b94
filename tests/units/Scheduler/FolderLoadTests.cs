using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>What runs of a folder make of filters, of files that cannot be sent, and of a folder that is empty.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class FolderLoadTests
{
    [Fact]
    public async Task Filters_leave_files_out_and_a_run_continues_without_what_cannot_be_sent()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        LoadDefinition load = harness.DspLoad("0401", files: 3);
        // A name without an extension is refused by the server.
        harness.Folder.Write("0401/readme", 10);
        harness.Folder.Write("0401/licence", 10);
        harness.Folder.Write("0401/draft.txt", 10);
        await daemon.RegisterAsync(SchedulerHarness.Yearly("all", load));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("some", load with { Include = ["*.txt"], Exclude = ["draft*"] }));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("continue", load with { ContinueOnFailure = true }));

        BulkLoadRun all = await daemon.EndOfAsync((await daemon.StartRunAsync("all")).Id);
        BulkLoadRun some = await daemon.EndOfAsync((await daemon.StartRunAsync("some")).Id);
        harness.Folder.Write("0401/new.txt", 10);
        BulkLoadRun continued = await daemon.EndOfAsync((await daemon.StartRunAsync("continue")).Id);
        BulkLoadRun nothingNew = await daemon.EndOfAsync((await daemon.StartRunAsync("continue")).Id);

        Assert.Equal(RunStatus.Failed, all.Status);
        Assert.StartsWith(
            "2 of 6 files could not be sent, so the bulk ingest was not started. 2 files: ",
            all.Message,
            StringComparison.Ordinal
        );
        Assert.True((some.Status, some.Completed) == (RunStatus.Succeeded, 3), some.Message);
        Assert.True(continued.Status == RunStatus.PartlySucceeded, continued.Message);
        Assert.Contains("2 of 7 files could not be sent. 2 files: ", continued.Message, StringComparison.Ordinal);
        Assert.Contains(continued.Log!, line => line.Message!.Contains("readme", StringComparison.Ordinal));
        Assert.Contains(continued.Log!, line => line.Message!.Contains("licence", StringComparison.Ordinal));
        Assert.Equal("dsp:0401", Assert.Single(continued.TransactionIds));
        Assert.Equal(
            ["draft.txt", "file 0.txt", "file 1.txt", "file 2.txt", "new.txt"],
            harness.Sandbox.DspIngest.Project("0401").Mapping!.Select(row => row.Original).Order(StringComparer.Ordinal)
        );
        Assert.True(nothingNew.Status == RunStatus.PartlySucceeded, nothingNew.Message);
        Assert.Contains("The other 5 had been ingested before", nothingNew.Message, StringComparison.Ordinal);
        Assert.Empty(nothingNew.TransactionIds);
    }

    [Fact]
    public async Task What_could_not_be_sent_is_reported_although_the_scheduler_died_after_the_start()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        LoadDefinition load = harness.DspLoad("0402") with { ContinueOnFailure = true };
        harness.Folder.Write("0402/readme", 10);
        List<string> ids = await KillPointTests.KillAtAsync(harness, first, KillPointTests.Point.AfterTheAnswerIsNoted, [load], "[]");

        BulkLoadRun run = await (await harness.RunAsync()).EndOfAsync(ids[0]);

        Assert.True(run.Status == RunStatus.PartlySucceeded, KillPointTests.Told(run));
        Assert.Contains("1 of 3 files could not be sent. 1 file: ", run.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_empty_fails_its_run_where_an_earlier_run_had_files()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        LoadDefinition load = harness.DspLoad("0403");
        string empty = Path.Join(harness.Folder.Path, "empty");
        Directory.CreateDirectory(empty);
        await daemon.RegisterAsync(SchedulerHarness.Yearly("first", load with { Path = empty }));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("filtered", load with { Include = ["*.none"] }));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("emptied", load));

        BulkLoadRun first = await daemon.EndOfAsync((await daemon.StartRunAsync("first")).Id);
        BulkLoadRun filtered = await daemon.EndOfAsync((await daemon.StartRunAsync("filtered")).Id);
        BulkLoadRun before = await daemon.EndOfAsync((await daemon.StartRunAsync("emptied")).Id);
        // That nothing is new is not the same as that nothing is there.
        BulkLoadRun unchanged = await daemon.EndOfAsync((await daemon.StartRunAsync("emptied")).Id);
        foreach (string file in Directory.GetFiles(load.Path!))
            File.Delete(file);
        BulkLoadRun emptied = await daemon.EndOfAsync((await daemon.StartRunAsync("emptied")).Id);

        Assert.Equal((RunStatus.Succeeded, $"{empty} has no file to send, so nothing was started."), (first.Status, first.Message));
        Assert.Equal(RunStatus.Succeeded, filtered.Status);
        Assert.Contains("-Include and -Exclude left out all 2 that were found", filtered.Message, StringComparison.Ordinal);
        Assert.Equal((RunStatus.Succeeded, RunStatus.Succeeded), (before.Status, unchanged.Status));
        Assert.Equal(RunStatus.Failed, emptied.Status);
        Assert.Contains($"{load.Path} has no file to send, and {unchanged.Id}", emptied.Message, StringComparison.Ordinal);
        Assert.Contains("had 2 files. Nothing was started.", emptied.Message, StringComparison.Ordinal);
        Assert.Equal(1, harness.Sandbox.DspIngest.Project("0403").Runs);
    }

    [Fact]
    public async Task An_import_that_brings_no_object_where_there_was_none_says_so()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(
            SchedulerHarness.Yearly("lake", harness.LakeLoad() with { Source = "s3://bucket/nowhere/", Destination = "new/" })
        );

        BulkLoadRun run = await daemon.EndOfAsync((await daemon.StartRunAsync("lake")).Id);

        Assert.Equal((RunStatus.Succeeded, 0), (run.Status, run.Completed));
        Assert.StartsWith("It brought no object, and deleted none.", run.Message, StringComparison.Ordinal);
    }
}
