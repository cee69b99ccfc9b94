using System.Net;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Services.DspIngest;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class DspDataFolderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ingest-sandbox-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Uploads_are_files_and_are_moved_when_ingested()
    {
        await using DspSandbox sandbox = await StartAsync();
        await sandbox.UploadAsync("Côté/a.jpg", "content of a");
        Assert.Equal("content of a", await File.ReadAllTextAsync(InProject("import/Côté/a.jpg")));

        await sandbox.IngestAsync();

        DspAsset asset = Assert.Single(sandbox.Project.Mapping!);
        Assert.False(File.Exists(InProject("import/Côté/a.jpg")));
        Assert.Equal("content of a", await File.ReadAllTextAsync(InProject($"assets/{asset.AssetId}.jpg.orig")));
        Assert.Equal($"original,derivative\nCôté/a.jpg,{asset.Derivative}\n", await File.ReadAllTextAsync(InProject("mapping.csv")));
    }

    [Fact]
    public async Task Restarted_sandbox_goes_on_where_it_ended()
    {
        string mapping;
        string asset;
        await using (DspSandbox before = await StartAsync())
        {
            await before.UploadAsync("f\n,g/a.jpg", "content of a");
            await before.UploadAsync(".hidden.txt", "content of hidden");
            await before.IngestAsync();
            mapping = await before.MappingAsync().BodyAsync();
            asset = await before.GetAsync($"projects/0001/assets/{before.Project.Mapping![0].AssetId}").BodyAsync();
        }

        await using DspSandbox after = await StartAsync();

        Assert.Equal(mapping, await after.MappingAsync().BodyAsync());
        Assert.Equal(asset, await after.GetAsync($"projects/0001/assets/{after.Project.Mapping![0].AssetId}").BodyAsync());
        Assert.Equal(".hidden.txt", Assert.Single(after.Project.WaitingFiles).Path);
        Assert.Equal((1, 1), (after.Project.History("f\n,g/a.jpg").Uploads, after.Project.History("f\n,g/a.jpg").Ingests));
        Assert.Equal((1, 0), (after.Project.History(".hidden.txt").Uploads, after.Project.History(".hidden.txt").Ingests));
        Assert.Equal(HttpStatusCode.OK, await after.FinalizeAsync().StatusAsync());
        await after.WaitUntilAsync(() => !after.Project.IsLocked);
        Assert.Equal(HttpStatusCode.NotFound, await after.MappingAsync().StatusAsync());
        Assert.False(Directory.Exists(InProject("import")));
    }

    [Fact]
    public async Task Disk_that_refuses_a_file_is_a_server_error_in_the_services_own_form()
    {
        await using DspSandbox sandbox = await StartAsync();
        await sandbox.UploadAsync("a.txt");
        using HttpResponseMessage answer = await sandbox.UploadAsync("a.txt/b.txt");
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.StartsWith("""{"errorMessage":""", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.False(sandbox.Project.IsLocked);
    }

    private Task<DspSandbox> StartAsync() => DspSandbox.StartAsync(new SandboxOptions { DataFolder = _folder.FullName });

    private string InProject(string path) => Path.Combine(_folder.FullName, "dsp-ingest", "0001", path);
}
