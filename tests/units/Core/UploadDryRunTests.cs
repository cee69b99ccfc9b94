using System.Diagnostics;
using IngestTools.Journal;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Dry runs, their totals, and the limit of bytes in a second.</summary>
public sealed class UploadDryRunTests
{
    private static readonly UploadOptions DryRun = new() { IsDryRun = true, Recurse = true };

    [Fact]
    public async Task Dry_run_plans_what_the_real_call_then_does()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.UseJournal();
        string known = dsp.Folder.Write("scans/known.tif");
        await dsp.SendAsync(null, known);
        dsp.Folder.Write("scans/new.tif");
        dsp.Folder.Write("scans/refused");
        dsp.Folder.Write("scans/.hidden.tif");
        string scans = Path.Join(dsp.Folder.Path, "scans");

        List<UploadResult> planned = await dsp.SendAsync(DryRun with { BasePath = scans }, scans);
        int sent = dsp.Count("POST", ".tif");
        List<UploadResult> real = await dsp.SendAsync(new UploadOptions { Recurse = true, BasePath = scans }, scans);

        Assert.Equal(1, sent);
        Assert.Equal(2, dsp.Count("POST", ".tif"));
        Assert.Equal(
            real.Select(result => (result.RemoteName, After(result.Status), result.Reason, result.Error?.ErrorId)).Order(),
            planned.Select(result => (result.RemoteName, result.Status, result.Reason, result.Error?.ErrorId)).Order()
        );
        Assert.Contains(UploadStatus.Planned, planned.Select(result => result.Status));
        Assert.Contains(SkipReason.AlreadySent, planned.Select(result => result.Reason));
        Assert.All(real.Where(result => result.Status == UploadStatus.Uploaded), result => Assert.NotNull(result.CompletedAt));
        Assert.All(planned.Where(result => result.Status == UploadStatus.Planned), result => Assert.Null(result.CompletedAt));

        static UploadStatus After(UploadStatus status) => status == UploadStatus.Uploaded ? UploadStatus.Planned : status;
    }

    [Fact]
    public async Task Dry_run_fails_where_the_server_takes_no_files()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings =>
            settings with
            {
                Secret = _ => ValueTask.FromResult("wrong"),
            }
        );

        List<UploadResult> results = await dsp.SendAsync(DryRun, dsp.Folder.Write("a.tif"), dsp.Folder.Write("b.tif"));

        Assert.Equal(2, results.Count);
        Assert.All(results, result => Assert.Equal((UploadStatus.Failed, ErrorId.NotSignedIn), (result.Status, result.Error!.ErrorId)));
    }

    [Fact]
    public async Task Dry_run_fails_where_a_file_cannot_be_read()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string missing = Path.Join(dsp.Folder.Path, "missing.tif");

        UploadResult result = Assert.Single(await dsp.SendAsync(DryRun, missing));

        Assert.Equal((UploadStatus.Failed, ErrorId.FileNotFound), (result.Status, result.Error!.ErrorId));
    }

    [Fact]
    public async Task Dry_run_records_no_file_and_no_job()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        IIngestJournal journal = dsp.UseJournal();

        Assert.Equal(UploadStatus.Planned, Assert.Single(await dsp.SendAsync(DryRun, dsp.Folder.Write("a.tif"))).Status);

        Assert.Empty(journal.ReadJobs(new JobQuery()));
    }

    [Fact]
    public async Task Totals_are_those_of_the_results()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        UploadTotals totals = new();
        FailureTally failures = new();
        string[] paths =
        [
            dsp.Folder.Write("a.tif", 1000),
            dsp.Folder.Write("b.tif", 500),
            dsp.Folder.Write("c"),
            dsp.Folder.Write(".d.tif"),
        ];

        foreach (UploadResult result in await dsp.SendAsync(null, paths))
        {
            totals.Add(result);
            if (result.Status == UploadStatus.Failed)
                failures.Add(result);
        }

        UploadSummary sum = totals.Sum(failures, TimeSpan.FromSeconds(2), "job:7");
        Assert.Equal((4, 2, 0, 1, 1), (sum.Files, sum.Uploaded, sum.Planned, sum.Skipped, sum.Failed));
        Assert.Equal((1500, 750.0, 1.0), (sum.Bytes, sum.BytesPerSecond, sum.FilesPerSecond));
        Assert.Equal((DspHarness.Shortcode, "job:7"), (sum.Shortcode, sum.Job));
        Assert.Equal((ErrorId.NameRejected, 1L), (Assert.Single(sum.Failures).ErrorId, sum.Failures[0].Count));
    }

    [Fact]
    public async Task Bytes_in_a_second_are_limited_over_large_and_small_files_together()
    {
        const int Rate = 500_000;
        const int Large = 700_000;
        const int Small = 10_000;
        await using DspHarness dsp = await DspHarness.StartAsync();
        string[] paths =
        [
            dsp.Folder.Write("large.tif", Large),
            .. Enumerable.Range(0, 30).Select(i => dsp.Folder.Write($"{i}.tif", Small)),
        ];

        Stopwatch watch = Stopwatch.StartNew();
        List<UploadResult> results = await dsp.SendAsync(new UploadOptions { MaxBytesPerSecond = Rate }, paths);

        Assert.All(results, result => Assert.Equal(UploadStatus.Uploaded, result.Status));
        // A busy machine makes it longer, never shorter. What may pass at once, and the last piece, take no time.
        double shortest = (Large + 30.0 * Small - Rate / 10.0 - Rate / 10.0) / Rate;
        Assert.True(watch.Elapsed.TotalSeconds >= shortest, $"{watch.Elapsed.TotalSeconds} s is less than {shortest} s");
    }
}
