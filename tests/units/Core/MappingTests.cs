using IngestTools.Services.DspIngest;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>The mapping of a DSP-INGEST project.</summary>
public sealed class MappingTests
{
    [Fact]
    public async Task Older_derivative_is_not_taken_for_that_of_a_file_sent_again()
    {
        bool fails = false;
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IngestFails = _ => fails);
        string path = dsp.Folder.Write("a.tif");
        await dsp.WaitAsync(await dsp.StartIngestAsync(await dsp.SendAsync(null, path)));
        fails = true;
        List<UploadResult> again = await dsp.SendAsync(null, path);
        await dsp.WaitAsync(await dsp.StartIngestAsync(again));

        List<IngestMapping> rows = [];
        await foreach (IngestMapping row in dsp.Client.CompareAsync("0001", again, CancellationToken.None))
            rows.Add(row);

        Assert.False(Assert.Single(rows).Ingested);
    }

    [Fact]
    public async Task Mapping_that_breaks_before_its_first_line_is_fetched_again()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Project.SeedMapping(10);
        dsp.SetFaults("reset-answer=1,5B,GET /projects/*/bulk-ingest/mapping.csv");

        int rows = 0;
        await foreach (MappingRow _ in dsp.Client.ReadMappingAsync("0001", CancellationToken.None))
            rows++;

        Assert.Equal(10, rows);
    }

    [Fact]
    public async Task Mapping_that_cannot_be_written_names_the_place_whatever_is_wrong_with_it()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Project.SeedMapping(10);

        foreach (string name in new[] { Path.Join("none", "mapping.csv"), new string('x', 300) })
        {
            IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
                dsp.Client.SaveMappingAsync("0001", Path.Join(dsp.Folder.Path, name), CancellationToken.None)
            );
            Assert.Equal(ErrorId.FileUnreadable, error.ErrorId);
        }

        Assert.Empty(Directory.GetFiles(dsp.Folder.Path));
    }
}
