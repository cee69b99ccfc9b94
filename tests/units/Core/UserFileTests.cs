using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using IngestTools.Files;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Files that users name: whole or as they were, and never overwritten by something else.</summary>
public sealed class UserFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File1 => Path.Join(_folder.Path, "mapping.csv");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task File_of_other_content_is_set_aside_under_the_first_free_name()
    {
        File.WriteAllText(File1, "first");
        File.WriteAllText(Path.Join(_folder.Path, "mapping-1.csv"), "older");

        Assert.Equal(Path.Join(_folder.Path, "mapping-2.csv"), await WriteAsync(File1, "second"));

        Assert.Equal("second", File.ReadAllText(File1));
        Assert.Equal("first", File.ReadAllText(Path.Join(_folder.Path, "mapping-2.csv")));
        Assert.Equal("older", File.ReadAllText(Path.Join(_folder.Path, "mapping-1.csv")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("first")]
    [InlineData("first\nsecond")]
    public async Task File_that_is_the_beginning_of_the_new_one_is_replaced(string earlier)
    {
        File.WriteAllText(File1, earlier);

        Assert.Null(await WriteAsync(File1, "first\nsecond"));

        Assert.Equal("first\nsecond", File.ReadAllText(File1));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task File_stays_as_it_was_where_the_writing_fails()
    {
        File.WriteAllText(File1, "first");

        await Assert.ThrowsAsync<IOException>(() =>
            UserFile.Find(File1).WriteAsync(_ => throw new IOException("broken"), CancellationToken.None)
        );

        Assert.Equal("first", File.ReadAllText(File1));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [FactExceptOn("windows", "Windows has no file modes.")]
    [UnsupportedOSPlatform("windows")]
    public async Task Mode_is_kept_and_links_stay_links()
    {
        File.WriteAllText(File1, "first");
        File.SetUnixFileMode(File1, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string link = Path.Join(_folder.Path, "link.csv");
        File.CreateSymbolicLink(link, "mapping.csv");
        string second = Path.Join(_folder.Path, "second.csv");
        File.CreateSymbolicLink(second, "link.csv");

        await WriteAsync(second, "first\nmore");

        Assert.Equal("mapping.csv", new FileInfo(link).LinkTarget);
        Assert.Equal("first\nmore", File.ReadAllText(File1));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(File1));
    }

    [FactExceptOn("windows", "Links need a right on Windows.")]
    [UnsupportedOSPlatform("windows")]
    public async Task Link_that_leads_to_no_file_yet_is_written_through()
    {
        string link = Path.Join(_folder.Path, "link.csv");
        File.CreateSymbolicLink(link, "mapping.csv");

        await WriteAsync(link, "first");

        Assert.Equal("first", File.ReadAllText(File1));
        Assert.Equal("mapping.csv", new FileInfo(link).LinkTarget);
    }

    [FactExceptOn("windows", "Windows has no such nodes.")]
    [UnsupportedOSPlatform("windows")]
    public async Task Pipe_is_refused_and_stays_what_it_is()
    {
        string pipe = Path.Join(_folder.Path, "pipe");
        using (Process made = Process.Start("mkfifo", pipe))
            await made.WaitForExitAsync();
        string link = Path.Join(_folder.Path, "link.csv");
        File.CreateSymbolicLink(link, "pipe");

        Assert.Contains(
            "a device, a pipe or a socket",
            Assert.Throws<IOException>(() => UserFile.Find(pipe)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "a device, a pipe or a socket",
            Assert.Throws<IOException>(() => UserFile.Find(link)).Message,
            StringComparison.Ordinal
        );
        Assert.Equal(2, Directory.GetFiles(_folder.Path).Length);
    }

    [FactExceptOn("windows", "Windows has no such nodes.")]
    [UnsupportedOSPlatform("windows")]
    public void Device_is_refused_and_stays_what_it_is()
    {
        using DeviceNode device = DeviceNode.Make(_folder.Path);
        string link = Path.Join(_folder.Path, "link.csv");
        File.CreateSymbolicLink(link, device.Path);
        string[] before = Directory.GetFiles(_folder.Path);

        foreach (string path in new[] { device.Path, link })
            Assert.Contains(
                "a device, a pipe or a socket",
                Assert.Throws<IOException>(() => UserFile.Find(path)).Message,
                StringComparison.Ordinal
            );

        Assert.True(device.IsThere);
        Assert.Equal(before, Directory.GetFiles(_folder.Path));
    }

    [FactExceptOn("windows", "Windows has no such nodes.")]
    [UnsupportedOSPlatform("windows")]
    public void Socket_is_refused_and_stays_what_it_is()
    {
        string path = Path.Join(_folder.Path, "s");
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));

        Assert.Throws<IOException>(() => UserFile.Find(path));
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void Folder_is_refused() =>
        Assert.Contains("it is a folder", Assert.Throws<IOException>(() => UserFile.Find(_folder.Path)).Message, StringComparison.Ordinal);

    [FactExceptOn("windows", "Links need a right on Windows.")]
    [UnsupportedOSPlatform("windows")]
    public void Links_in_a_circle_are_refused()
    {
        string one = Path.Join(_folder.Path, "one");
        File.CreateSymbolicLink(one, "two");
        File.CreateSymbolicLink(Path.Join(_folder.Path, "two"), "one");

        Assert.Contains("in a circle", Assert.Throws<IOException>(() => UserFile.Find(one)).Message, StringComparison.Ordinal);
    }

    private static Task<string?> WriteAsync(string path, string content) =>
        UserFile.Find(path).WriteAsync(file => file.WriteAsync(Encoding.UTF8.GetBytes(content)).AsTask(), CancellationToken.None);
}
