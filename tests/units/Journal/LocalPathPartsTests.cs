using IngestTools.Journal;
using Xunit;

namespace IngestTools.Units.Journal;

public sealed class LocalPathPartsTests
{
    [Theory]
    [InlineData("/scans/a.tif", "a.tif", "/scans/", 0)]
    [InlineData("/scans/box 1/a.tif", "box 1/a.tif", "/scans/", 0)]
    [InlineData("/scans/box 1/a.tif", "a.tif", "/scans/box 1/", 0)]
    [InlineData("/scans/box 1/a.tif", "2026/march/box 1/a.tif", "/scans/", 11)]
    [InlineData("/scans/scans/a.tif", "scans/scans/a.tif", "/", 0)]
    [InlineData("/a.tif", "a.tif", "/", 0)]
    [InlineData("/scans/xa.tif", "a.tif", "/scans/xa.tif", -1)]
    [InlineData("/scans/a.tif", "xa.tif", "/scans/a.tif", -1)]
    [InlineData("/scans/users.xlsx", "users-7f3a.xlsx", "/scans/users.xlsx", -1)]
    [InlineData("/scans/e\u0301/a.tif", "\u00e9/a.tif", "/scans/e\u0301/", 2)]
    [InlineData("/scans/e\u0301.tif", "\u00e9.tif", "/scans/e\u0301.tif", -1)]
    [InlineData("/scans/a\\b.tif", "a\\b.tif", "/scans/", 0)]
    [InlineData("/scans/\U0001F600.tif", "\U0001F600.tif", "/scans/", 0)]
    public void A_path_is_kept_once_a_folder_and_comes_back_whole(string path, string name, string folder, int cut)
    {
        LocalPathParts parts = LocalPathParts.Split(path, name, '/');

        Assert.Equal(new LocalPathParts(folder, cut), parts);
        Assert.Equal(path, parts.Join(name, '/'));
    }

    [Theory]
    [InlineData(@"C:\scans\box 1\a.tif", "box 1/a.tif", @"C:\scans\")]
    [InlineData(@"C:\scans\box 1\a.tif", "2026/box 1/a.tif", @"C:\scans\")]
    [InlineData(@"\\server\share\a.tif", "a.tif", @"\\server\share\")]
    [InlineData(@"C:\scans/box 1\a.tif", "box 1/a.tif", @"C:\scans/box 1\")]
    [InlineData(@"C:/scans/a.tif", "a.tif", @"C:/scans/a.tif")]
    [InlineData(@"C:\scans\a.tif", "A.tif", @"C:\scans\a.tif")]
    public void A_path_of_Windows_comes_back_whole(string path, string name, string folder)
    {
        LocalPathParts parts = LocalPathParts.Split(path, name, '\\');

        Assert.Equal(folder, parts.Folder);
        Assert.Equal(path, parts.Join(name, '\\'));
    }
}
