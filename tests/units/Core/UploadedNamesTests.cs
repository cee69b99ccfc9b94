using IngestTools.Uploads;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class UploadedNamesTests
{
    [Fact]
    public void Names_beyond_memory_come_back_in_order()
    {
        using UploadedNames names = new();
        int count = UploadedNames.MostInMemory + 5000;
        for (int i = 0; i < count; i++)
            names.Add($"Côté/{i}.tif");

        Assert.Equal(count, names.Count);
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"Côté/{i}.tif"), names.Read());
        names.Add("last");
        Assert.Equal("last", names.Read().Last());
    }
}
