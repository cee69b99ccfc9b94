using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class LakeFsImportTests
{
    private static readonly string[] Before =
    [
        "raw-archive/2019.parquet",
        "raw/2022.parquet",
        "raw/2023.parquet",
        "rawdata.csv",
        "reports/summary.csv",
    ];

    [Fact]
    public async Task Import_replaces_what_begins_like_its_destination_and_lands_below_its_slash()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        sandbox.Store.Add("s3://new/x/a", "s3://new/x/b/c");
        Assert.Equal(Before, sandbox.Main.Keys);

        JsonElement status = await sandbox.ImportAsync("s3://new/x/", "raw");

        Assert.True(status.GetProperty("completed").GetBoolean());
        Assert.Equal(2, status.GetProperty("ingested_objects").GetInt64());
        Assert.Equal(sandbox.Main.Head.Id, status.GetProperty("commit").GetProperty("id").GetString());
        Assert.Equal(["raw/a", "raw/b/c", "reports/summary.csv"], sandbox.Main.Keys);
    }

    [Fact]
    public async Task Destination_with_a_slash_spares_its_siblings()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        sandbox.Store.Add("s3://new/x/a");
        await sandbox.ImportAsync("s3://new/x/", "raw/");
        Assert.Equal(["raw-archive/2019.parquet", "raw/a", "rawdata.csv", "reports/summary.csv"], sandbox.Main.Keys);
    }

    [Fact]
    public async Task Versions_before_0_105_delete_nothing_and_0_101_0_commits_aside()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(o => o.Version = "0.104.0");
        sandbox.Store.Add("s3://new/x/2022.parquet");
        await sandbox.ImportAsync("s3://new/x/", "raw/");
        Assert.Equal(Before, sandbox.Main.Keys);

        sandbox.Options.Version = "0.101.0";
        JsonElement status = await sandbox.ImportAsync("s3://new/x/", "raw/");
        Assert.Equal("_main_imported", status.GetProperty("import_branch").GetString());
        Assert.Equal(["raw/2022.parquet"], sandbox.Lake.Branch("_main_imported").Keys);
    }

    [Fact]
    public async Task Legacy_dialect_answers_201_takes_the_id_in_a_body_and_commits_aside()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(LakeFsHarness.SpeakLegacy);

        JsonElement status = await sandbox.ImportAsync("s3://bucket/prefix/", "raw/");

        Assert.Equal(1000, status.GetProperty("import_progress").GetInt64());
        Assert.False(status.TryGetProperty("ingested_objects", out _));
        Assert.Equal("_main_imported", status.GetProperty("import_branch").GetString());
        Assert.Equal(Before, sandbox.Main.Keys);
        Assert.Equal(1000, sandbox.Lake.Branch("_main_imported").Count);
    }

    [Fact]
    public async Task Legacy_dialect_refuses_an_id_in_the_query()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(LakeFsHarness.SpeakLegacy);
        Assert.Equal(HttpStatusCode.BadRequest, await sandbox.GetAsync("repositories/lake/branches/main/import?id=x").StatusAsync());
    }

    [Fact]
    public async Task Source_without_a_slash_takes_in_its_siblings_under_their_own_names()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        sandbox.Store.Add("s3://new/pre/a", "s3://new/pre-2/b");
        await sandbox.ImportAsync("s3://new/pre", "in/");
        Assert.Equal(["in/pre-2/b", "in/pre/a"], sandbox.Main.Keys.Take(2));
    }

    [Fact]
    public async Task Object_gets_exactly_its_destination_and_takes_what_begins_like_it_away()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        sandbox.Lake.AddBranch("main", "a/file10", "a/file2");
        await sandbox.ImportAsync("s3://bucket/single/report.csv", "a/file1", "object");
        Assert.Equal(["a/file1", "a/file2"], sandbox.Main.Keys);
    }

    [Fact]
    public async Task Two_sources_with_the_same_names_make_each_name_once()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        sandbox.Store.Add(LakeFsKeys.Numbered("s3://new/a/", 300));
        sandbox.Store.Add(LakeFsKeys.Numbered("s3://new/b/", 200));
        object[] paths =
        [
            new
            {
                type = "common_prefix",
                path = "s3://new/a/",
                destination = "",
            },
            new
            {
                type = "common_prefix",
                path = "s3://new/b/",
                destination = "",
            },
        ];
        string id = await sandbox.IdOfAsync(
            sandbox.PostJsonAsync("repositories/lake/branches/main/import", new { paths, commit = new { message = "m" } })
        );
        await sandbox.WaitUntilAsync(() => sandbox.Import(id).Phase == LakeFsImportPhase.Ended);
        Assert.Equal(300, sandbox.Main.Count);
        Assert.Equal(500, (await sandbox.StatusAsync(id)).GetProperty("ingested_objects").GetInt64());
    }

    [Fact]
    public async Task Import_without_sources_completes_with_a_commit_of_the_default_message()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        object body = new { paths = Array.Empty<object>(), commit = new { message = "" } };
        string id = await sandbox.IdOfAsync(sandbox.PostJsonAsync("repositories/lake/branches/main/import", body));
        await sandbox.WaitUntilAsync(() => sandbox.Import(id).Phase == LakeFsImportPhase.Ended);
        Assert.Equal("Import objects", sandbox.Main.Head.Message);
        Assert.Equal(Before, sandbox.Main.Keys);
    }

    [Theory]
    [InlineData("1.73.0", HttpStatusCode.NotFound)]
    [InlineData("1.74.0", HttpStatusCode.OK)]
    public async Task Status_is_not_found_just_after_the_start_in_old_versions(string version, HttpStatusCode status)
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(o =>
            (o.Version, o.RecordDelay) = (version, TimeSpan.FromHours(1))
        );
        string id = await sandbox.IdOfAsync(sandbox.StartImportAsync("s3://bucket/prefix/", "raw/"));
        Assert.Equal(status, await sandbox.TellAsync(id).StatusAsync());
        Assert.Equal(HttpStatusCode.NotFound, await sandbox.TellAsync("unknown").StatusAsync());
    }

    [Fact]
    public async Task Count_rises_with_each_status_and_stands_while_ranges_are_written()
    {
        TaskCompletionSource commit = new();
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(o =>
        {
            (o.StatusInterval, o.ObjectsPerSecond) = (TimeSpan.FromMilliseconds(5), 100_000);
            o.BeforeCommit = () => commit.Task;
        });
        string id = await sandbox.IdOfAsync(sandbox.StartImportAsync("s3://bucket/prefix/", "raw/"));

        await sandbox.WaitUntilAsync(() => sandbox.Import(id).Phase == LakeFsImportPhase.Writing);
        JsonElement status = await sandbox.StatusAsync(id);
        Assert.Equal((1000, false), (status.GetProperty("ingested_objects").GetInt64(), status.GetProperty("completed").GetBoolean()));
        commit.SetResult();
        await sandbox.WaitUntilAsync(() => sandbox.Import(id).Phase == LakeFsImportPhase.Ended);
    }

    [Theory]
    [InlineData("s3://nowhere/x/", "error on ingest: NoSuchBucket")]
    [InlineData("s3://bucket/single/report.cs", "error on ingest: object not found", "object")]
    public async Task Bad_source_is_an_error_in_a_status_of_200(string source, string words, string type = "common_prefix")
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        JsonElement status = await sandbox.ImportAsync(source, "x/", type);
        Assert.StartsWith(words, status.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.False(status.GetProperty("completed").GetBoolean());
    }

    [Fact]
    public async Task Dirty_branch_hook_and_read_only_repository_are_told_only_in_the_status()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(o => o.HookAborts = "no");
        Assert.Contains("pre-commit hook aborted", await ErrorAsync(), StringComparison.Ordinal);
        sandbox.Main.Stage("new");
        Assert.Contains("dirty branch", await ErrorAsync(), StringComparison.Ordinal);
        sandbox.Server.LakeFs.AddRepository("lake", isReadOnly: true);
        Assert.Contains("read-only", await ErrorAsync(), StringComparison.Ordinal);

        async Task<string?> ErrorAsync() =>
            (await sandbox.ImportAsync("s3://bucket/prefix/", "raw/")).GetProperty("error").GetProperty("message").GetString();
    }

    [Theory]
    [InlineData("s3://lakefs-storage/lake", "common_prefix", HttpStatusCode.BadRequest)]
    [InlineData("s3://lakefs-storage/lake/data/x", "object", HttpStatusCode.BadRequest)]
    [InlineData("s3://lakefs-storage/la", "common_prefix", HttpStatusCode.BadRequest)]
    [InlineData("s3://lakefs-storage/la", "object", HttpStatusCode.Accepted)]
    [InlineData("s3://bucket/prefix/", "folder", HttpStatusCode.BadRequest)]
    public async Task Source_in_the_repositorys_own_storage_and_an_unknown_type_are_refused(
        string source,
        string type,
        HttpStatusCode status
    )
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        Assert.Equal(status, await sandbox.StartImportAsync(source, "x/", type).StatusAsync());
    }

    [Fact]
    public async Task Unknown_repository_or_branch_and_a_storage_without_imports_are_refused_at_once()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        await sandbox
            .StartImportAsync("s3://bucket/prefix/", "x/", branch: "none")
            .IsAsync(HttpStatusCode.NotFound, """{"message":"branch 'none' not found"}""");
        await sandbox.GetAsync("repositories/none").IsAsync(HttpStatusCode.NotFound, """{"message":"repository not found"}""");
        sandbox.Options.SupportsImport = false;
        await sandbox
            .StartImportAsync("s3://bucket/prefix/", "x/")
            .IsAsync(HttpStatusCode.Forbidden, """{"message":"import is not supported for this storage"}""");
    }

    [Fact]
    public async Task Empty_metadata_ends_the_process_before_1_10()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(o => o.Version = "1.9.0");
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => sandbox.StartImportAsync("s3://bucket/prefix/", "x/", metadata: new { }));
    }

    [Fact]
    public async Task Cancelled_import_stands_still_and_can_be_cancelled_again()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(o => o.StatusInterval = TimeSpan.FromMilliseconds(20));
        sandbox.Store.Add(LakeFsKeys.Numbered("s3://big/", 10_000_000));
        string head = sandbox.Main.Head.Id;
        string id = await sandbox.IdOfAsync(sandbox.StartImportAsync("s3://big/", "raw/"));
        await sandbox.WaitUntilAsync(() => sandbox.Import(id).Phase == LakeFsImportPhase.Ingesting);

        Assert.Equal(HttpStatusCode.NoContent, await sandbox.CancelAsync(id).StatusAsync());
        JsonElement first = await sandbox.StatusAsync(id);
        await sandbox.WaitUntilAsync(() => sandbox.Import(id).Phase == LakeFsImportPhase.Ended);
        Assert.Equal(HttpStatusCode.NoContent, await sandbox.CancelAsync(id).StatusAsync());

        JsonElement last = await sandbox.StatusAsync(id);
        Assert.Equal("Canceled", last.GetProperty("error").GetProperty("message").GetString());
        Assert.Equal(first.GetProperty("update_time").GetString(), last.GetProperty("update_time").GetString());
        Assert.Equal(head, sandbox.Main.Head.Id);
    }

    [Fact]
    public async Task Cancel_of_a_completed_import_is_a_conflict_and_of_a_failed_one_hides_its_error()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        await sandbox.ImportAsync("s3://bucket/prefix/", "raw/");
        string done = sandbox.Lake.Imports.Single().Id;
        Assert.Equal(HttpStatusCode.Conflict, await sandbox.CancelAsync(done).StatusAsync());
        Assert.False((await sandbox.StatusAsync(done)).TryGetProperty("error", out _));

        await sandbox.ImportAsync("s3://nowhere/", "raw/");
        string failed = sandbox.Lake.Imports.Single(i => i.Id != done).Id;
        Assert.Equal(HttpStatusCode.NoContent, await sandbox.CancelAsync(failed).StatusAsync());
        Assert.Equal("Canceled", (await sandbox.StatusAsync(failed)).GetProperty("error").GetProperty("message").GetString());
    }

    [Fact]
    public async Task Cancel_between_the_commit_and_the_last_status_is_told_although_the_commit_stays()
    {
        TaskCompletionSource last = new();
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(o => o.BeforeLastStatus = () => last.Task);
        string id = await sandbox.IdOfAsync(sandbox.StartImportAsync("s3://bucket/prefix/", "raw/"));
        await sandbox.WaitUntilAsync(() => sandbox.Import(id).Phase == LakeFsImportPhase.Committed);

        Assert.Equal(HttpStatusCode.NoContent, await sandbox.CancelAsync(id).StatusAsync());
        last.SetResult();
        await sandbox.WaitUntilAsync(() => sandbox.Import(id).Phase == LakeFsImportPhase.Ended);

        JsonElement status = await sandbox.StatusAsync(id);
        Assert.False(status.GetProperty("completed").GetBoolean());
        Assert.Equal("Canceled", status.GetProperty("error").GetProperty("message").GetString());
        Assert.Equal(1003, sandbox.Main.Count);
    }

    [Fact]
    public async Task Stuck_import_keeps_its_first_status()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(o =>
            o.ImportSticks = LakeFsOptions.SourcesLike("s3://bucket/**")
        );
        string id = await sandbox.IdOfAsync(sandbox.StartImportAsync("s3://bucket/prefix/", "raw/"));
        await sandbox.WaitUntilAsync(() => sandbox.Import(id).Phase == LakeFsImportPhase.Starting);
        string first = (await sandbox.StatusAsync(id)).GetRawText();
        Assert.Equal(first, (await sandbox.StatusAsync(id)).GetRawText());
    }

    [Fact]
    public async Task Old_record_is_forgotten()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(o => o.RecordLifetime = TimeSpan.FromTicks(-1));
        string id = await sandbox.IdOfAsync(sandbox.StartImportAsync("s3://bucket/prefix/", "raw/"));
        await sandbox.WaitUntilAsync(() => sandbox.Import(id).Phase == LakeFsImportPhase.Ended);
        Assert.Equal(HttpStatusCode.NotFound, await sandbox.TellAsync(id).StatusAsync());
    }

    [Fact]
    public async Task Schema_is_looked_at_before_the_sign_in_and_its_answer_has_no_id()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        sandbox.SignIn("nobody", "wrong");
        using HttpResponseMessage schema = await sandbox.PostJsonAsync(
            "repositories/lake/branches/main/import",
            new { paths = Array.Empty<object>() }
        );
        Assert.Equal((HttpStatusCode.BadRequest, false), (schema.StatusCode, schema.Headers.Contains("X-Request-ID")));
        using HttpResponseMessage refused = await sandbox.StartImportAsync("s3://bucket/prefix/", "x/");
        Assert.Equal((HttpStatusCode.Unauthorized, true), (refused.StatusCode, refused.Headers.Contains("X-Request-ID")));
    }

    [Fact]
    public async Task Login_gives_a_token_and_a_cookie_that_work_until_they_end()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        using HttpResponseMessage login = await sandbox.PostJsonAsync(
            "auth/login",
            new { access_key_id = "AKIASANDBOX", secret_access_key = "sandbox" }
        );
        JsonElement body = JsonDocument.Parse(await login.Content.ReadAsStringAsync()).RootElement;
        string token = body.GetProperty("token").GetString()!;
        string cookie = login.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        Assert.DoesNotContain(token, cookie, StringComparison.Ordinal);

        await UsesAsync(r => r.Authorization = new AuthenticationHeaderValue("bearer", token), HttpStatusCode.OK);
        await UsesAsync(r => r.Add("Cookie", cookie), HttpStatusCode.OK);
        sandbox.Server.LakeFs.Tokens.ExpireAll();
        await UsesAsync(r => r.Authorization = new AuthenticationHeaderValue("Bearer", token), HttpStatusCode.Unauthorized);

        async Task UsesAsync(Action<HttpRequestHeaders> sign, HttpStatusCode status)
        {
            sandbox.Client.DefaultRequestHeaders.Clear();
            sign(sandbox.Client.DefaultRequestHeaders);
            Assert.Equal(status, await sandbox.GetAsync("config/version").StatusAsync());
        }
    }

    [Theory]
    [InlineData("oidc_auth_session=o", null, HttpStatusCode.OK)]
    [InlineData("saml_auth_session=s", null, HttpStatusCode.OK)]
    [InlineData("internal_auth_session=bad; oidc_auth_session=o", null, HttpStatusCode.Unauthorized)]
    [InlineData("oidc_auth_session=o", "wrong:pair", HttpStatusCode.Unauthorized)]
    [InlineData("other=x", null, HttpStatusCode.Unauthorized)]
    public async Task First_way_to_sign_in_that_is_used_decides(string cookie, string? basic, HttpStatusCode status)
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync(o => (o.OidcSession, o.SamlSession) = ("o", "s"));
        sandbox.Client.DefaultRequestHeaders.Authorization = basic is null
            ? null
            : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(basic)));
        sandbox.Client.DefaultRequestHeaders.Add("Cookie", cookie);
        Assert.Equal(status, await sandbox.GetAsync("config/version").StatusAsync());
    }

    [Fact]
    public async Task Objects_are_listed_in_pages_with_folders_told_once()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        Assert.Equal(["raw-archive/", "raw/", "rawdata.csv", "reports/"], await ListAsync("delimiter=/"));
        Assert.Equal(["raw-archive/", "raw/"], await ListAsync("prefix=ra&delimiter=/&amount=2"));
        Assert.Equal(["rawdata.csv"], await ListAsync("prefix=ra&delimiter=/&after=raw/"));
        Assert.Equal(["raw/2023.parquet"], await ListAsync("prefix=raw/&after=raw/2022.parquet"));

        async Task<IEnumerable<string?>> ListAsync(string query)
        {
            string body = await sandbox.GetAsync($"repositories/lake/refs/main/objects/ls?{query}").BodyAsync();
            return JsonDocument
                .Parse(body)
                .RootElement.GetProperty("results")
                .EnumerateArray()
                .Select(static r => r.GetProperty("path").GetString())
                .ToArray();
        }
    }

    [Fact]
    public async Task Control_routes_set_and_tell_what_a_test_of_another_process_needs()
    {
        await using LakeFsSandbox sandbox = await LakeFsSandbox.StartAsync();
        await ControlAsync(
            "options",
            new
            {
                version = "0.110.0",
                dialect = "Legacy",
                statusMs = 1,
                importSticks = new[] { "s3://x/**" },
                rangeSize = 5,
            }
        );
        Assert.Equal(("0.110.0", LakeFsDialect.Legacy, 5), (sandbox.Options.Version, sandbox.Options.Dialect, sandbox.Options.RangeSize));
        Assert.True(sandbox.Options.ImportSticks("s3://x/y/z"));
        await ControlAsync(
            "objects",
            new
            {
                prefix = "s3://more/",
                count = 7,
                suffix = "",
            }
        );
        await ControlAsync("repositories/other", new { readOnly = true });
        await ControlAsync("repositories/other/branches/dev", new { keys = new[] { "k" }, staged = new[] { "s" } });
        LakeFsRepository other = sandbox.Server.LakeFs.Repository("other");
        Assert.Equal((true, true, 1), (other.IsReadOnly, other.Branch("dev").IsDirty, other.Branch("dev").Count));
        Assert.Contains(
            "\"keys\":[\"k\"]",
            await sandbox.GetAsync("/sandbox/lakefs/repositories/other").BodyAsync(),
            StringComparison.Ordinal
        );
        Assert.Equal(
            HttpStatusCode.BadRequest,
            await sandbox.PostJsonAsync("/sandbox/lakefs/options", new { versoin = "1" }).StatusAsync()
        );

        async Task ControlAsync(string path, object body) =>
            Assert.Equal(HttpStatusCode.NoContent, await sandbox.PostJsonAsync($"/sandbox/lakefs/{path}", body).StatusAsync());
    }
}
