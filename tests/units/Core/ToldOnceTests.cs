using System.Net;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>One fact is told once, with its cause and with something to do about it.</summary>
public sealed class ToldOnceTests
{
    public static TheoryData<ErrorId> EveryErrorId => [.. Enum.GetValues<ErrorId>()];

    [Theory]
    [MemberData(nameof(EveryErrorId))]
    public void Every_error_says_what_can_be_done(ErrorId id)
    {
        IngestException error = new(id, "It failed.");

        Assert.EndsWith(".", error.Advice, StringComparison.Ordinal);
        Assert.True(error.Advice.Length > 10);
        Assert.Equal("My own.", new IngestException(id, "It failed.") { Advice = "My own." }.Advice);
        Assert.Equal(error.Advice, new IngestException(id, "It failed.") { Advice = "" }.Advice);
    }

    [Fact]
    public void Error_of_another_id_has_the_advice_of_that_id()
    {
        IngestException error = new IngestException(ErrorId.ServerError, "It failed.").With(ErrorId.NotFound);

        Assert.Equal(new IngestException(ErrorId.NotFound, "x").Advice, error.Advice);
    }

    [Fact]
    public void Wrong_token_is_told_once_for_all_files()
    {
        FailureTally tally = new();
        IngestException wrong = new(ErrorId.NotSignedIn, "DspIngest answered 401 Unauthorized to 'upload'.")
        {
            StatusCode = HttpStatusCode.Unauthorized,
        };

        IngestException?[] told =
        [
            .. Enumerable.Range(0, 2000).Select(i => tally.Add(Failed($"/x/{i}.tif", wrong.With(target: $"/x/{i}.tif")))),
        ];

        Assert.Equal("0001", Assert.Single(told, error => error is not null)!.Target);
        (IngestException _, string folded) = Assert.Single(tally.ReadFolded());
        Assert.StartsWith("2,000 files were not sent for one reason (NotSignedIn)", folded, StringComparison.Ordinal);
        Assert.Equal(2000, tally.Count);
    }

    [Fact]
    public void Repeats_of_one_reason_are_folded_and_the_reason_of_most_files_counts()
    {
        FailureTally tally = new();
        List<IngestException?> told =
        [
            tally.Add(Failed("/x/readme", new IngestException(ErrorId.NameRejected, "'readme' would be refused: it has no extension."))),
        ];
        for (int i = 0; i < 52; i++)
            told.Add(
                tally.Add(
                    Failed($"/x/{i}.tif", new IngestException(ErrorId.FileUnreadable, $"/x/{i}.tif cannot be read: Permission denied."))
                )
            );

        Assert.Equal(1 + FailureTally.ReportedEach, told.Count(error => error is not null));
        Assert.Equal("/x/readme", told[0]!.Target);
        Assert.Equal((ErrorId.FileUnreadable, 52L), (tally.Commonest!.Value.Error.ErrorId, tally.Commonest.Value.Count));
        Assert.StartsWith(
            "42 more files failed for the same reason, 52 in all: /x/0.tif cannot be read",
            Assert.Single(tally.ReadFolded()).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Reasons_beyond_the_first_thousand_are_counted_together()
    {
        FailureTally tally = new();

        int told = Enumerable
            .Range(0, 5000)
            .Count(i => tally.Add(Failed($"/x/{i}.tif", new IngestException(ErrorId.Rejected, $"Reason of number {i}."))) is not null);

        Assert.Equal(1000 + FailureTally.ReportedEach, told);
        UploadFailureReason[] reasons = [.. tally.ReadReasons()];
        Assert.Equal(1001, reasons.Length);
        Assert.Equal((4000L, "Other reasons, the first: Reason of number 1000."), (reasons[^1].Count, reasons[^1].Message));
        Assert.StartsWith("3,990 more files failed for other reasons", Assert.Single(tally.ReadFolded()).Message, StringComparison.Ordinal);
        Assert.Equal(5000, tally.ReadErrors().Sum(error => error.Count));
    }

    [Fact]
    public void Short_name_is_not_taken_for_a_part_of_other_words()
    {
        FailureTally tally = new();
        foreach (string name in new[] { "a", "e" })
            tally.Add(Failed($"/x/{name}", new IngestException(ErrorId.Rejected, $"'{name}' was named badly.")));

        Assert.Single(tally.ReadReasons());
    }

    [Fact]
    public void Result_that_has_lost_its_reason_is_counted_all_the_same()
    {
        FailureTally tally = new();

        Assert.Null(
            tally.Add(
                new UploadResult
                {
                    Path = "/x/a.tif",
                    RemoteName = "a.tif",
                    Status = UploadStatus.Failed,
                }
            )
        );

        Assert.Equal(1, tally.Count);
        Assert.Null(tally.Commonest);
        Assert.Empty(tally.ReadFolded());
    }

    [Fact]
    public async Task Error_in_a_result_is_readable_text_without_places_in_the_code()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.SetFaults("reset=POST /**/bulk-ingest/ingest/*");

        using TemporaryFolder folder = new();

        UploadResult result = Assert.Single(await dsp.SendAsync(null, folder.Write("a.tif")));

        Assert.Equal(UploadStatus.Failed, result.Status);
        Assert.NotNull(result.Error);
        Assert.Null(result.Error.StackTrace);
        Assert.Null(result.Error.InnerException);
        Assert.Equal($"{result.Error.ErrorId}: {result.Error.Message} {result.Error.Advice}", result.Error.ToString());
        Assert.DoesNotContain("   at ", result.Error.ToString(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Link_that_leads_nowhere_says_where_it_leads()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows lets only some accounts make links.");
        using TemporaryFolder folder = new();
        string link = Path.Join(folder.Path, "a.tif");
        string target = Path.Join(folder.Path, "gone.tif");
        File.CreateSymbolicLink(link, target);

        IngestException error = Assert.Throws<IngestException>(() => LocalFile.Open(link));

        Assert.Equal(ErrorId.FileNotFound, error.ErrorId);
        Assert.Equal($"{link} is a link that leads to no file: {target} does not exist.", error.Message);
        Assert.DoesNotContain("meanwhile", error.Advice, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(24)]
    [InlineData(23)]
    public void Too_many_open_files_is_its_own_cause(int number)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has another number for it.");

        IngestException error = LocalFileErrors.Unreadable(
            "/x/a.tif",
            "Too many open files",
            new IOException("Too many open files : '/x/a.tif'", number)
        );

        Assert.Contains("too many files open", error.Message, StringComparison.Ordinal);
        Assert.Contains("ulimit -n", error.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain("right", error.Advice, StringComparison.Ordinal);
    }

    private static UploadResult Failed(string path, IngestException error) =>
        new()
        {
            Path = path,
            RemoteName = Path.GetFileName(path),
            Shortcode = "0001",
            Status = UploadStatus.Failed,
            Error = error,
        };
}
