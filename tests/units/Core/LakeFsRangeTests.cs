using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Services.LakeFs;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Ranges and metaranges.</summary>
public sealed class LakeFsRangeTests
{
    private static readonly Action<LakeFsOptions> HasRanges = static options => options.Version = "0.110.0";

    [Fact]
    public async Task Walk_follows_the_pages_and_hands_the_staging_token_back()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o =>
            (o.Version, o.RangeSize, o.StagedPerRange) = ("0.110.0", 300, 7)
        );

        List<ImportRange> ranges = await WalkAsync(lake, Request() with { Prepend = "in/" });

        Assert.Equal([293L, 293L, 293L, 100L], ranges.Select(range => range.Count));
        Assert.Equal(("in/00000000.parquet", "in/00000999.parquet"), (ranges[0].MinKey, ranges[^1].MaxKey));
        Assert.Equal([true, true, true, false], ranges.Select(range => range.HasMore));
        Assert.Equal(new Dictionary<string, long> { [ranges[^1].StagingToken] = 21 }, lake.Lake.StagingTokens);
    }

    [Fact]
    public async Task Empty_range_at_the_end_is_left_out_and_what_it_tells_is_kept()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o =>
            (o.Version, o.RangeSize, o.StagedPerRange) = ("0.110.0", 500, 2)
        );
        List<ImportRange> ranges = await WalkAsync(lake, Request());
        Assert.Equal([498L, 498L], ranges.Select(range => range.Count));
        Assert.False(ranges[^1].HasMore);
        Assert.Equal(lake.Lake.StagingTokens.Keys.Single(), ranges[^1].StagingToken);
        Assert.Equal(3, lake.Count("POST", "/ranges"));
    }

    [Fact]
    public async Task Single_page_is_given_as_it_is_and_says_where_the_next_begins()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => (o.Version, o.RangeSize) = ("0.110.0", 600));
        ImportRange first = Assert.Single(await WalkAsync(lake, Request() with { FollowsPages = false }));
        ImportRange second = Assert.Single(
            await WalkAsync(
                lake,
                Request() with
                {
                    FollowsPages = false,
                    After = first.LastKey,
                    ContinuationToken = first.ContinuationToken,
                }
            )
        );
        Assert.Equal((600L, true, "prefix/00000599.parquet"), (first.Count, first.HasMore, first.LastKey));
        Assert.Equal((400L, false, "00000600.parquet"), (second.Count, second.HasMore, second.MinKey));
    }

    [Fact]
    public async Task Two_hundred_thousand_keys_take_more_than_one_range()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(HasRanges);
        lake.Store.Add(LakeFsKeys.Numbered("s3://big/", 200_001));
        List<ImportRange> ranges = await WalkAsync(lake, Request() with { Source = "s3://big/" });
        Assert.Equal((200_001L, 3), (ranges.Sum(range => range.Count), ranges.Count));
    }

    [Fact]
    public async Task Directory_marker_is_a_range_whose_keys_are_empty()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(HasRanges);
        lake.Store.Add("s3://marked/dir/");
        ImportRange range = Assert.Single(await WalkAsync(lake, Request() with { Source = "s3://marked/dir/" }));
        Assert.Equal((1L, "", ""), (range.Count, range.MinKey, range.MaxKey));
        Assert.Equal(1, (await lake.Client.CreateMetaRangeAsync("lake", [range], CancellationToken.None)).Count);
    }

    [Fact]
    public async Task Source_without_objects_makes_no_range_and_a_warning()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(HasRanges);
        Assert.Empty(await WalkAsync(lake, Request() with { Source = "s3://bucket/nothing/" }));
        Assert.Contains("nothing to import in s3://bucket/nothing/", Assert.Single(lake.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failed_walk_is_told_in_the_servers_words_and_what_was_made_is_kept()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(
            o => (o.Version, o.RangeSize) = ("0.110.0", 400),
            time: new QuickTime(50)
        );
        List<ImportRange> made = [];
        IngestException error = await Assert.ThrowsAsync<IngestException>(async () =>
        {
            await foreach (ImportRange range in lake.Client.CreateRangesAsync(Request(), CancellationToken.None))
            {
                made.Add(range);
                lake.Options.WalkFails = _ => "SlowDown: please reduce your request rate";
            }
        });
        Assert.Equal([400L, 400L], made.Select(range => range.Count));
        Assert.Contains("-After", error.Advice, StringComparison.Ordinal);
        lake.Options.WalkFails = _ => null;
        RangeRequest rest = Request() with
        {
            After = made[^1].LastKey,
            ContinuationToken = made[^1].ContinuationToken,
            StagingToken = made[^1].StagingToken,
        };
        Assert.Equal(200, Assert.Single(await WalkAsync(lake, rest)).Count);
        Assert.Equal((ErrorId.ServerError, LakeFsHarness.Source), (error.ErrorId, error.Target));
        Assert.Contains("SlowDown", error.ServerMessage, StringComparison.Ordinal);
        Assert.NotNull(error.RequestId);
    }

    [Theory]
    [InlineData("0.111.0", 0)]
    [InlineData("1.84.0", 0)]
    [InlineData("0.64.9", 0)]
    [InlineData("dev", 1)]
    public async Task Server_without_ranges_is_told_with_the_version_where_they_ended(string version, int requests)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => o.Version = version);
        IngestException error = await Assert.ThrowsAsync<IngestException>(() => WalkAsync(lake, Request()));
        Assert.Equal(ErrorId.NotFound, error.ErrorId);
        Assert.Contains("v0.111.0", error.Message, StringComparison.Ordinal);
        Assert.Contains("Start-Import", error.Advice, StringComparison.Ordinal);
        Assert.Equal(requests, lake.Count("POST", "/ranges"));
        IngestException meta = await Assert.ThrowsAsync<IngestException>(() =>
            lake.Client.CreateMetaRangeAsync("lake", [Range("a", "b")], CancellationToken.None)
        );
        Assert.Equal(ErrorId.NotFound, meta.ErrorId);
    }

    [Fact]
    public async Task Lost_answer_to_a_range_is_asked_again()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(
            o => (o.Version, o.RangeSize) = ("0.110.0", 300),
            time: new QuickTime(20)
        );
        lake.SetFaults("lost=1,POST /**/ranges", "503=2,POST /**/ranges");
        Assert.Equal(1000, (await WalkAsync(lake, Request())).Sum(range => range.Count));
    }

    [Fact]
    public async Task Metarange_is_made_of_ranges_in_any_order_and_without_the_empty_ones()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(HasRanges);
        ImportRange[] ranges = [Range("m", "z"), new ImportRange { Id = "empty" }, Range("a", "k")];
        ImportMetaRange made = await lake.Client.CreateMetaRangeAsync("lake", ranges, CancellationToken.None);
        Assert.Equal(("lake", 2, 2L), (made.Repository, made.Ranges, made.Count));
        Assert.NotEmpty(made.Id);
    }

    [Fact]
    public async Task Metarange_of_nothing_of_overlaps_and_of_a_range_twice_is_refused_before_it_is_sent()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(HasRanges);
        Assert.Contains("No range has a key", await RefusedAsync(), StringComparison.Ordinal);
        Assert.Contains("No range has a key", await RefusedAsync(new ImportRange { Id = "empty" }), StringComparison.Ordinal);
        Assert.Contains("overlap", await RefusedAsync(Range("a", "m"), Range("k", "z")), StringComparison.Ordinal);
        Assert.Contains("given twice", await RefusedAsync(Range("a", "m"), Range("a", "m")), StringComparison.Ordinal);
        // By code points the second comes after the first, by .NET's characters before it.
        Assert.Contains(
            "overlap",
            await RefusedAsync(Range("\uFFFD", "\U0001F600"), Range("\U0001F5FF", "\U0001F601")),
            StringComparison.Ordinal
        );
        Assert.Equal(0, lake.Count("POST", "/metaranges"));

        async Task<string> RefusedAsync(params ImportRange[] ranges)
        {
            IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
                lake.Client.CreateMetaRangeAsync("lake", ranges, CancellationToken.None)
            );
            Assert.Equal(ErrorId.Rejected, error.ErrorId);
            return error.Message;
        }
    }

    [Fact]
    public async Task Unknown_repository_is_told()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(HasRanges);
        Assert.Equal(
            ErrorId.NotFound,
            (await Assert.ThrowsAsync<IngestException>(() => WalkAsync(lake, Request() with { Repository = "none" }))).ErrorId
        );
    }

    [Fact]
    public async Task Repositories_and_branches_are_listed_by_name()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        lake.Server.LakeFs.AddRepository("archive");
        lake.Lake.AddBranch("nightly");

        Assert.Equal(["archive", "lake"], (await lake.Client.ListRepositoriesAsync(lake.Soon)).Order());
        Assert.Equal(["main", "nightly"], (await lake.Client.ListBranchesAsync("lake", lake.Soon)).Order());
        IngestException error = await Assert.ThrowsAsync<IngestException>(() => lake.Client.ListBranchesAsync("none", lake.Soon));
        Assert.Equal(ErrorId.NotFound, error.ErrorId);
    }

    private static RangeRequest Request() =>
        new()
        {
            Repository = "lake",
            Source = LakeFsHarness.Source,
            FollowsPages = true,
        };

    private static ImportRange Range(string min, string max) =>
        new()
        {
            Repository = "lake",
            Id = $"{min}-{max}",
            MinKey = min,
            MaxKey = max,
            Count = 1,
            EstimatedSize = 1,
        };

    private static async Task<List<ImportRange>> WalkAsync(LakeFsHarness lake, RangeRequest request)
    {
        List<ImportRange> ranges = [];
        await foreach (ImportRange range in lake.Client.CreateRangesAsync(request, CancellationToken.None))
            ranges.Add(range);
        return ranges;
    }
}
