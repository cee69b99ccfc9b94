using System.Net;
using System.Text.Json;
using IngestTools.Sandbox.Services.LakeFs;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class LakeFsRangeTests
{
    private static readonly Action<LakeFsOptions> HasRanges = static o => o.Version = "0.110.0";

    [Fact]
    public async Task Ten_million_keys_are_walked_page_by_page()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(HasRanges);
        sandbox.Store.Add(LakeFsKeys.Numbered("s3://big/in/", 10_000_000));
        (long keys, int ranges, string? last) = (0, 0, null);
        JsonElement page = await sandbox.RangeAsync("s3://big/in/", "data/");
        while (page.GetProperty("range").GetProperty("count").GetInt64() is > 0 and var count)
        {
            (keys, ranges) = (keys + count, ranges + 1);
            last = page.GetProperty("range").GetProperty("max_key").GetString();
            JsonElement next = page.GetProperty("pagination");
            page = await sandbox.RangeAsync(
                "s3://big/in/",
                "data/",
                next.GetProperty("last_key").GetString()!,
                next.GetProperty("continuation_token").GetString()
            );
        }
        Assert.Equal((10_000_000, 100, "data/09999999.parquet"), (keys, ranges, last));
        // The last full range cannot know that nothing comes after it.
        Assert.False(page.GetProperty("pagination").GetProperty("has_more").GetBoolean());
    }

    [Fact]
    public async Task Source_that_fits_one_range_has_no_next_page()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(HasRanges);
        JsonElement page = await sandbox.RangeAsync("s3://bucket/prefix/");
        Assert.Equal(1000, page.GetProperty("range").GetProperty("count").GetInt64());
        Assert.Equal(
            """{"has_more":false,"last_key":"","continuation_token":"","staging_token":""}""",
            page.GetProperty("pagination").GetRawText()
        );
    }

    [Fact]
    public async Task Directory_marker_is_a_key_without_a_name()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(HasRanges);
        sandbox.Store.Add("s3://marked/dir/");
        JsonElement range = (await sandbox.RangeAsync("s3://marked/dir/")).GetProperty("range");
        Assert.Equal(
            (1, "", ""),
            (range.GetProperty("count").GetInt32(), range.GetProperty("min_key").GetString(), range.GetProperty("max_key").GetString())
        );
    }

    [Fact]
    public async Task Failed_walk_is_500_with_its_reason()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(HasRanges);
        await sandbox
            .PostJsonAsync(
                "repositories/lake/branches/ranges",
                new
                {
                    fromSourceURI = "s3://none/",
                    after = "",
                    prepend = "",
                }
            )
            .IsAsync(
                HttpStatusCode.InternalServerError,
                """{"message":"error on ingest: NoSuchBucket: the bucket of s3://none/ does not exist"}"""
            );
        Assert.Equal(
            HttpStatusCode.BadRequest,
            await sandbox.PostJsonAsync("repositories/lake/branches/ranges", new { fromSourceURI = "s3://none/" }).StatusAsync()
        );
    }

    [Theory]
    [InlineData("0.64.0")]
    [InlineData("0.111.0")]
    public async Task Other_versions_know_no_such_endpoint(string version)
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(o => o.Version = version);
        await sandbox
            .PostJsonAsync(
                "repositories/lake/branches/ranges",
                new
                {
                    fromSourceURI = "s3://bucket/",
                    after = "",
                    prepend = "",
                }
            )
            .IsAsync(HttpStatusCode.InternalServerError, """{"message":"invalid API endpoint"}""");
    }

    [Fact]
    public async Task Commit_of_a_metarange_makes_the_branch_hold_that_alone_and_the_staged_keys_come_with_a_second()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(o =>
            (o.Version, o.RangeSize, o.StagedPerRange) = ("0.110.0", 400, 3)
        );
        JsonElement first = await sandbox.RangeAsync("s3://bucket/prefix/", "in");
        JsonElement second = await NextAsync(first);
        JsonElement third = await NextAsync(second);
        string token = third.GetProperty("pagination").GetProperty("staging_token").GetString()!;
        Assert.Equal(new Dictionary<string, long> { [token] = 6 }, sandbox.Lake.StagingTokens);

        string metaRange = await MetaRangeAsync(first, second, third);
        Assert.Equal(HttpStatusCode.Created, await CommitAsync($"?source_metarange={metaRange}"));
        Assert.Equal(994, sandbox.Main.Count);
        using StringContent body = new($$"""{"staging_token":"{{token}}"}""");
        Assert.Equal(
            HttpStatusCode.NoContent,
            await sandbox.Client.PutAsync(new Uri("repositories/lake/branches/main/update_token", UriKind.Relative), body).StatusAsync()
        );
        Assert.Equal(HttpStatusCode.BadRequest, await CommitAsync($"?source_metarange={metaRange}"));
        Assert.Equal(HttpStatusCode.Created, await CommitAsync(""));
        Assert.Equal(1000, sandbox.Main.Count);
        Assert.Equal(HttpStatusCode.BadRequest, await CommitAsync(""));

        Task<JsonElement> NextAsync(JsonElement page)
        {
            JsonElement next = page.GetProperty("pagination");
            return sandbox.RangeAsync(
                "s3://bucket/prefix/",
                "in",
                next.GetProperty("last_key").GetString()!,
                next.GetProperty("continuation_token").GetString(),
                next.GetProperty("staging_token").GetString()
            );
        }

        async Task<string> MetaRangeAsync(params JsonElement[] pages)
        {
            string answer = await sandbox
                .PostJsonAsync(
                    "repositories/lake/branches/metaranges",
                    new { ranges = pages.Reverse().Select(static p => p.GetProperty("range")) }
                )
                .BodyAsync();
            return JsonDocument.Parse(answer).RootElement.GetProperty("id").GetString()!;
        }

        Task<HttpStatusCode> CommitAsync(string query) =>
            sandbox.PostJsonAsync($"repositories/lake/branches/main/commits{query}", new { message = "m" }).StatusAsync();
    }

    [Fact]
    public async Task Metarange_needs_ranges_that_do_not_overlap()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(HasRanges);
        Assert.Equal(HttpStatusCode.BadRequest, await WriteAsync());
        Assert.Equal(HttpStatusCode.InternalServerError, await WriteAsync(("a", "m"), ("k", "z")));
        Assert.Equal(HttpStatusCode.Created, await WriteAsync(("k", "z"), ("b", "a")));

        Task<HttpStatusCode> WriteAsync(params (string Min, string Max)[] ranges) =>
            sandbox
                .PostJsonAsync(
                    "repositories/lake/branches/metaranges",
                    new
                    {
                        ranges = ranges.Select(static r => new
                        {
                            id = r.Min,
                            min_key = r.Min,
                            max_key = r.Max,
                            count = 1,
                            estimated_size = 1,
                        }),
                    }
                )
                .StatusAsync();
    }
}
