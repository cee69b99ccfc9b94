using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO.Compression;
using IngestTools.Sandbox.Services.Voss;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>What is left out of an upload, or will not be used, is said once for each kind.</summary>
public sealed class UploadGuardTests
{
    [Fact]
    public async Task Hidden_files_are_named_by_one_warning_at_once_and_one_in_the_end()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        for (int i = 0; i < 20; i++)
            dsp.Folder.Write($".hidden{i:00}.txt");

        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Path);

        Assert.All(results, result => Assert.Equal((UploadStatus.Skipped, SkipReason.NotUsed), (result.Status, result.Reason)));
        string[] warnings = [.. dsp.Log.At(LogLevel.Warning)];
        Assert.Equal(2, warnings.Length);
        Assert.Contains("passes over hidden files. -Force sends it.", warnings[0], StringComparison.Ordinal);
        Assert.StartsWith("19 more files (", warnings[1], StringComparison.Ordinal);
        Assert.Contains("and 14 others)", warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hidden_file_that_is_sent_by_force_is_warned_about()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        UploadResult result = Assert.Single(await dsp.SendAsync(new UploadOptions { Force = true }, dsp.Folder.Write(".x.txt")));

        Assert.Equal(UploadStatus.Uploaded, result.Status);
        Assert.Contains("passes over hidden files", Assert.Single(dsp.Log.At(LogLevel.Warning)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Patterns_that_leave_no_file_say_so()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Folder.Write("a.jpg");
        dsp.Folder.Write("b.jpg");

        Assert.Empty(await dsp.SendAsync(new UploadOptions { Include = ["*.tif"] }, dsp.Folder.Path));

        Assert.Equal(
            "No file was sent: -Include and -Exclude left out all 2 files that were found.",
            Assert.Single(dsp.Log.At(LogLevel.Warning))
        );
    }

    [Fact]
    public async Task Patterns_that_leave_some_files_say_nothing()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Folder.Write("a.jpg");
        dsp.Folder.Write("b.tif");

        Assert.Single(await dsp.SendAsync(new UploadOptions { Include = ["*.tif"] }, dsp.Folder.Path));

        Assert.Empty(dsp.Log.At(LogLevel.Warning));
    }

    [SkippableFact]
    public async Task Links_that_lead_nowhere_are_left_out_and_named_together()
    {
        Skip.If(OperatingSystem.IsWindows(), "Links need a right on Windows.");
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.Folder.Write("there.jpg");
        foreach (string name in new[] { "a.jpg", "b.jpg", "c.jpg" })
            File.CreateSymbolicLink(Path.Join(dsp.Folder.Path, name), "nowhere.jpg");

        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Path);

        Assert.Equal(3, results.Count(result => result.Reason == SkipReason.DeadLink));
        Assert.Equal("there.jpg", Assert.Single(results, result => result.Status == UploadStatus.Uploaded).RemoteName);
        Assert.Equal(2, dsp.Log.At(LogLevel.Warning).Count(text => text.Contains("this link leads to no file", StringComparison.Ordinal)));
    }

    [SkippableFact]
    public async Task Link_that_leads_nowhere_is_an_error_where_it_is_given_itself()
    {
        Skip.If(OperatingSystem.IsWindows(), "Links need a right on Windows.");
        await using DspHarness dsp = await DspHarness.StartAsync();
        string link = Path.Join(dsp.Folder.Path, "a.jpg");
        File.CreateSymbolicLink(link, "nowhere.jpg");

        IngestException error = Assert.Single(await dsp.SendAsync(null, link)).Error!;

        Assert.Equal(ErrorId.FileNotFound, error.ErrorId);
        Assert.Contains("is a link that leads to no file", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task File_that_reports_no_length_and_has_content_is_not_sent_as_empty()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Linux makes such files.");
        await using DspHarness dsp = await DspHarness.StartAsync();
        string link = Path.Join(dsp.Folder.Path, "version.txt");
        File.CreateSymbolicLink(link, "/proc/version");

        IngestException error = Assert.Single(await dsp.SendAsync(null, link)).Error!;

        Assert.Equal(ErrorId.FileUnreadable, error.ErrorId);
        Assert.Contains("reports a length of 0", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, dsp.Server.Requests.Settled().Count(request => request.Method == "POST"));
    }

    [SkippableTheory]
    [InlineData("/dev/null")]
    [InlineData("pipe")]
    public async Task Link_to_a_device_or_a_pipe_is_no_file(string target)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no such nodes.");
        await using DspHarness dsp = await DspHarness.StartAsync();
        string folder = Directory.CreateDirectory(Path.Join(dsp.Folder.Path, "box")).FullName;
        using (Process made = Process.Start("mkfifo", Path.Join(dsp.Folder.Path, "pipe")))
            await made.WaitForExitAsync();
        File.CreateSymbolicLink(Path.Join(folder, "x.txt"), Path.Join(target[0] == '/' ? "" : dsp.Folder.Path, target));

        IngestException error = Assert.Single(await dsp.SendAsync(null, folder)).Error!;

        Assert.Contains("is a pipe or a device, not a file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_file_by_two_spellings_is_sent_once_and_skipped_once()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string path = dsp.Folder.Write("box/a.jpg");

        List<UploadResult> results = await dsp.SendAsync(null, path, Path.Join(dsp.Folder.Path, "box", "..", "box", "a.jpg"), path);

        Assert.Single(results, result => result.Status == UploadStatus.Uploaded);
        Assert.Equal(2, results.Count(result => result.Reason == SkipReason.GivenTwice));
    }

    [Fact]
    public async Task Two_files_of_one_name_still_collide()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        List<UploadResult> results = await dsp.SendAsync(null, dsp.Folder.Write("a/x.jpg"), dsp.Folder.Write("b/x.jpg"));

        Assert.Equal(ErrorId.NameCollision, Assert.Single(results, result => result.Status == UploadStatus.Failed).Error!.ErrorId);
    }

    [Fact]
    public async Task Workbook_with_comments_is_warned_about_before_it_is_sent()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        string path = voss.Write("users.xlsx", "a@example.org");
        using (ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Update))
            zip.CreateEntry("xl/comments1.xml");

        UploadResult result = await voss.SendAsync(path);

        Assert.Equal(UploadStatus.Uploaded, result.Status);
        Assert.Contains("users.xlsx: It has cell comments", Assert.Single(voss.Log.At(LogLevel.Warning)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_if_asks_only_about_workbooks_and_warns_of_comments()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        string commented = voss.Write("commented.xlsx", "a@example.org");
        using (ZipArchive zip = ZipFile.Open(commented, ZipArchiveMode.Update))
            zip.CreateEntry("xl/comments1.xml");
        string other = voss.Folder.Write("other.xlsx", 100);
        ConcurrentQueue<string> asked = [];
        UploadOptions options = new()
        {
            IsRehearsal = true,
            Confirm = item =>
            {
                asked.Enqueue(item.Path);
                return ValueTask.FromResult(false);
            },
        };

        List<UploadResult> results = await voss.SendAsync(
            voss.Client.CreateUploadTarget(VossHarness.Hierarchy, uniqueNames: false),
            options,
            commented,
            other
        );

        Assert.Equal([commented], asked);
        Assert.Equal((other, ErrorId.NotAWorkbook), Assert.Single(results.Select(result => (result.Path, result.Error?.ErrorId))));
        Assert.Contains("commented.xlsx: It has cell comments", Assert.Single(voss.Log.At(LogLevel.Warning)), StringComparison.Ordinal);
        Assert.Empty(voss.RequestsTo("uploadfiles"));
    }

    [Fact]
    public async Task Empty_workbook_is_said_to_be_not_sent_and_nothing_else()
    {
        await using VossHarness voss = await VossHarness.StartAsync();

        UploadResult result = await voss.SendAsync(voss.Folder.Write("users.xlsx", 0));

        Assert.Equal(ErrorId.NotAWorkbook, result.Error!.ErrorId);
        Assert.Empty(voss.Log.At(LogLevel.Warning));
        Assert.Empty(voss.RequestsTo("uploadfiles"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Load_is_polled_with_its_hierarchy_where_the_server_has_only_the_form_with_a_query(bool isHierarchyKnown)
    {
        await using VossHarness voss = await VossHarness.StartAsync(o => (o.PollForms, o.PollNeedsHierarchy) = (VossPollForms.Query, true));
        Transaction load = await voss.StartLoadAsync(voss.Write("users.xlsx", "a@example.org"));
        Transaction waited = isHierarchyKnown ? load : Transactions.TransactionSources.Parse(load.Id).Transaction;

        (Transaction ended, List<IngestException> errors) = await voss.FollowAsync(waited);

        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        Assert.Empty(errors);
    }
}
