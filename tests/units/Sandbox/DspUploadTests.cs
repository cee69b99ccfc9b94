using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using IngestTools.Sandbox.Services.DspIngest;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class DspUploadTests
{
    [Fact]
    public async Task Upload_is_kept_as_hash_and_length()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        byte[] content = RandomNumberGenerator.GetBytes(200_000);

        using HttpResponseMessage answer = await sandbox.UploadAsync("one/two/out.txt", content);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal("""{"status":"ok"}""", await answer.Content.ReadAsStringAsync());
        DspWaitingFile expected = new("one/two/out.txt", content.Length, new Sha256Digest(SHA256.HashData(content)), IsComplete: true);
        Assert.Equal(expected, Assert.Single(sandbox.Project.WaitingFiles));
        Assert.Equal(1, sandbox.Project.History("one/two/out.txt").Uploads);
    }

    [Fact]
    public async Task Second_upload_overwrites_and_truncates()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.UploadAsync("a.txt", "much longer than the second");
        await sandbox.UploadAsync("a.txt", "short");

        Assert.Equal(5, Assert.Single(sandbox.Project.WaitingFiles).Length);
        Assert.Equal(2, sandbox.Project.History("a.txt").Uploads);
    }

    [Theory]
    [InlineData(251, HttpStatusCode.OK)]
    [InlineData(252, HttpStatusCode.InternalServerError)]
    [InlineData(300, HttpStatusCode.InternalServerError)]
    public async Task Name_that_the_servers_disk_refuses_is_an_error_without_words(int letters, HttpStatusCode status)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();

        using HttpResponseMessage answer = await sandbox.UploadAsync($"one/{new string('n', letters)}.txt");

        Assert.Equal(status, answer.StatusCode);
        if (status != HttpStatusCode.OK)
            Assert.Equal("", await answer.Content.ReadAsStringAsync());
        Assert.Equal(status == HttpStatusCode.OK ? 1 : 0, sandbox.Project.WaitingFiles.Count);
        Assert.False(sandbox.Project.IsLocked);
    }

    [Fact]
    public async Task Empty_file_is_accepted()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.UploadAsync("a.txt", "").IsAsync(HttpStatusCode.OK, """{"status":"ok"}""");
    }

    [Fact]
    public async Task File_may_be_larger_than_a_web_server_takes_by_default()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync("a.tif", new byte[40 << 20]).StatusAsync());
        Assert.Equal(40 << 20, Assert.Single(sandbox.Project.WaitingFiles).Length);
    }

    [Fact]
    public async Task Unescaped_slash_is_an_unknown_route_with_an_empty_answer()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.PostAsync("projects/0001/bulk-ingest/ingest/one/out.txt").IsAsync(HttpStatusCode.NotFound, "");
        await sandbox.GetAsync("nowhere").IsAsync(HttpStatusCode.NotFound, "");
        Assert.False(sandbox.Project.HasImportFolder);
    }

    [Theory]
    [InlineData("a%2Fb.txt", "a/b.txt")]
    [InlineData("a%2fb.txt", "a/b.txt")]
    [InlineData("%2Fa.txt", "a.txt")]
    [InlineData("a%2F%2Fb.txt", "a/b.txt")]
    [InlineData(".%2Fb.txt", "b.txt")]
    [InlineData("a%2F..%2Fb.txt", "b.txt")]
    [InlineData("a.txt%2F", "a.txt")]
    [InlineData("a+b.txt", "a+b.txt")]
    [InlineData("a%2Bb.txt", "a+b.txt")]
    [InlineData("folder%23%40%3F%2Fb.txt", "folder#@?/b.txt")]
    [InlineData("..x%2F..%2Fb.txt", "b.txt")]
    public async Task Path_is_decoded_once_and_normalised(string segment, string path)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        using Socket socket = await sandbox.SendRawAsync(DspSandbox.UploadHead(segment, 0));
        await sandbox.WaitUntilAsync(() => sandbox.Server.Requests.Ended == 1);
        Assert.Equal(path, Assert.Single(sandbox.Project.WaitingFiles).Path);
    }

    [Theory]
    [InlineData("../a.txt", "Cannot traverse out of the upload directory")]
    [InlineData("a/../../b.txt", "Cannot traverse out of the upload directory")]
    [InlineData("..x.png", "Cannot traverse out of the upload directory")]
    [InlineData("Foo", "Filename must have a valid file extension")]
    [InlineData("Foo.", "Filename must have a valid file extension")]
    [InlineData("Foo.bar", "Filename must have a valid file extension")]
    [InlineData("Foo.png.bar", "Filename must have a valid file extension")]
    [InlineData("a.gif", "Filename must have a valid file extension")]
    [InlineData("Foo#.png", "Filename contains invalid characters")]
    [InlineData("Foo$.png", "Filename contains invalid characters")]
    [InlineData("👍.png", "Filename contains invalid characters")]
    [InlineData("?.jpg", "Filename contains invalid characters")]
    [InlineData(@"a\b.jpg", "Filename contains invalid characters")]
    [InlineData("100%.jpg", "Filename contains invalid characters")]
    [InlineData("a%2Fb.jpg", "Filename contains invalid characters")]
    [InlineData("a\nb.jpg", "Filename contains invalid characters")]
    [InlineData("हिन्दी.jpg", "Filename contains invalid characters")]
    [InlineData("/", "Empty path")]
    public async Task Bad_name_is_refused_with_the_servers_own_words(string name, string reason)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();

        string body = await sandbox.UploadAsync(name).BodyAsync();

        string shown = name.Replace("\n", @"\n", StringComparison.Ordinal).Replace(@"a\b", @"a\\b", StringComparison.Ordinal);
        // JSON may write what is beyond the first plane as an escaped pair.
        shown = shown.Replace("👍", @"\uD83D\uDC4D", StringComparison.Ordinal);
        Assert.Equal($$"""{"errors":[{"argument":"Path variable: 'filename''","reason":"'{{shown}}' is invalid: {{reason}}"}]}""", body);
        Assert.False(sandbox.Project.HasImportFolder);
    }

    [Theory]
    [InlineData("0.jpg")]
    [InlineData("Foo Bar.csv")]
    [InlineData("02_Robson_Introduction to IIIF.mp4")]
    [InlineData("folder/..d'un processus.. .pdf")]
    [InlineData("disegni e copie, Vat.lat.9849, f. 66r. (cf emerick nota 92)jpg.jpg")]
    [InlineData("öäüßÖÄÜ.jpg")]
    [InlineData("漢字.jpg")]
    [InlineData("ひらがな.jpg")]
    [InlineData("한글.jpg")]
    [InlineData("አማርኛ.jpg")]
    [InlineData("العربية.jpg")]
    [InlineData("հայերեն.jpg")]
    [InlineData("български.jpg")]
    [InlineData("= .,`'+!<>|()[]{}.jpg")]
    [InlineData("𠀀.jpg")]
    [InlineData("cafe\u0301.JPG")]
    [InlineData("x.tar.gz")]
    [InlineData(".hidden.txt")]
    [InlineData("drawing.svg")]
    public async Task Good_name_is_accepted_and_kept_in_its_unicode_form(string name)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync(name).StatusAsync());
        Assert.Equal(name, Assert.Single(sandbox.Project.WaitingFiles).Path);
    }

    [Theory]
    [InlineData("a.svg")]
    [InlineData("a.html")]
    [InlineData("a.htm")]
    [InlineData("a.epub")]
    public async Task Release_0_19_1_knows_fewer_extensions(string name)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o => o.Release = DspIngestRelease.V0191);
        Assert.Equal(HttpStatusCode.BadRequest, await sandbox.UploadAsync(name).StatusAsync());
    }

    [Fact]
    public async Task Aborted_upload_leaves_a_truncated_file_and_releases_the_lock()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        using (Socket socket = await sandbox.SendRawAsync(DspSandbox.UploadHead("a.txt", 1000) + "only the first bytes"))
        {
            await sandbox.WaitUntilAsync(() => sandbox.Project.IsLocked);
            socket.Close();
        }

        await sandbox.WaitUntilAsync(() => sandbox.Server.Requests.Ended == 1);

        DspWaitingFile file = Assert.Single(sandbox.Project.WaitingFiles);
        Assert.False(file.IsComplete);
        Assert.InRange(file.Length, 0, Encoding.UTF8.GetByteCount("only the first bytes"));
        Assert.Equal(new DspFileHistory { BrokenUploads = 1 }, sandbox.Project.History("a.txt"));
        Assert.False(sandbox.Project.IsLocked);
        Assert.True(Assert.Single(sandbox.Server.Requests.Snapshot()).Aborted);
    }

    [Fact]
    public async Task Client_that_stops_sending_and_still_listens_gets_no_answer()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        using Socket socket = await sandbox.SendRawAsync(DspSandbox.UploadHead("a.txt", 1000) + "only the first bytes");
        await sandbox.WaitUntilAsync(() => sandbox.Project.IsLocked);
        socket.Shutdown(SocketShutdown.Send);
        await sandbox.WaitUntilAsync(() => sandbox.Server.Requests.Ended == 1);

        Task<int> answer = socket.ReceiveAsync(new byte[1000], SocketFlags.None, sandbox.Soon).AsTask();

        await Task.WhenAny(answer);
        Assert.True(answer.IsFaulted || await answer == 0, "there was an answer");
        Assert.False(Assert.Single(sandbox.Project.WaitingFiles).IsComplete);
    }

    [Fact]
    public async Task Path_may_be_long()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        string path = string.Concat(Enumerable.Repeat("漢字漢字漢字漢字漢字/", 100)) + "a.txt";
        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync(path).StatusAsync());
        Assert.Equal(path, Assert.Single(sandbox.Project.WaitingFiles).Path);
    }

    [Theory]
    [InlineData("000G")]
    [InlineData("12345")]
    [InlineData("123")]
    [InlineData("")]
    [InlineData("%2F001")]
    public async Task Bad_shortcode_is_refused_in_plain_text(string shortcode)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        using HttpResponseMessage answer = await sandbox.GetAsync($"projects/{shortcode}/bulk-ingest/mapping.csv");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("Invalid value for: path parameter shortcode", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Shortcode_comes_in_any_case_and_goes_out_in_upper_case()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.UploadAsync("a.txt", shortcode: "082e");
        await sandbox.StartIngestAsync("082e").IsAsync(HttpStatusCode.Accepted, """{"id":"082E"}""");
        await sandbox.WaitUntilAsync(() => sandbox.Server.DspIngest.Project("082E").Mapping?.Count == 1);
    }
}
