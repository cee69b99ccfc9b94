using System.Text;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class VossUploadTests
{
    [Theory]
    [InlineData("users.xlsx")]
    [InlineData("all the users (ü, 日本).xlsx")]
    [InlineData("a'b&c;d=e%20.xlsx")]
    public async Task Workbook_arrives_whole_under_its_name_with_a_known_length(string name)
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        string path = voss.Write(name, "a@example.org");

        UploadResult result = await voss.SendAsync(path);

        Assert.Equal(
            (UploadStatus.Uploaded, name, name, VossHarness.Hierarchy),
            (result.Status, result.RemoteName, result.FileName, result.Hierarchy)
        );
        Assert.Equal(File.ReadAllBytes(path), Assert.Single(voss.Voss.Files).Content);
        Assert.Equal(TemporaryFolder.HashOf(path), result.Sha256);
        IngestTools.Sandbox.RequestRecord upload = Assert.Single(voss.Server.Requests.Settled());
        Assert.True(upload.ContentLength > result.Length);
        Assert.Equal("/api/uploadfiles/?hierarchy=sys.hcs.Provider", upload.Target);
    }

    [Fact]
    public async Task Name_that_came_back_is_the_one_that_is_loaded()
    {
        await using VossHarness voss = await VossHarness.StartAsync(o => o.NameGiven = name => name.Replace(' ', '_'));
        Transaction load = await voss.StartLoadAsync(voss.Write("my users.xlsx", "a@example.org"));
        (Transaction ended, _) = await voss.FollowAsync(load);
        Assert.Equal(("my_users.xlsx", TransactionStatus.Succeeded), (ended.FileName, ended.Status));
    }

    [Fact]
    public async Task Unique_name_is_one_that_no_other_run_has()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        string path = voss.Write("users.v2.xlsx", "a@example.org");

        UploadResult one = await voss.SendAsync(path, uniqueNames: true);
        UploadResult two = await voss.SendAsync(path, uniqueNames: true);

        Assert.NotEqual(one.FileName, two.FileName);
        Assert.Matches(@"\Ausers\.v2-\d{8}T\d{6}Z-[0-9a-f]{8}\.xlsx\z", one.FileName);
    }

    [Fact]
    public async Task Large_workbook_is_streamed_and_sent_again_whole_after_a_reset()
    {
        await using VossHarness voss = await VossHarness.StartAsync(faults: "reset-body=1,POST /api/uploadfiles/");
        string path = Path.Join(voss.Folder.Path, "large.xlsx");
        byte[] padding = new byte[3 * 1024 * 1024];
        new Random(1).NextBytes(padding);
        File.WriteAllBytes(path, new TestWorkbook().AddUsers("Users", 3).ToBytes());
        using (System.IO.Compression.ZipArchive zip = System.IO.Compression.ZipFile.Open(path, System.IO.Compression.ZipArchiveMode.Update))
        using (Stream entry = zip.CreateEntry("docProps/padding.bin", System.IO.Compression.CompressionLevel.NoCompression).Open())
            entry.Write(padding);

        UploadResult result = await voss.SendAsync(path);

        Assert.Equal((UploadStatus.Uploaded, 2), (result.Status, result.Attempts));
        Assert.Equal(File.ReadAllBytes(path), Assert.Single(voss.Voss.Files).Content);
    }

    public static TheoryData<string, byte[], string> NoWorkbooks =>
        new()
        {
            { "empty.xlsx", [], "it is empty" },
            { "old.xlsx", CompoundFile("Workbook"), "of the old form .xls" },
            { "locked.xlsx", CompoundFile("EncryptedPackage"), "encrypted with a password" },
            { "renamed.xlsx", Encoding.UTF8.GetBytes("Username,Email\r\njane,jané@example.org\r\n"), "it is text" },
            { "page.xlsx", "<html><body>Sign in</body></html>"u8.ToArray(), "a web page" },
            { "picture.xlsx", [0x89, 0x50, 0x4E, 0x47, 0, 1, 2, 3], "does not begin like a zip" },
            { "other.xlsx", Zip("readme.txt"), "a zip file of something else" },
            { "letter.xlsx", Zip("[Content_Types].xml", "word/document.xml"), "a text document" },
            { "binary.xlsx", Zip("[Content_Types].xml", "xl/workbook.bin"), "a binary workbook" },
            { "sheetless.xlsx", new TestWorkbook().ToBytes(), "it has no sheet" },
            { "cut.xlsx", new TestWorkbook().AddUsers("Users", 50).ToBytes()[..600], "its zip is broken" },
        };

    [Theory]
    [MemberData(nameof(NoWorkbooks))]
    public async Task What_is_no_workbook_is_refused_before_sending_with_the_reason(string name, byte[] content, string reason)
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        string path = Path.Join(voss.Folder.Path, name);
        File.WriteAllBytes(path, content);

        UploadResult result = await voss.SendAsync(path);

        Assert.Equal((UploadStatus.Failed, ErrorId.NotAWorkbook), (result.Status, result.Error?.ErrorId));
        Assert.Contains(reason, result.Error!.Message, StringComparison.Ordinal);
        Assert.Contains(path, result.Error.Message, StringComparison.Ordinal);
        Assert.NotNull(result.Error.Advice);
        Assert.Empty(voss.Server.Requests.Settled());
    }

    [Fact]
    public async Task File_that_another_program_holds_fails_and_the_others_go_on()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        string held = voss.Write("held.xlsx", "a@example.org");
        string free = voss.Write("free.xlsx", "a@example.org");
        using FileStream holder = new(held, FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        List<UploadResult> results = await voss.SendAsync(voss.Client.CreateUploadTarget(VossHarness.Hierarchy), held, free);

        Assert.Equal(ErrorId.FileUnreadable, results.Single(r => r.Path == held).Error?.ErrorId);
        Assert.Equal(UploadStatus.Uploaded, results.Single(r => r.Path == free).Status);
    }

    [Fact]
    public async Task Same_name_in_two_folders_is_a_collision_since_the_server_has_no_folders()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        voss.Write("a/users.xlsx", "a@example.org");
        voss.Write("b/users.xlsx", "b@example.org");
        voss.Write("b/~$users.xlsx", "b@example.org");

        List<UploadResult> results = await voss.SendAsync(voss.Client.CreateUploadTarget(VossHarness.Hierarchy), voss.Folder.Path);

        UploadResult collision = results.Single(r => r.Status == UploadStatus.Failed);
        Assert.Equal(ErrorId.NameCollision, collision.Error?.ErrorId);
        Assert.Contains("-UniqueName", collision.Error!.Advice, StringComparison.Ordinal);
        Assert.Equal("users.xlsx", results.Single(r => r.Status == UploadStatus.Uploaded).RemoteName);
        Assert.Contains(
            "spreadsheet program",
            results.Single(r => r.Status == UploadStatus.Skipped).Error!.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Limit_of_size_and_a_wrong_hierarchy_are_told_in_the_servers_words()
    {
        await using VossHarness voss = await VossHarness.StartAsync(o => o.MaxUploadBytes = 100);
        string path = voss.Write("users.xlsx", "a@example.org");

        Assert.Equal(ErrorId.TooLarge, (await voss.SendAsync(path)).Error?.ErrorId);
        UploadResult nowhere = (await voss.SendAsync(voss.Client.CreateUploadTarget("sys.nowhere"), path)).Single();
        Assert.Contains("The hierarchy sys.nowhere does not exist", nowhere.Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sys.hcs.Provider.Customer.Main Site - North")]
    [InlineData("1c055772c0deab00da000005")]
    public async Task Hierarchy_with_spaces_and_hyphens_or_a_pkid_reaches_the_server(string hierarchy)
    {
        await using VossHarness voss = await VossHarness.StartAsync(o => o.UploadNeedsHierarchy = true);
        UploadResult result = (
            await voss.SendAsync(voss.Client.CreateUploadTarget(hierarchy), voss.Write("users.xlsx", "a@example.org"))
        ).Single();
        Transaction load = await voss.Client.StartAsync(result.FileName!, result.Hierarchy!, voss.Soon);
        await voss.FollowAsync(load);
        Assert.Equal("sys.hcs.Provider.Customer.Main Site - North", voss.Voss.Transactions[0].Hierarchy?.Path);
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("sys..hcs", "node 2 of 3 is empty")]
    [InlineData("sys. hcs", "begins or ends with a space")]
    [InlineData("sys.hcs.Prov/ider", "has the character '/'")]
    [InlineData("sys.hcs\n", "has the character '\\u000a'")]
    [InlineData("sys.hçs", "has the character 'ç'")]
    public async Task Hierarchy_is_checked_node_by_node(string hierarchy, string reason)
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        IngestException error = Assert.Throws<IngestException>(() => voss.Client.CreateUploadTarget(hierarchy));
        Assert.Equal(ErrorId.Rejected, error.ErrorId);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private static byte[] Zip(params string[] entries)
    {
        using MemoryStream file = new();
        using (System.IO.Compression.ZipArchive zip = new(file, System.IO.Compression.ZipArchiveMode.Create))
        {
            foreach (string entry in entries)
                zip.CreateEntry(entry);
        }

        return file.ToArray();
    }

    /// <summary>A header, and a directory with one entry, as programs of before 2007 write them.</summary>
    private static byte[] CompoundFile(string entry)
    {
        byte[] file = new byte[1024];
        new byte[] { 0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1 }.CopyTo(file, 0);
        file[30] = 9;
        Encoding.Unicode.GetBytes(entry).CopyTo(file, 512 + 128);
        return file;
    }

    [Theory]
    [InlineData("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml", true)]
    [InlineData("application/vnd.ms-excel.sheet.macroEnabled.main+xml", true)]
    [InlineData("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml", false)]
    public void Workbook_is_known_by_the_type_of_its_main_part_whatever_its_name(string type, bool isWorkbook)
    {
        using TemporaryFolder folder = new();
        string path = Path.Join(folder.Path, "users.xlsx");
        using (System.IO.Compression.ZipArchive zip = System.IO.Compression.ZipFile.Open(path, System.IO.Compression.ZipArchiveMode.Create))
        {
            using StreamWriter types = new(zip.CreateEntry("[Content_Types].xml").Open());
            types.Write($"<Types><Override PartName=\"/xl/workbook2.xml\" ContentType=\"{type}\"/></Types>");
        }

        IngestException? error = Record.Exception(() => IngestTools.Services.Voss.WorkbookFile.Check(path)) as IngestException;
        Assert.Equal(isWorkbook ? null : ErrorId.NotAWorkbook, error?.ErrorId);
    }
}
