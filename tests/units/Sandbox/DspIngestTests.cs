using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using IngestTools.Sandbox.Services.DspIngest;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class DspIngestTests
{
    private const string NoImportFolder = """{"id":"0001","type":"Import folder not found."}""";
    private const string NoMapping = """{"id":"0001","type":"project"}""";

    [Fact]
    public async Task Nothing_uploaded_is_told_as_not_found()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.StartIngestAsync().IsAsync(HttpStatusCode.NotFound, NoImportFolder);
        await sandbox.FinalizeAsync().IsAsync(HttpStatusCode.NotFound, NoImportFolder);
        await sandbox.MappingAsync().IsAsync(HttpStatusCode.NotFound, NoMapping);
    }

    [Fact]
    public async Task Every_file_is_ingested_exactly_once_with_what_was_uploaded()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        for (int i = 0; i < 200; i++)
            await sandbox.UploadAsync($"folder {i % 7}/{i}.tif", $"content {i}");

        await sandbox.IngestAsync();

        Assert.Equal(200, sandbox.Project.Histories.Count);
        Assert.All(
            sandbox.Project.Histories.Values,
            static h =>
            {
                Assert.Equal((1, 1), (h.Uploads, h.Ingests));
                Assert.Equal(h.UploadedSha256, h.IngestedSha256);
            }
        );
        Assert.Empty(sandbox.Project.WaitingFiles);
        Assert.Equal(200, sandbox.Project.Mapping!.Select(static a => a.AssetId).Distinct().Count());
    }

    [Fact]
    public async Task Mapping_is_utf8_without_bom_and_without_a_final_newline()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.UploadAsync("Côté gauche/Süd.PNG");
        await sandbox.IngestAsync();

        using HttpResponseMessage answer = await sandbox.MappingAsync();
        byte[] bytes = await answer.Content.ReadAsByteArrayAsync();

        Assert.Equal("text/csv", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal("attachment; filename=mapping.csv", answer.Content.Headers.ContentDisposition?.ToString());
        Assert.Matches(
            new Regex(@"\Aoriginal,derivative\nCôté gauche/Süd\.PNG,[0-9A-Za-z]{11}-[0-9A-Za-z]{11}\.jpx\z"),
            Encoding.UTF8.GetString(bytes)
        );
        Assert.Equal((byte)'o', bytes[0]);
    }

    [Fact]
    public async Task Mapping_has_only_a_header_when_nothing_succeeded()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o => o.IngestFails = static _ => true);
        await sandbox.UploadAsync("a.txt");
        await sandbox.IngestAsync();
        await sandbox.MappingAsync().IsAsync(HttpStatusCode.OK, "original,derivative");
    }

    [Theory]
    [InlineData("a,b.txt", "\"a,b.txt\"")]
    [InlineData("f\"g/b.txt", "\"f\"\"g/b.txt\"")]
    [InlineData("f\ng/b.txt", "\"f\ng/b.txt\"")]
    [InlineData("f;g 'h'/b.txt", "f;g 'h'/b.txt")]
    [InlineData("cafe\u0301.txt", "cafe\u0301.txt")]
    public async Task Original_is_quoted_only_where_it_must_be_and_keeps_its_unicode_form(string name, string cell)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.UploadAsync(name);
        await sandbox.IngestAsync();
        Assert.StartsWith($"original,derivative\n{cell},", await sandbox.MappingAsync().BodyAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.JPG", "jpx")]
    [InlineData("a.tiff", "jpx")]
    [InlineData("a.MP4", "mp4")]
    [InlineData("a.Pdf", "Pdf")]
    [InlineData("a.tar.gz", "gz")]
    [InlineData("a.svg", "svg")]
    public async Task Derivative_has_the_extension_of_its_kind(string name, string extension)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.UploadAsync(name);
        await sandbox.IngestAsync();
        Assert.Equal(extension, Assert.Single(sandbox.Project.Mapping!).Extension);
    }

    [Fact]
    public async Task Left_over_file_stays_and_the_next_run_appends_it()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o => o.IngestFails = DspIngestOptions.FilesLike("*bad*"));
        await sandbox.UploadAsync("good.txt");
        await sandbox.UploadAsync("folder/bad.txt");
        await sandbox.IngestAsync();
        string first = await sandbox.MappingAsync().BodyAsync();
        Assert.Equal("folder/bad.txt", Assert.Single(sandbox.Project.WaitingFiles).Path);

        sandbox.Options.IngestFails = static _ => false;
        await sandbox.IngestAsync();

        string second = await sandbox.MappingAsync().BodyAsync();
        Assert.StartsWith($"{first}\nfolder/bad.txt,", second, StringComparison.Ordinal);
        Assert.Equal(3, second.Split('\n').Length);
        Assert.Equal((1, 1), (sandbox.Project.History("folder/bad.txt").Ingests, sandbox.Project.History("folder/bad.txt").IngestFailures));
    }

    [Fact]
    public async Task File_that_is_uploaded_again_after_its_ingest_has_two_rows()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        for (int i = 0; i < 2; i++)
        {
            await sandbox.UploadAsync("a.txt");
            await sandbox.IngestAsync();
        }

        Assert.Equal(["a.txt", "a.txt"], sandbox.Project.Mapping!.Select(static a => a.Original));
        Assert.Equal(2, sandbox.Project.Mapping!.Select(static a => a.Derivative).Distinct().Count());
    }

    [Fact]
    public async Task Hidden_file_is_skipped_without_a_word()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.UploadAsync("folder/.x.txt");
        await sandbox.IngestAsync();
        await sandbox.MappingAsync().IsAsync(HttpStatusCode.OK, "original,derivative");
        Assert.Equal("folder/.x.txt", Assert.Single(sandbox.Project.WaitingFiles).Path);
    }

    [Fact]
    public async Task Truncated_file_is_ingested_as_if_it_were_whole()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(null, "reset-body=1,4B");
        await Assert.ThrowsAsync<HttpRequestException>(() => sandbox.UploadAsync("a.txt", "12345678"));
        await sandbox.WaitUntilAsync(() => sandbox.Server.Requests.Ended == 1);

        await sandbox.IngestAsync();

        Assert.Equal(4, Assert.Single(sandbox.Project.Mapping!).Length);
        DspFileHistory history = sandbox.Project.History("a.txt");
        Assert.Equal((0, 1, 1), (history.Uploads, history.BrokenUploads, history.Ingests));
    }

    [Fact]
    public async Task Finalize_answers_first_and_then_deletes_what_is_left()
    {
        TaskCompletionSource deletion = new();
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o =>
        {
            o.LockWait = TimeSpan.FromMilliseconds(10);
            o.BeforeDelete = () => deletion.Task;
            o.IngestFails = DspIngestOptions.FilesLike("left-over.txt");
        });
        await sandbox.UploadAsync("a.txt");
        await sandbox.UploadAsync("left-over.txt");
        await sandbox.IngestAsync();

        await sandbox.FinalizeAsync().IsAsync(HttpStatusCode.OK, """{"id":"0001"}""");
        Assert.Equal(HttpStatusCode.Conflict, await sandbox.MappingAsync().StatusAsync());
        deletion.SetResult();
        await sandbox.WaitUntilAsync(() => !sandbox.Project.IsLocked);

        await sandbox.MappingAsync().IsAsync(HttpStatusCode.NotFound, NoMapping);
        await sandbox.FinalizeAsync().IsAsync(HttpStatusCode.NotFound, NoImportFolder);
        Assert.Empty(sandbox.Project.WaitingFiles);
    }

    [Fact]
    public async Task Mapping_of_many_rows_is_whole()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        sandbox.Project.SeedMapping(100_000);
        string[] lines = (await sandbox.MappingAsync().BodyAsync()).Split('\n');
        Assert.Equal(100_001, lines.Length);
        Assert.StartsWith("seed/0099999.jpg,", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asset_tells_the_checksum_of_its_original()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o => o.CorruptsChecksum = DspIngestOptions.FilesLike("corrupt.jpg"));
        await sandbox.UploadAsync("folder/a.jpg");
        await sandbox.UploadAsync("corrupt.jpg");
        await sandbox.IngestAsync();

        DspAsset good = sandbox.Project.Mapping!.Single(static a => a.Original == "folder/a.jpg");
        using JsonDocument told = JsonDocument.Parse(await sandbox.GetAsync($"projects/0001/assets/{good.AssetId}").BodyAsync());
        Assert.Equal("a.jpg", told.RootElement.GetProperty("originalFilename").GetString());
        Assert.Equal(good.Derivative, told.RootElement.GetProperty("internalFilename").GetString());
        Assert.Equal(good.Sha256.ToString(), told.RootElement.GetProperty("checksumOriginal").GetString());
        Assert.Equal("image/jpeg", told.RootElement.GetProperty("originalMimeType").GetString());

        DspAsset bad = sandbox.Project.Mapping!.Single(static a => a.Original == "corrupt.jpg");
        string wrong = await sandbox.GetAsync($"projects/0001/assets/{bad.AssetId}").BodyAsync();
        Assert.DoesNotContain($"\"checksumOriginal\":\"{bad.Sha256}\"", wrong, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, await sandbox.GetAsync("projects/0001/assets/none").StatusAsync());

        sandbox.Options.HasAssetsRoute = false;
        await sandbox.GetAsync($"projects/0001/assets/{good.AssetId}").IsAsync(HttpStatusCode.NotFound, "");
    }
}
