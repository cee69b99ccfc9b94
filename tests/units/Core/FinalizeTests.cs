using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Finalizing a DSP-INGEST project.</summary>
public sealed class FinalizeTests
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Finalize_that_the_server_always_fails_ends_with_its_words()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("a.tif"))));
        dsp.SetFaults("500=POST");

        IngestException error = await Assert
            .ThrowsAsync<IngestException>(() => dsp.Client.CompleteAsync("0001", null, force: true, CancellationToken.None))
            .WaitAsync(TimeLimit);

        Assert.Equal(ErrorId.ServerError, error.ErrorId);
        Assert.Equal(3, dsp.Server.Requests.Settled().Count(request => request.Target.EndsWith("finalize", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Finalize_refuses_left_overs_of_a_run_that_nobody_waited_for()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = DspIngestOptions.FilesLike("corrupt*"));
        await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("corrupt.tif"), dsp.Folder.Write("good.tif")));

        IngestException error = await Assert
            .ThrowsAsync<IngestException>(() =>
                dsp.Client.CompleteAsync("0001", Path.Join(dsp.Folder.Path, "mapping.csv"), force: false, CancellationToken.None)
            )
            .WaitAsync(TimeLimit);

        Assert.Equal(ErrorId.LeftOvers, error.ErrorId);
        Assert.Equal(1, dsp.Project.WaitingCount);
    }

    [Fact]
    public async Task Look_at_an_older_run_changes_nothing_of_the_newer_one()
    {
        bool fails = true;
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = _ => fails);
        Transaction older = await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("a.tif")));
        await dsp.WaitAsync(older);
        await dsp.Client.CompleteAsync("0001", null, force: true, CancellationToken.None);
        fails = false;
        await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("b.tif"))));

        await TransactionSources.For(dsp.Connection, dsp.Log).LookAsync(older, CancellationToken.None);

        await dsp
            .Client.CompleteAsync("0001", Path.Join(dsp.Folder.Path, "mapping.csv"), force: false, CancellationToken.None)
            .WaitAsync(TimeLimit);
    }
}
