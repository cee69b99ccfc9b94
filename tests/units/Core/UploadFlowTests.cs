using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Sandbox.Faults;
using IngestTools.Services.DspIngest;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>How uploads of one call share a project, and which files they are.</summary>
public sealed class UploadFlowTests
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Wait_at_the_gate_is_not_taken_for_a_held_lock()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string large = dsp.Folder.Write("large.tif", 5 * 1024 * 1024);
        string small = dsp.Folder.Write("small.tif");
        dsp.Server.Faults.Replace(
            Fault.Parse("slow-body=64KiB,30ms,POST /projects/*/bulk-ingest/ingest/large.tif"),
            Fault.Parse("409=1,POST /projects/*/bulk-ingest/ingest/small.tif")
        );

        List<UploadResult> results = await dsp.SendAsync(new UploadOptions { LockTimeout = TimeSpan.FromSeconds(1) }, large, small);

        Assert.All(results, result => Assert.Null(result.Error));
    }

    [Fact]
    public async Task Duration_is_that_of_the_attempts_and_not_of_the_wait_for_a_place()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.SetFaults("slow-body=64KiB,30ms,POST /projects/*/bulk-ingest/ingest/large.tif");
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        IUploadTarget target = dsp.Client.CreateUploadTarget("0001");
        requests.Writer.TryWrite(new UploadRequest(dsp.Folder.Write("large.tif", 5 * 1024 * 1024), target));
        FakeTimeProvider time = new();
        UploadEngine engine = new(new UploadOptions(), dsp.Log, time);
        await using IAsyncEnumerator<UploadResult> results = engine.SendAsync(requests.Reader).GetAsyncEnumerator();
        Task<bool> first = results.MoveNextAsync().AsTask();
        await dsp.WaitUntilAsync(() => dsp.Server.Faults.Applied(FaultKind.SlowBody) == 1);
        requests.Writer.TryWrite(new UploadRequest(dsp.Folder.Write("small.tif"), target));
        requests.Writer.Complete();
        await Until.TrueAsync(() => engine.Progress.FilesFound == 2);

        // The hour passes while the large file is under way and the small one waits for it.
        time.Advance(TimeSpan.FromHours(1));

        Assert.True(await first.WaitAsync(TimeLimit));
        UploadResult large = results.Current;
        Assert.True(await results.MoveNextAsync().AsTask().WaitAsync(TimeLimit));
        Assert.Equal((TimeSpan.FromHours(1), TimeSpan.Zero), (large.Duration, results.Current.Duration));
    }

    [Fact]
    public async Task File_that_comes_during_a_slow_upload_is_sent_beside_it()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.SetFaults("stall=POST /projects/*/bulk-ingest/ingest/slow.tif");
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        IUploadTarget target = dsp.Client.CreateUploadTarget("0001");
        requests.Writer.TryWrite(new UploadRequest(dsp.Folder.Write("slow.tif"), target));
        await using IAsyncEnumerator<UploadResult> results = new UploadEngine(new UploadOptions(), dsp.Log)
            .SendAsync(requests.Reader)
            .GetAsyncEnumerator();
        Task<bool> first = results.MoveNextAsync().AsTask();
        await dsp.WaitUntilAsync(() => dsp.Server.Requests.InFlight == 1 && dsp.Server.Faults.Applied(FaultKind.Stall) == 1);

        requests.Writer.TryWrite(new UploadRequest(dsp.Folder.Write("quick.tif"), target));

        Assert.True(await first.WaitAsync(TimeLimit));
        Assert.Equal("quick.tif", results.Current.RemoteName);
    }

    [Fact]
    public async Task Two_connections_to_one_project_each_send_with_their_own_token()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        using IngestConnection wrong = dsp.Connect(
            TimeProvider.System,
            settings => settings with { Name = "wrong", Secret = _ => ValueTask.FromResult("nonsense") }
        );
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        requests.Writer.TryWrite(new UploadRequest(dsp.Folder.Write("a.tif"), dsp.Client.CreateUploadTarget("0001")));
        requests.Writer.TryWrite(new UploadRequest(dsp.Folder.Write("b.tif"), new DspIngestClient(wrong).CreateUploadTarget("0001")));
        requests.Writer.Complete();

        Dictionary<string, UploadResult> results = [];
        await foreach (UploadResult result in new UploadEngine(new UploadOptions(), dsp.Log).SendAsync(requests.Reader))
            results.Add(result.RemoteName, result);

        Assert.Equal(UploadStatus.Uploaded, results["a.tif"].Status);
        Assert.Equal((ErrorId.NotSignedIn, "wrong"), (results["b.tif"].Error!.ErrorId, results["b.tif"].Connection));
    }

    [Fact]
    public async Task Root_as_base_path_keeps_the_first_letter_of_every_name()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string path = dsp.Folder.Write("a.tif");

        UploadResult result = Assert.Single(await dsp.SendAsync(new UploadOptions { BasePath = Path.GetPathRoot(path) }, path));

        Assert.Equal(Path.GetRelativePath(Path.GetPathRoot(path)!, path).Replace('\\', '/'), result.RemoteName);
    }

    [Fact]
    public async Task Link_in_a_circle_fails_alone()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        File.CreateSymbolicLink(Path.Join(dsp.Folder.Path, "one.tif"), "two.tif");
        File.CreateSymbolicLink(Path.Join(dsp.Folder.Path, "two.tif"), "one.tif");
        for (int i = 0; i < 5; i++)
            dsp.Folder.Write($"{i}.tif");

        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Path);

        Assert.Equal(5, results.Count(result => result.Status == UploadStatus.Uploaded));
        Assert.Equal(2, results.Count(result => result.Status == UploadStatus.Failed));
    }

    [Fact]
    public async Task Same_file_given_twice_is_sent_once_and_fails_nothing()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string path = dsp.Folder.Write("box/a.tif");

        List<UploadResult> results = await dsp.SendAsync(
            new UploadOptions { BasePath = dsp.Folder.Path },
            Path.Join(dsp.Folder.Path, "box"),
            path,
            path
        );

        Assert.Single(results, result => result.Status == UploadStatus.Uploaded);
        Assert.Equal(2, results.Count(result => result.Status == UploadStatus.Skipped));
    }
}
