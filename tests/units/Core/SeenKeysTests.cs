using Xunit;

namespace IngestTools.Units.Core;

public sealed class SeenKeysTests
{
    [Fact]
    public void Keys_are_remembered_however_many()
    {
        SeenKeys seen = new();
        for (int i = 0; i < 100_000; i++)
            Assert.True(seen.Add($"folder/file-{i}.tif"));
        for (int i = 0; i < 100_000; i += 97)
            Assert.False(seen.Add($"folder/file-{i}.tif"));
        Assert.False(seen.Contains("other"));
        Assert.Equal(100_000, seen.Count);
    }

    [Fact]
    public void Keys_are_known_after_each_growth()
    {
        SeenKeys seen = new();
        for (int i = 0; i < 2000; i++)
        {
            Assert.True(seen.Add($"{i}"));
            // Each tenth makes a bucket split, and its names move.
            if (i % 10 != 0)
                continue;
            for (int before = 0; before <= i; before++)
            {
                Assert.False(seen.Add($"{before}"));
                Assert.True(seen.Contains($"{before}"));
            }
        }

        Assert.Equal(2000, seen.Count);
        Assert.False(seen.Contains("2000"));
    }
}
