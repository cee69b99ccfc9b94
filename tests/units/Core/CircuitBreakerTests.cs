using IngestTools.Units.Support;
using IngestTools.Uploads;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class CircuitBreakerTests
{
    /// <summary>More failures than the breaker needs to open, were it not for the uploads that succeed.</summary>
    private const int Failures = 30;

    private const int Successes = 60;

    [Fact]
    public async Task Failed_uploads_among_many_good_ones_do_not_open_the_circuit()
    {
        await using DspHarness dsp = await StartAsync();
        dsp.SetFaults("500=POST /projects/*/bulk-ingest/ingest/bad*");
        string[] names = [.. Enumerable.Range(0, Failures + Successes).Select(i => i % 3 == 2 ? $"bad{i}.tif" : $"good{i}.tif")];
        string[] paths = [.. names.Select(name => dsp.Folder.Write(name))];

        List<UploadResult> results = await dsp.SendAsync(new UploadOptions { ThrottleLimit = 1 }, paths);

        Assert.Equal(Successes, results.Count(result => result.Status == UploadStatus.Uploaded));
        Assert.All(results.Where(result => result.Error is not null), result => Assert.Equal(ErrorId.ServerError, result.Error!.ErrorId));
    }

    [Fact]
    public async Task Uploads_that_all_fail_open_the_circuit()
    {
        await using DspHarness dsp = await StartAsync();
        dsp.SetFaults("500=POST");
        string[] paths = [.. Enumerable.Range(0, Failures).Select(i => dsp.Folder.Write($"{i}.tif"))];

        List<UploadResult> results = await dsp.SendAsync(new UploadOptions { ThrottleLimit = 1 }, paths);

        Assert.Contains(results, result => result.Error!.ErrorId == ErrorId.CircuitOpen);
    }

    /// <summary>Each failure is a result at once: nothing is sent again, and nobody waits until the circuit closes.</summary>
    private static Task<DspHarness> StartAsync() =>
        DspHarness.StartAsync(connect: settings => settings with { MaxAttempts = 1, OutageTimeout = TimeSpan.Zero });
}
