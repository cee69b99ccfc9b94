using IngestTools.Transactions;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class DspFlowTests
{
    [Fact]
    public async Task Five_thousand_mixed_files_are_each_ingested_exactly_once_under_faults()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.SetFaults("503=1%", "reset=0.1%");
        for (int i = 0; i < 5000; i++)
            dsp.Folder.Write(
                $"box {i / 500}/Côté {i:d4}, ({i % 7}).{(i % 3 == 0 ? "tif" : i % 3 == 1 ? "JPG" : "tar.gz")}",
                i % 1000 == 0 ? 3_000_000 : i * 37 % 20_000
            );

        List<UploadResult> results = await dsp.SendAsync(new UploadOptions { Recurse = true }, dsp.Folder.Path);

        Assert.Equal(5000, results.Count);
        Assert.All(results, result => Assert.Equal(UploadStatus.Uploaded, result.Status));
        List<WaitEvent> events = await dsp.WaitAsync(await dsp.StartIngestAsync(results));
        Transaction ended = Assert.IsType<WaitEvent.Ended>(events[^1]).Transaction;
        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        Assert.Equal(5000, ended.Completed);
        foreach (UploadResult result in results)
        {
            Assert.Equal(TemporaryFolder.HashOf(result.Path), result.Sha256);
            Assert.Equal(1, dsp.Project.History(result.RemoteName).Ingests);
            Assert.Equal(result.Sha256, dsp.Project.History(result.RemoteName).IngestedSha256.ToString());
        }
    }
}
