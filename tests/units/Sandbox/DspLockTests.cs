using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class DspLockTests
{
    private const string Busy = """{"reason":"A bulk ingest is currently in progress for project 0001."}""";

    [Fact]
    public async Task Caller_waits_400_ms_for_the_lock_and_is_then_refused()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        using IDisposable other = await sandbox.Project.HoldLockAsync();

        Stopwatch clock = Stopwatch.StartNew();
        await sandbox.MappingAsync().IsAsync(HttpStatusCode.Conflict, Busy);

        // Timers may be a few milliseconds early, never more.
        Assert.True(clock.ElapsedMilliseconds >= 390, $"refused after {clock.ElapsedMilliseconds} ms");
    }

    [Fact]
    public async Task Caller_who_gets_the_lock_in_time_goes_on()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o => o.LockWait = TimeSpan.FromSeconds(15));
        IDisposable other = await sandbox.Project.HoldLockAsync();
        Task<HttpStatusCode> waiting = sandbox.UploadAsync("a.txt").StatusAsync();
        await sandbox.WaitUntilAsync(() => sandbox.Server.Requests.InFlight == 1);

        other.Dispose();

        Assert.Equal(HttpStatusCode.OK, await waiting);
    }

    [Fact]
    public async Task Every_bulk_call_takes_the_lock()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o => o.LockWait = TimeSpan.FromMilliseconds(10));
        await sandbox.UploadAsync("a.txt");
        using IDisposable other = await sandbox.Project.HoldLockAsync();

        await sandbox.UploadAsync("b.txt").IsAsync(HttpStatusCode.Conflict, Busy);
        await sandbox.StartIngestAsync().IsAsync(HttpStatusCode.Conflict, Busy);
        await sandbox.MappingAsync().IsAsync(HttpStatusCode.Conflict, Busy);
        await sandbox.FinalizeAsync().IsAsync(HttpStatusCode.Conflict, Busy);
    }

    [Fact]
    public async Task Name_is_checked_inside_the_lock()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o => o.LockWait = TimeSpan.FromMilliseconds(10));
        using IDisposable other = await sandbox.Project.HoldLockAsync();
        await sandbox.UploadAsync("bad?").IsAsync(HttpStatusCode.Conflict, Busy);
    }

    [Fact]
    public async Task Missing_import_folder_is_told_before_the_lock_is_asked_for()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        using IDisposable other = await sandbox.Project.HoldLockAsync();
        await sandbox.StartIngestAsync().IsAsync(HttpStatusCode.NotFound, """{"id":"0001","type":"Import folder not found."}""");
    }

    [Fact]
    public async Task Upload_holds_the_lock_until_its_last_byte()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o => o.LockWait = TimeSpan.FromMilliseconds(10));
        using Socket upload = await sandbox.SendRawAsync(DspSandbox.UploadHead("a.txt", 10) + "12345");
        await sandbox.WaitUntilAsync(() => sandbox.Project.IsLocked);

        await sandbox.UploadAsync("b.txt").IsAsync(HttpStatusCode.Conflict, Busy);
        await upload.SendAsync("67890"u8.ToArray(), sandbox.Soon);
        await sandbox.WaitUntilAsync(() => sandbox.Project.WaitingFiles.Count == 1 && !sandbox.Project.IsLocked);

        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync("b.txt").StatusAsync());
    }

    [Fact]
    public async Task Start_holds_the_lock_from_its_answer_to_the_end_of_the_ingest()
    {
        TaskCompletionSource ingest = new();
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o =>
        {
            o.LockWait = TimeSpan.FromMilliseconds(10);
            o.BeforeIngest = _ => ingest.Task;
        });
        await sandbox.UploadAsync("a.txt");

        await sandbox.StartIngestAsync().IsAsync(HttpStatusCode.Accepted, """{"id":"0001"}""");
        await sandbox.MappingAsync().IsAsync(HttpStatusCode.Conflict, Busy);
        await sandbox.StartIngestAsync().IsAsync(HttpStatusCode.Conflict, Busy);
        ingest.SetResult();
        await sandbox.WaitUntilAsync(() => !sandbox.Project.IsLocked);

        Assert.Equal(HttpStatusCode.OK, await sandbox.MappingAsync().StatusAsync());
        Assert.Equal(1, sandbox.Project.Runs);
    }

    [Fact]
    public async Task Projects_do_not_wait_for_each_other()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        using IDisposable other = await sandbox.Project.HoldLockAsync();
        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync("a.txt", shortcode: "0002").StatusAsync());
    }

    [Fact]
    public async Task Client_that_leaves_while_it_waits_does_not_get_the_lock()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o => o.LockWait = TimeSpan.FromSeconds(15));
        IDisposable other = await sandbox.Project.HoldLockAsync();
        using (Socket waiting = await sandbox.SendRawAsync(DspSandbox.UploadHead("a.txt", 0)))
            await sandbox.WaitUntilAsync(() => sandbox.Server.Requests.InFlight == 1);

        await sandbox.WaitUntilAsync(() => sandbox.Server.Requests.Ended == 1);
        other.Dispose();

        Assert.False(sandbox.Project.IsLocked);
        Assert.Empty(sandbox.Project.WaitingFiles);
    }

    [Fact]
    public async Task Who_waits_for_the_lock_to_be_taken_is_told_when_it_is()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        Task taken = sandbox.Server.WaitUntilAsync(() => sandbox.Project.IsLocked, TimeSpan.FromSeconds(60));

        using IDisposable held = await sandbox.Project.HoldLockAsync();

        await taken;
    }
}
