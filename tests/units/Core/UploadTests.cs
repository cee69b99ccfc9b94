using System.Diagnostics;
using System.Net;
using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class UploadTests
{
    [Theory]
    [InlineData("filename_îïôœùûüÿ.xml")]
    [InlineData("Côté gauche/Süd.png")]
    [InlineData("a[1] (2), 'x'+=!.tar.GZ")]
    [InlineData("漢字/ひらがな.jpg")]
    [InlineData("한글 100 = `.jpg")]
    public async Task Name_arrives_as_it_is(string name)
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string path = dsp.Folder.Write(name);

        UploadResult result = Assert.Single(await dsp.SendAsync(new UploadOptions { Recurse = true }, dsp.Folder.Path));

        Assert.Null(result.Error);
        Assert.Equal(name, result.RemoteName);
        Assert.Equal(TemporaryFolder.HashOf(path), dsp.Project.History(name).UploadedSha256.ToString());
        Assert.Equal(1, result.Attempts);
    }

    [Fact]
    public async Task Upload_is_one_post_of_octets_with_a_bearer_token()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        await dsp.SendAsync(null, dsp.Folder.Write("a b.txt"));

        var upload = Assert.Single(dsp.Server.Requests.Settled(), request => request.Method == "POST");
        Assert.Equal("/projects/0001/bulk-ingest/ingest/a%20b.txt", upload.Target);
        Assert.Contains("Authorization", upload.HeaderNames);
        Assert.Contains("Content-Type", upload.HeaderNames);
    }

    [Fact]
    public async Task Folders_of_a_name_travel_escaped_in_one_segment()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string path = dsp.Folder.Write("Côté gauche/Süd.png");

        await dsp.SendAsync(new UploadOptions { BasePath = dsp.Folder.Path, Destination = "box/" }, path);

        Assert.Contains(
            dsp.Server.Requests.Settled(),
            request => request.Target == "/projects/0001/bulk-ingest/ingest/box%2FC%C3%B4t%C3%A9%20gauche%2FS%C3%BCd.png"
        );
    }

    [Theory]
    [InlineData("Foo")]
    [InlineData("Foo.")]
    [InlineData("Foo#.png")]
    [InlineData("Foo$.png")]
    [InlineData("👍.png")]
    [InlineData("हिन्दी.jpg")]
    [InlineData("a;b.png")]
    [InlineData("a\nb.png")]
    [InlineData("a\\b.png")]
    [InlineData("picture.gif")]
    [InlineData("..x.png")]
    public async Task Name_that_the_server_refuses_is_refused_before_sending(string name)
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string path = dsp.Folder.Write(name);

        UploadResult result = Assert.Single(await dsp.SendAsync(null, path));

        Assert.NotEqual(UploadStatus.Uploaded, result.Status);
        Assert.Equal(ErrorId.NameRejected, result.Error!.ErrorId);
        Assert.Equal(path, result.Error.Target);
        Assert.DoesNotContain(dsp.Server.Requests.Settled(), request => request.Method == "POST");
    }

    [Fact]
    public async Task Refused_name_is_sent_with_force_and_the_server_s_words_come_back()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        UploadResult result = Assert.Single(await dsp.SendAsync(new UploadOptions { Force = true }, dsp.Folder.Write("Foo#.png")));

        Assert.Equal(ErrorId.Rejected, result.Error!.ErrorId);
        Assert.Equal(HttpStatusCode.BadRequest, result.Error.StatusCode);
        Assert.Contains(
            "'Foo#.png' is invalid: Filename contains invalid characters",
            result.Error.ServerMessage,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("Foo.bar")]
    [InlineData("Foo.png.bar")]
    public async Task Unknown_extension_is_warned_about_and_the_server_decides(string name)
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        UploadResult result = Assert.Single(await dsp.SendAsync(null, dsp.Folder.Write(name)));

        Assert.Equal(ErrorId.Rejected, result.Error!.ErrorId);
        Assert.Contains("Filename must have a valid file extension", result.Error.ServerMessage, StringComparison.Ordinal);
        Assert.Contains(dsp.Log.At(LogLevel.Warning), text => text.Contains(".bar is not an extension", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Link_to_a_folder_is_left_out()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Folder.Write("scans/x.txt");
        Directory.CreateSymbolicLink(Path.Join(dsp.Folder.Path, "scans", "circle"), Path.Join(dsp.Folder.Path, "scans"));

        List<UploadResult> results = await dsp.SendAsync(new UploadOptions { Recurse = true }, dsp.Folder.Path);

        Assert.Single(results, result => result.Status == UploadStatus.Uploaded);
        Assert.Contains(
            "link to a folder",
            Assert.Single(results, result => result.Status == UploadStatus.Skipped).Error!.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Supplementary_letter_is_taken()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        Assert.Null(Assert.Single(await dsp.SendAsync(null, dsp.Folder.Write("𠀀.jpg"))).Error);
    }

    [Fact]
    public async Task Names_that_become_equal_are_refused()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string composed = dsp.Folder.Write("caf\u00e9.jpg", 10);
        string decomposed = dsp.Folder.Write("cafe\u0301.jpg", 20);

        List<UploadResult> results = await dsp.SendAsync(null, composed, decomposed);

        Assert.Single(results, result => result.Status == UploadStatus.Uploaded);
        UploadResult refused = Assert.Single(results, result => result.Status == UploadStatus.Failed);
        Assert.Equal(ErrorId.NameCollision, refused.Error!.ErrorId);
        Assert.Equal(1, dsp.Project.History("caf\u00e9.jpg").Uploads);
    }

    [FactExceptOn("macos", "macOS cannot have two such files in one folder.")]
    public async Task Names_of_one_folder_that_become_equal_are_refused()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Folder.Write("box/caf\u00e9.jpg", 10);
        dsp.Folder.Write("box/cafe\u0301.jpg", 20);
        dsp.Folder.Write("box/cafe.jpg", 30);

        List<UploadResult> results = await dsp.SendAsync(new UploadOptions { Recurse = true }, dsp.Folder.Path);

        Assert.Equal(2, results.Count(result => result.Status == UploadStatus.Uploaded));
        Assert.Equal(ErrorId.NameCollision, Assert.Single(results, result => result.Status == UploadStatus.Failed).Error!.ErrorId);
    }

    [Fact]
    public async Task Same_names_in_two_folders_are_refused_and_so_is_a_folder_given_twice()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Folder.Write("a/x.jpg");
        dsp.Folder.Write("a/y.jpg");
        dsp.Folder.Write("b/x.jpg");
        dsp.Folder.Write("b/z.jpg");
        string a = Path.Join(dsp.Folder.Path, "a");

        List<UploadResult> results = await dsp.SendAsync(new UploadOptions { Destination = "box" }, a, Path.Join(dsp.Folder.Path, "b"), a);

        Assert.Equal(
            ["box/x.jpg", "box/y.jpg", "box/z.jpg"],
            results
                .Where(result => result.Status == UploadStatus.Uploaded)
                .Select(result => result.RemoteName)
                .Order(StringComparer.Ordinal)
        );
        Assert.Equal(3, results.Count(result => result.Error?.ErrorId == ErrorId.NameCollision));
    }

    [Fact]
    public async Task Decomposed_name_is_sent_composed()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        Assert.Equal("caf\u00e9.jpg", Assert.Single(await dsp.SendAsync(null, dsp.Folder.Write("cafe\u0301.jpg"))).RemoteName);
    }

    [Fact]
    public async Task Hidden_file_is_skipped_since_the_server_never_ingests_it()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Folder.Write(".x.txt");
        dsp.Folder.Write("y.txt");

        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Path);

        UploadResult skipped = Assert.Single(results, result => result.Status == UploadStatus.Skipped);
        Assert.Contains("passes over hidden files", skipped.Error!.Message, StringComparison.Ordinal);
        Assert.Single(results, result => result.Status == UploadStatus.Uploaded);
    }

    [Fact]
    public async Task Empty_file_is_sent_and_warned_about()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        UploadResult result = Assert.Single(await dsp.SendAsync(null, dsp.Folder.Write("empty.txt", 0)));

        Assert.Equal(UploadStatus.Uploaded, result.Status);
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", result.Sha256);
        Assert.Contains(dsp.Log.At(LogLevel.Warning), text => text.StartsWith("1 file was sent without content", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Missing_file_is_an_error_and_the_others_go_on()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string missing = Path.Join(dsp.Folder.Path, "missing.txt");

        List<UploadResult> results = await dsp.SendAsync(null, missing, dsp.Folder.Write("there.txt"));

        Assert.Equal(ErrorId.FileNotFound, Assert.Single(results, result => result.Path == missing).Error!.ErrorId);
        Assert.Single(results, result => result.Status == UploadStatus.Uploaded);
    }

    [FactExceptOn("windows", "Windows has no named pipes in folders.")]
    public async Task Pipe_in_a_folder_is_an_error_and_hangs_nothing()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string pipe = Path.Join(dsp.Folder.Path, "pipe.txt");
        using (Process mkfifo = Process.Start("mkfifo", [pipe]))
            await mkfifo.WaitForExitAsync();
        dsp.Folder.Write("y.txt");

        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Path).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(ErrorId.FileUnreadable, Assert.Single(results, result => result.Path == pipe).Error!.ErrorId);
        Assert.Single(results, result => result.Status == UploadStatus.Uploaded);
    }

    [Fact]
    public async Task File_outside_of_the_base_path_is_refused()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        Directory.CreateDirectory(Path.Join(dsp.Folder.Path, "scans"));

        UploadResult result = Assert.Single(
            await dsp.SendAsync(new UploadOptions { BasePath = Path.Join(dsp.Folder.Path, "scans") }, dsp.Folder.Write("scans2/x.txt"))
        );

        Assert.Equal(ErrorId.Rejected, result.Error!.ErrorId);
        Assert.Contains("does not lie in the base path", result.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Growing_file_is_told_and_not_taken_for_sent()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string path = dsp.Folder.Write("log.txt");
        // Larger than what the buffers between here and the server can hold.
        using (FileStream file = File.OpenWrite(path))
            file.SetLength(64 * 1024 * 1024);
        dsp.SetFaults("slow-body=64KiB,20ms");
        UploadEngine engine = new(new UploadOptions(), dsp.Log);
        Task<UploadResult> sending = FirstAsync(engine.SendAsync(dsp.Requests(path)));
        await Until.TrueAsync(() => engine.Progress.BytesDone > 0);

        await File.AppendAllTextAsync(path, "more");
        UploadResult result = await sending;

        Assert.Equal(ErrorId.FileChanged, result.Error!.ErrorId);
        Assert.Equal(UploadStatus.Failed, result.Status);
        Assert.Null(result.Sha256);
    }

    [Theory]
    [InlineData("503=1,POST")]
    [InlineData("500=2,POST")]
    [InlineData("502=1,POST")]
    [InlineData("429=1,POST")]
    [InlineData("reset=1,POST")]
    [InlineData("reset-body=1,POST")]
    [InlineData("lost=1,POST")]
    [InlineData("html=1,POST")]
    [InlineData("empty=1,POST")]
    public async Task Upload_is_sent_again_whole_after(string fault)
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string path = dsp.Folder.Write("x.tif", 700_000);
        dsp.SetFaults(fault);

        UploadResult result = Assert.Single(await dsp.SendAsync(null, path));

        Assert.Null(result.Error);
        Assert.True(result.Attempts > 1);
        Assert.Equal(TemporaryFolder.HashOf(path), result.Sha256);
        Assert.Equal(result.Sha256, dsp.Project.History("x.tif").UploadedSha256.ToString());
    }

    [Fact]
    public async Task Failure_that_stays_keeps_the_server_s_status_and_words()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings => settings with { MaxAttempts = 2 });
        dsp.SetFaults("500=POST");

        UploadResult result = Assert.Single(await dsp.SendAsync(null, dsp.Folder.Write("x.txt")));

        Assert.Equal(ErrorId.ServerError, result.Error!.ErrorId);
        Assert.Equal(HttpStatusCode.InternalServerError, result.Error.StatusCode);
        Assert.NotNull(result.Error.ServerMessage);
        Assert.Equal(2, result.Attempts);
    }

    [Fact]
    public async Task Redirect_is_an_error_that_names_the_target()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.SetFaults("redirect=POST");

        UploadResult result = Assert.Single(await dsp.SendAsync(null, dsp.Folder.Write("x.txt")));

        Assert.Equal(ErrorId.Redirected, result.Error!.ErrorId);
        Assert.Contains("http", result.Error.Message, StringComparison.Ordinal);
        Assert.Equal(1, result.Attempts);
    }

    [Fact]
    public async Task Lock_that_others_hold_is_waited_for()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        IDisposable held = await dsp.Project.HoldLockAsync();
        Task<List<UploadResult>> sending = dsp.SendAsync(null, dsp.Folder.Write("x.txt"));
        await dsp.WaitUntilAsync(() => dsp.Server.Requests.Snapshot().Any(request => request.Method == "POST" && request.Status == 409));

        held.Dispose();
        UploadResult result = Assert.Single(await sending);

        Assert.Null(result.Error);
        Assert.True(result.Attempts > 1);
    }

    [Fact]
    public async Task Lock_that_stays_held_fails_the_file_as_locked()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        using IDisposable held = await dsp.Project.HoldLockAsync();

        UploadResult result = Assert.Single(
            await dsp.SendAsync(new UploadOptions { LockTimeout = TimeSpan.FromSeconds(1) }, dsp.Folder.Write("x.txt"))
        );

        Assert.Equal(ErrorId.Locked, result.Error!.ErrorId);
        Assert.Contains("A bulk ingest is currently in progress for project 0001.", result.Error.ServerMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_calls_at_once_on_one_project_lose_nothing()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        for (int i = 0; i < 300; i++)
        {
            dsp.Folder.Write($"a/{i}.txt", i * 100);
            dsp.Folder.Write($"b/{i}.txt", i * 100);
        }

        List<UploadResult>[] results = await Task.WhenAll(
            dsp.SendAsync(new UploadOptions { Destination = "a" }, Path.Join(dsp.Folder.Path, "a")),
            dsp.SendAsync(new UploadOptions { Destination = "b" }, Path.Join(dsp.Folder.Path, "b"))
        );

        Assert.All(results.SelectMany(result => result), result => Assert.Null(result.Error));
        Assert.Equal(600, dsp.Project.WaitingFiles.Count);
    }

    [Fact]
    public async Task Project_that_stands_still_holds_up_no_other()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.SetFaults("stall=POST /projects/0001/bulk-ingest/ingest/*");
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        foreach (string shortcode in new[] { "0001", "0002", "0001", "0002" })
            requests.Writer.TryWrite(
                new UploadRequest(dsp.Folder.Write($"{shortcode}-{requests.Reader.Count}.tif"), dsp.Client.CreateUploadTarget(shortcode))
            );
        requests.Writer.Complete();
        await using IAsyncEnumerator<UploadResult> results = new UploadEngine(new UploadOptions(), dsp.Log)
            .SendAsync(requests.Reader)
            .GetAsyncEnumerator();

        for (int i = 0; i < 2; i++)
        {
            Assert.True(await results.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60)));
            Assert.Equal(("0002", UploadStatus.Uploaded), (results.Current.Shortcode, results.Current.Status));
        }
    }

    [Fact]
    public async Task Wrong_token_is_tried_once_and_every_file_says_so()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings =>
            settings with
            {
                Secret = _ => ValueTask.FromResult("wrong-canary-token"),
            }
        );
        for (int i = 0; i < 20; i++)
            dsp.Folder.Write($"{i}.txt");

        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Path);

        Assert.Equal(20, results.Count);
        Assert.All(results, result => Assert.Equal(ErrorId.NotSignedIn, result.Error!.ErrorId));
        Assert.Single(dsp.Server.Requests.Settled());
        Assert.DoesNotContain("wrong-canary-token", dsp.Log.All + results[0].Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_that_ends_in_the_middle_is_renewed_once_and_nothing_fails()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings =>
            settings with
            {
                SignIn = SignInKind.Password,
                UserName = "root@example.com",
                Secret = _ => ValueTask.FromResult("test"),
                AuthenticationUri = settings.Uri,
            }
        );
        Assert.Null(Assert.Single(await dsp.SendAsync(null, dsp.Folder.Write("before.txt"))).Error);
        dsp.Server.DspIngest.Tokens.ExpireAll();

        Assert.Null(Assert.Single(await dsp.SendAsync(null, dsp.Folder.Write("after.txt"))).Error);

        Assert.Equal(2, dsp.Server.Requests.Settled().Count(request => request.Target == "/v2/authentication"));
    }

    [Fact]
    public async Task Server_that_is_down_fails_every_file_soon_and_says_what_to_do()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings =>
            settings with
            {
                Uri = new Uri("http://127.0.0.1:1"),
                MaxAttempts = 2,
            }
        );
        for (int i = 0; i < 100; i++)
            dsp.Folder.Write($"{i}.txt");

        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Path).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(100, results.Count);
        Assert.All(results, result => Assert.Equal(ErrorId.ConnectionFailed, result.Error!.ErrorId));
        Assert.Contains("-Uri", results[0].Error!.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Upload_that_moves_no_byte_is_given_up()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.SetFaults("stall=POST");
        // A minute without progress is a second here.
        using IngestConnection connection = dsp.Connect(new QuickTime(60), settings => settings with { MaxAttempts = 1 });

        UploadResult result = Assert.Single(await dsp.SendAsync(connection, null, dsp.Folder.Write("x.tif", 20_000_000)));

        Assert.Equal(ErrorId.NoProgress, result.Error!.ErrorId);
        Assert.Contains("made no progress for 60 s", result.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Slow_upload_takes_as_long_as_it_moves()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string path = dsp.Folder.Write("x.tif", 6_000_000);
        dsp.SetFaults("slow-body=64KiB,40ms");
        // The body takes more than 3 s, an attempt of another request 2.5 s at most, and a pause without a byte 30 s.
        using IngestConnection connection = dsp.Connect(new QuickTime(2), settings => settings with { Timeout = TimeSpan.FromSeconds(5) });

        UploadResult result = Assert.Single(await dsp.SendAsync(connection, null, path));

        Assert.Null(result.Error);
        Assert.Equal(1, result.Attempts);
    }

    [Fact]
    public async Task Reader_that_stops_aborts_what_is_under_way()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Folder.Write("a.txt");
        dsp.Folder.Write("b.txt");
        dsp.SetFaults("stall=POST /projects/*/bulk-ingest/ingest/b.txt");

        UploadResult first = await FirstAsync(
                new UploadEngine(new UploadOptions(), dsp.Log).SendAsync(
                    dsp.Requests(Path.Join(dsp.Folder.Path, "a.txt"), Path.Join(dsp.Folder.Path, "b.txt"))
                )
            )
            .WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal("a.txt", first.RemoteName);
        await dsp.WaitUntilAsync(() => dsp.Server.Requests.InFlight == 0);
    }

    [Fact]
    public async Task Progress_ends_at_the_total()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        for (int i = 0; i < 50; i++)
            dsp.Folder.Write($"{i}.txt", 1000);
        dsp.SetFaults("reset-body=5,POST");
        UploadEngine engine = new(new UploadOptions(), dsp.Log);

        await foreach (UploadResult result in engine.SendAsync(dsp.Requests(dsp.Folder.Path)))
            Assert.Null(result.Error);

        UploadProgress progress = engine.Progress;
        Assert.Equal((50, 50, 0), (progress.FilesFound, progress.FilesDone, progress.FilesFailed));
        Assert.Equal((50_000, 50_000), (progress.BytesFound, progress.BytesDone));
        Assert.True(progress.IsTotalKnown);
    }

    private static async Task<UploadResult> FirstAsync(IAsyncEnumerable<UploadResult> results)
    {
        await foreach (UploadResult result in results)
            return result;
        throw new InvalidOperationException("No result came.");
    }
}
