using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Services.LakeFs;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Imports from their start to their end, in both dialects.</summary>
public sealed class LakeFsImportTests
{
    public static TheoryData<ImportDialect> Dialects => new(ImportDialect.Released, ImportDialect.Legacy);

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Import_is_started_and_waited_for_to_its_end(ImportDialect dialect)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(LakeFsHarness.Speaking(dialect));

        Transaction started = await lake.StartAsync(
            lake.Request() with
            {
                Message = "nightly",
                Metadata = new Dictionary<string, string> { ["job"] = "7" },
            }
        );
        Transaction ended = await lake.EndAsync(started);

        Assert.Equal((TransactionKind.Import, TransactionStatus.Queued, "objects"), (started.Kind, started.Status, started.Unit));
        Assert.Equal((TransactionStatus.Succeeded, 1000L, (long?)null), (ended.Status, ended.Completed, ended.Total));
        LakeFsBranch branch = dialect == ImportDialect.Legacy ? lake.Lake.Branch("_main_imported") : lake.Main;
        Assert.Equal((branch.Head.Id, branch.Head.MetaRangeId), (ended.CommitId, ended.MetaRangeId));
        Assert.Equal(("nightly", "7"), (branch.Head.Message, branch.Head.Metadata!["job"]));
        Assert.Equal(
            (TransactionStatus.Succeeded, ended.CommitId),
            ((await lake.EndAsync(ended)).Status, (await lake.EndAsync(ended)).CommitId)
        );
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Id_alone_finds_the_import_again(ImportDialect dialect)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(LakeFsHarness.Speaking(dialect));
        DateTimeOffset before = DateTimeOffset.UtcNow;
        Transaction started = await lake.StartAsync();
        DateTimeOffset after = DateTimeOffset.UtcNow;

        (IngestService service, Transaction parsed) = TransactionSources.Parse(started.Id);
        Transaction ended = await lake.EndAsync(parsed);

        Assert.Equal(IngestService.LakeFs, service);
        Assert.StartsWith(
            dialect == ImportDialect.Legacy ? "lakefs-legacy:lake/main/" : "lakefs:lake/main/",
            started.Id,
            StringComparison.Ordinal
        );
        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        // The id holds whole seconds.
        Assert.InRange(ended.StartedAt!.Value, before - TimeSpan.FromSeconds(1), after);
    }

    [Theory]
    [InlineData("lakefs:")]
    [InlineData("lakefs:lake/main")]
    [InlineData("lakefs:lake//x")]
    [InlineData("lakefs-legacy:lake/main/x/y")]
    public void Text_that_is_no_id_is_refused_with_its_form(string id)
    {
        IngestException error = Assert.Throws<IngestException>(() => TransactionSources.Parse(id));
        Assert.Equal((ErrorId.Rejected, id), (error.ErrorId, error.Target));
        Assert.Contains("repository, branch and import", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_with_odd_letters_go_there_and_back()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        lake.Lake.AddBranch("größe/1 %2F");
        Transaction started = await lake.StartAsync(lake.Request() with { Branch = "größe/1 %2F" });
        Assert.Equal(TransactionStatus.Succeeded, (await lake.EndAsync(TransactionSources.Parse(started.Id).Transaction)).Status);
        Assert.Equal(1000, lake.Lake.Branch("größe/1 %2F").Count);
    }

    [Fact]
    public async Task Prefixes_and_objects_make_one_import()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        lake.Store.Add(LakeFsKeys.Numbered("s3://many/a/", 4000));
        lake.Store.Add(LakeFsKeys.Numbered("s3://many/b/", 200));
        string[] objects = [.. Enumerable.Range(0, 7).Select(i => $"s3://many/c/{i}.csv")];
        lake.Store.Add(objects);
        ImportSource[] sources =
        [
            new("s3://many/a/", "in/a/"),
            new("s3://many/b/", "in/b/"),
            .. objects.Select(address => new ImportSource(address, "in/c/", ImportSourceType.Object)),
        ];

        Transaction ended = await lake.EndAsync(await lake.StartAsync(lake.Request(sources: sources)));

        Assert.Equal((TransactionStatus.Succeeded, 4207L), (ended.Status, ended.Completed));
        Assert.Contains("in/c/6.csv", lake.Main.Keys);
        Assert.Equal(1, lake.Count("POST", "/import"));
    }

    [Fact]
    public async Task Source_without_a_slash_keeps_the_name_of_its_last_folder_and_is_warned_about()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        await lake.EndAsync(await lake.StartAsync(lake.Request(sources: new ImportSource("s3://bucket/pre", "in/"))));
        Assert.Contains("in/prefix/00000000.parquet", lake.Main.Keys);
        Assert.Contains("does not end with a slash", Assert.Single(lake.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_without_sources_or_message_commits_with_the_default_message_and_no_metadata()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => o.Version = "1.1.0");
        ImportRequest request = lake.Request() with { Sources = [], Metadata = new Dictionary<string, string>() };
        Transaction ended = await lake.EndAsync(await lake.StartAsync(request));
        Assert.Equal((TransactionStatus.Succeeded, 0L), (ended.Status, ended.Completed));
        Assert.Equal(("Import objects", null), (lake.Main.Head.Message, lake.Main.Head.Metadata));
    }

    [Theory]
    [InlineData("1.84.0", TransactionStatus.Succeeded)]
    [InlineData("v0.101.0", TransactionStatus.Succeeded)]
    [InlineData("0.110.0-rc.1", TransactionStatus.Succeeded)]
    [InlineData("dev-1a2b3c4", TransactionStatus.Succeeded)]
    [InlineData("", TransactionStatus.Succeeded)]
    public async Task Version_that_is_new_or_cannot_be_read_is_spoken_to_in_the_released_dialect(string version, TransactionStatus status)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => o.Version = version);
        Transaction started = await lake.StartAsync();
        Assert.StartsWith("lakefs:", started.Id, StringComparison.Ordinal);
        Assert.Equal(status, (await lake.EndAsync(started)).Status);
    }

    [Theory]
    [InlineData("0.100.0")]
    [InlineData("v0.99")]
    [InlineData("0.65.0-dev+7")]
    public async Task Older_version_is_an_error_that_names_the_legacy_dialect(string version)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => (o.Dialect, o.Version) = (LakeFsDialect.Legacy, version));
        IngestException error = await FailsAsync(lake, lake.Request() with { Dialect = ImportDialect.Auto });
        Assert.Equal(ErrorId.Rejected, error.ErrorId);
        Assert.Contains(version, error.Message, StringComparison.Ordinal);
        Assert.Contains("-Dialect Legacy", error.Advice, StringComparison.Ordinal);
        Assert.Equal(0, lake.Count("POST", "/import"));
    }

    [Fact]
    public async Task Legacy_import_tells_that_the_commit_is_on_another_branch()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(LakeFsHarness.SpeakLegacy);
        Transaction ended = await lake.EndAsync(await lake.StartAsync());
        Assert.Contains("'_main_imported': merge it into 'main'", ended.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Legacy_import_takes_one_prefix()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(LakeFsHarness.SpeakLegacy);
        ImportSource prefix = new(LakeFsHarness.Source, "raw/");
        Assert.Contains("has one source", (await ErrorsAsync(lake, prefix, prefix)).Single().Message, StringComparison.Ordinal);
        IngestException error = (
            await ErrorsAsync(lake, new ImportSource("s3://bucket/single/report.csv", "a", ImportSourceType.Object))
        ).Single();
        Assert.Equal((ErrorId.Rejected, "s3://bucket/single/report.csv"), (error.ErrorId, error.Target));
    }

    [Fact]
    public async Task Wrong_dialect_is_told_as_such()
    {
        await using LakeFsHarness released = await LakeFsHarness.StartAsync();
        IngestException error = await FailsAsync(released, released.Request() with { Dialect = ImportDialect.Legacy });
        Assert.Contains("another form of imports", error.Advice, StringComparison.Ordinal);

        await using LakeFsHarness old = await LakeFsHarness.StartAsync(o => o.Version = "0.99.0");
        error = await FailsAsync(old, old.Request() with { Dialect = ImportDialect.Released });
        Assert.Equal((ErrorId.NotFound, 1), (error.ErrorId, error.Attempts));
        Assert.Contains("invalid API endpoint", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Missing_repository_and_branch_are_told_before_anything_starts(ImportDialect dialect)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(LakeFsHarness.Speaking(dialect));
        IngestException repository = await FailsAsync(lake, lake.Request() with { Repository = "none" });
        IngestException branch = await FailsAsync(lake, lake.Request() with { Branch = "none" });
        Assert.Equal((ErrorId.NotFound, ErrorId.NotFound), (repository.ErrorId, branch.ErrorId));
        Assert.Contains("no repository 'none'", repository.Message, StringComparison.Ordinal);
        Assert.Contains("no branch 'none'", branch.Message, StringComparison.Ordinal);
        Assert.NotNull(branch.RequestId);
        Assert.Equal(0, lake.Count("POST", "/import"));
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Storage_that_cannot_be_imported_from_is_told_before_anything_starts(ImportDialect dialect)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => o.SupportsImport = false);
        LakeFsHarness.Speaking(dialect)(lake.Options);
        IngestException error = await FailsAsync(lake, lake.Request());
        Assert.Equal(ErrorId.Rejected, error.ErrorId);
        Assert.Contains("cannot import from its storage", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, lake.Count("POST", "/import"));
    }

    [Fact]
    public async Task Read_only_repository_is_refused_unless_it_is_allowed()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        lake.Server.LakeFs.AddRepository("lake", isReadOnly: true);
        IngestException error = await FailsAsync(lake, lake.Request());
        Assert.Contains("-AllowReadOnly", error.Advice, StringComparison.Ordinal);
        Assert.Equal(
            TransactionStatus.Succeeded,
            (await lake.EndAsync(await lake.StartAsync(lake.Request() with { AllowReadOnly = true }))).Status
        );
    }

    [Theory]
    [InlineData("gs://bucket/prefix/", "does not fit the storage")]
    [InlineData("prefix/", "is not an address")]
    [InlineData("/data/prefix/", "is not an address")]
    public async Task Source_that_the_storage_cannot_read_is_told_with_its_name(string source, string words)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        IngestException error = Assert.Single(
            await ErrorsAsync(lake, new ImportSource(LakeFsHarness.Source, "a/"), new ImportSource(source, "b/"))
        );
        Assert.Equal((ErrorId.Rejected, source), (error.ErrorId, error.Target));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Objects_that_would_get_one_name_are_refused_and_both_named()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        IngestException error = Assert.Single(
            await ErrorsAsync(
                lake,
                new ImportSource("s3://a/1.csv", "in/", ImportSourceType.Object),
                new ImportSource("s3://b/1.csv", "in/", ImportSourceType.Object),
                new ImportSource("s3://c/", "in/")
            )
        );
        Assert.Equal((ErrorId.Rejected, "s3://b/1.csv"), (error.ErrorId, error.Target));
        Assert.Contains("'s3://a/1.csv' and 's3://b/1.csv' would both become 'in/1.csv'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gs://bucket/x/?sig=canary-7", "gs://bucket/x/?***")]
    [InlineData("gs://KEY:canary/7@bucket/x/", "gs://***@bucket/x/")]
    [InlineData("KEY:canary-7@bucket", "***@bucket")]
    [InlineData("gs://host:9000/a@b/", "gs://host:9000/a@b/")]
    [InlineData("gs://a\u001b[1m/", "gs://a\\u001b[1m/")]
    public async Task Secret_in_a_source_is_in_no_error(string source, string shown)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        IngestException error = Assert.Single(await ErrorsAsync(lake, new ImportSource(source, "x/")));
        Assert.Contains($"'{shown}'", error.Message, StringComparison.Ordinal);
        Assert.Equal(shown, error.Target);
        Assert.DoesNotContain("canary", error.ToString() + lake.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_without_a_version_that_speaks_another_form_is_told_with_the_dialect_to_try()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => (o.Dialect, o.Version) = (LakeFsDialect.Legacy, "dev"));
        IngestException error = await FailsAsync(lake, lake.Request() with { Dialect = ImportDialect.Auto });
        Assert.Contains("-Dialect Legacy", error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Repository_that_may_not_be_looked_at_can_be_imported_into()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        lake.SetFaults("403=1,GET /api/v1/repositories/lake");
        Assert.Equal(TransactionStatus.Succeeded, (await lake.EndAsync(await lake.StartAsync())).Status);
    }

    [Fact]
    public async Task Rule_of_an_old_server_for_namespaces_holds_for_sources()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(LakeFsHarness.SpeakLegacy);
        Assert.Contains(
            "does not fit",
            Assert.Single(await ErrorsAsync(lake, new ImportSource("gs://bucket/x/"))).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("s3://lakefs-storage/lake")]
    [InlineData("s3://lakefs-storage/lake/data/")]
    [InlineData("s3://lakefs-storage/")]
    public async Task Source_in_or_around_the_repositorys_own_storage_is_refused_in_the_servers_words(string source)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        IngestException error = await FailsAsync(lake, lake.Request(sources: new ImportSource(source, "x/")));
        Assert.Equal(ErrorId.Rejected, error.ErrorId);
        Assert.Contains("invalid import source", error.ServerMessage, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Bad_source_that_only_the_walk_finds_is_one_error_in_the_servers_words(ImportDialect dialect)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(LakeFsHarness.Speaking(dialect));
        List<WaitEvent> events = await lake.WaitAsync(
            await lake.StartAsync(lake.Request(sources: new ImportSource("s3://nowhere/x/", "raw/")))
        );
        Assert.Equal((TransactionStatus.Failed, "error"), (events[^1].Transaction.Status, events[^1].Transaction.ServerStatus));
        IngestException error = Assert.Single(events.OfType<WaitEvent.Failed>()).Error;
        Assert.Equal(ErrorId.TransactionFailed, error.ErrorId);
        Assert.Contains("NoSuchBucket", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dirty_branch_and_hook_are_told_in_the_servers_words()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => o.HookAborts = "the format is wrong");
        Assert.Contains("the format is wrong", (await lake.EndAsync(await lake.StartAsync())).Message, StringComparison.Ordinal);
        lake.Main.Stage("half-done");
        Assert.Contains("dirty branch", (await lake.EndAsync(await lake.StartAsync())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_rights_are_told_with_the_request_id()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => o.DeniedActions = ["fs:ImportFromStorage"]);
        IngestException error = await FailsAsync(lake, lake.Request());
        Assert.Equal((ErrorId.NotAllowed, "insufficient permissions"), (error.ErrorId, error.ServerMessage));
        Assert.NotNull(error.RequestId);
    }

    [Fact]
    public async Task Lost_answer_to_a_start_is_not_followed_by_a_second_start()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        lake.SetFaults("lost=1,POST /api/v1/repositories/*/branches/*/import");
        IngestException error = await FailsAsync(lake, lake.Request());
        Assert.Equal(ErrorId.OutcomeUnknown, error.ErrorId);
        Assert.Contains("lake/main gets a commit", error.Advice, StringComparison.Ordinal);
        Assert.Single(lake.Lake.Imports);
    }

    [Theory]
    [InlineData("429=1,POST /**/import")]
    [InlineData("420=1,POST /**/import")]
    [InlineData("503=1,0s,POST /**/import")]
    public async Task Start_that_the_server_says_it_did_not_do_is_sent_again(string fault)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(time: new QuickTime(20));
        lake.SetFaults(fault);
        Assert.Equal(TransactionStatus.Succeeded, (await lake.EndAsync(await lake.StartAsync())).Status);
        Assert.Single(lake.Lake.Imports);
    }

    [Theory]
    [InlineData("html=1,POST /**/import", ErrorId.OutcomeUnknown)]
    [InlineData("redirect=1,GET /**/config/version", ErrorId.Redirected)]
    public async Task Answer_that_is_not_lakefss_is_told_as_such(string fault, ErrorId errorId)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        lake.SetFaults(fault);
        Assert.Equal(errorId, (await FailsAsync(lake, lake.Request())).ErrorId);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Status_that_is_not_there_yet_is_waited_for(ImportDialect dialect)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o =>
            (o.Version, o.RecordDelay) = ("1.73.0", TimeSpan.FromMilliseconds(300))
        );
        LakeFsHarness.Speaking(dialect)(lake.Options);
        Transaction started = await lake.StartAsync();

        Transaction first = await lake.LookAsync(started);
        Transaction byId = await lake.LookAsync(TransactionSources.Parse(started.Id).Transaction);

        Assert.Equal((TransactionStatus.Queued, "404"), (first.Status, first.ServerStatus));
        Assert.Equal(TransactionStatus.Queued, byId.Status);
        Assert.Equal(TransactionStatus.Succeeded, (await lake.EndAsync(first)).Status);
    }

    [Fact]
    public async Task Status_that_is_not_there_yet_is_waited_for_also_after_a_start_that_took_long()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(
            o => (o.Version, o.RecordDelay) = ("1.73.0", TimeSpan.FromMilliseconds(200)),
            time: new QuickTime(20)
        );
        lake.SetFaults("503=1,11s,POST /**/import");
        Transaction first = await lake.LookAsync(await lake.StartAsync());
        Assert.Equal((TransactionStatus.Queued, "404"), (first.Status, first.ServerStatus));
    }

    [Theory]
    [InlineData("rpc error: code = Canceled desc = context canceled")]
    [InlineData("operation error S3: ListObjectsV2, Canceled")]
    public async Task Walk_that_was_canceled_is_a_failure_and_no_cancellation(string words)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => o.WalkFails = _ => words);
        Transaction ended = await lake.EndAsync(await lake.StartAsync());
        Assert.Equal((TransactionStatus.Failed, "error"), (ended.Status, ended.ServerStatus));
        Assert.Contains(words, ended.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_that_stays_away_is_unknown_after_ten_seconds()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(
            o => (o.Version, o.RecordDelay) = ("1.73.0", TimeSpan.FromHours(1)),
            time: new QuickTime(100)
        );
        List<WaitEvent> events = await lake.WaitAsync(await lake.StartAsync(), new WaitOptions { PollInterval = TimeSpan.FromSeconds(1) });
        Assert.InRange(events.OfType<WaitEvent.Seen>().Count(), 2, 15);
        Assert.Equal((TransactionStatus.Unknown, "404"), (events[^1].Transaction.Status, events[^1].Transaction.ServerStatus));
        Assert.Single(events.OfType<WaitEvent.Failed>());
    }

    [Fact]
    public async Task Import_of_long_ago_that_the_server_has_forgotten_is_unknown_at_once()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        Transaction seen = await lake.LookAsync(TransactionSources.Parse("lakefs:lake/main/cbrk3fq1g7ad5v8m2n10").Transaction);
        Assert.Equal(TransactionStatus.Unknown, seen.Status);
        Assert.Contains("does not know it", seen.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Record_that_is_deleted_after_a_day_is_unknown()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        Transaction running = (await lake.LookAsync(await lake.StartAsync())) with
        {
            Status = TransactionStatus.Running,
            SubmittedAt = null,
        };
        lake.Options.RecordLifetime = TimeSpan.FromTicks(-1);
        Assert.Equal(TransactionStatus.Unknown, (await lake.LookAsync(running)).Status);
    }

    [Fact]
    public async Task Count_rises_and_the_rate_is_told()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o =>
            (o.StatusInterval, o.ObjectsPerSecond) = (TimeSpan.FromMilliseconds(20), 20_000)
        );
        lake.Store.Add(LakeFsKeys.Numbered("s3://big/", 4_000));

        List<WaitEvent> events = await lake.WaitAsync(
            await lake.StartAsync(lake.Request(sources: new ImportSource("s3://big/", "raw/"))),
            new WaitOptions { PollInterval = TimeSpan.FromMilliseconds(10) }
        );

        long?[] counts = [.. events.OfType<WaitEvent.Seen>().Select(seen => seen.Transaction.Completed)];
        Assert.Equal(counts.Order(), counts);
        Assert.True(counts.Distinct().Count() > 2);
        Assert.Contains(events, seen => seen.Transaction.Message?.EndsWith("objects/s", StringComparison.Ordinal) == true);
        Assert.Equal(4_000, events[^1].Transaction.Completed);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Import_that_stands_still_is_told_once_and_waited_for_until_the_time_is_up(ImportDialect dialect)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => o.ImportSticks = _ => true, time: new QuickTime(100));
        LakeFsHarness.Speaking(dialect)(lake.Options);

        // The clock runs a hundred times as fast: a machine that is busy for a second must still poll again before the time is up.
        List<WaitEvent> events = await lake.WaitAsync(
            await lake.StartAsync(),
            new WaitOptions { PollInterval = TimeSpan.FromSeconds(2), Timeout = TimeSpan.FromMinutes(10) }
        );

        Assert.Equal("stalled", events.OfType<WaitEvent.Seen>().Last().Transaction.ServerStatus);
        Assert.Contains("is stalled", Assert.Single(lake.Warnings), StringComparison.Ordinal);
        Assert.Equal(ErrorId.WaitTimedOut, Assert.Single(events.OfType<WaitEvent.Failed>()).Error.ErrorId);
        Assert.Equal(0, lake.Count("DELETE", "/import"));
    }

    [Fact]
    public async Task Look_that_fails_for_a_while_is_sat_out()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(time: new QuickTime(50));
        Transaction started = await lake.StartAsync();
        lake.SetFaults("500=2,GET /**/import", "reset=1,GET /**/import");
        Assert.Equal(TransactionStatus.Succeeded, (await lake.EndAsync(started)).Status);
    }

    [Fact]
    public async Task Proxy_that_refuses_a_get_with_a_body_is_told_as_such()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(LakeFsHarness.SpeakLegacy);
        Transaction started = await lake.StartAsync();
        lake.Options.RefusesGetWithBody = true;
        IngestException error = await Assert.ThrowsAsync<IngestException>(() => lake.LookAsync(started));
        Assert.Equal(ErrorId.NotAllowed, error.ErrorId);
        Assert.Contains("refuses a GET with a body", error.Message, StringComparison.Ordinal);
        Assert.Contains("-NoProxy", error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_replaces_what_begins_like_its_destination_and_says_so_before()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();

        ImportReplacement replaced = Assert.Single((await PrepareAsync(lake, "raw")).Replacements);
        await lake.EndAsync(await lake.StartAsync(lake.Request("raw")));

        Assert.Equal((4L, false, true), (replaced.Objects, replaced.HasMore, replaced.IsSurprising));
        Assert.Equal(["raw-archive/", "rawdata.csv"], replaced.Siblings);
        Assert.Equal(
            "all that begins with 'raw' (4 objects), and with it 'raw-archive/', 'rawdata.csv', since the destination does not end "
                + "with a slash",
            replaced.Describe()
        );
        Assert.DoesNotContain(
            lake.Main.Keys,
            key => key.StartsWith("raw-archive", StringComparison.Ordinal) || key == "rawdata.csv" || key == "raw/2022.parquet"
        );
    }

    [Fact]
    public async Task Destination_with_a_slash_is_no_surprise_and_is_counted_only_when_asked()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        Assert.Empty((await PrepareAsync(lake, "raw/")).Replacements);
        ImportReplacement replaced = Assert.Single(
            (await lake.Client.PrepareAsync(lake.Request("raw/"), countsAll: true, CancellationToken.None)).Replacements
        );
        Assert.Equal((2L, false), (replaced.Objects, replaced.IsSurprising));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("new", false)]
    [InlineData("raw-archive", false)]
    [InlineData("reports/sum", true)]
    public async Task Only_the_whole_branch_and_siblings_are_a_surprise(string destination, bool isSurprising)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        Assert.Equal(isSurprising, Assert.Single((await PrepareAsync(lake, destination)).Replacements).IsSurprising);
    }

    [Fact]
    public async Task Object_is_replaced_without_surprise_unless_others_begin_like_it()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        lake.Lake.AddBranch("main", "a/file1", "a/file10", "b/file1");
        ImportSource Object(string destination) => new("s3://bucket/single/report.csv", destination, ImportSourceType.Object);
        ImportPlan plan = await lake.Client.PrepareAsync(
            lake.Request(sources: [Object("a/file1"), Object("b/file1")]),
            countsAll: false,
            CancellationToken.None
        );
        Assert.Equal([true, false], plan.Replacements.Select(replaced => replaced.IsSurprising));
        Assert.Equal(["a/file10"], plan.Replacements[0].Siblings);
    }

    [Fact]
    public async Task Branch_that_may_not_be_listed_leaves_the_surprise_possible()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => o.DeniedActions = ["fs:ListObjects"]);
        ImportReplacement replaced = Assert.Single((await PrepareAsync(lake, "raw")).Replacements);
        Assert.Equal((null, null, true), (replaced.Objects, replaced.Siblings, replaced.IsSurprising));
    }

    [Theory]
    [InlineData("0.104.0")]
    [InlineData("0.101.0")]
    public async Task Versions_that_delete_nothing_replace_nothing(string version)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(o => o.Version = version);
        Assert.Empty((await PrepareAsync(lake, "")).Replacements);
    }

    [Fact]
    public async Task More_objects_than_one_listing_has_are_told_as_more()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        await lake.EndAsync(await lake.StartAsync());
        ImportReplacement replaced = Assert.Single((await PrepareAsync(lake, "")).Replacements);
        Assert.Equal("everything on the branch (1,000 or more objects)", replaced.Describe().Replace('\u00A0', ',').Replace('.', ','));
    }

    private static Task<ImportPlan> PrepareAsync(LakeFsHarness lake, string destination) =>
        lake.Client.PrepareAsync(lake.Request(destination), countsAll: false, CancellationToken.None);

    private static Task<IngestException> FailsAsync(LakeFsHarness lake, ImportRequest request) =>
        Assert.ThrowsAsync<IngestException>(() => lake.StartAsync(request));

    private static async Task<IReadOnlyList<IngestException>> ErrorsAsync(LakeFsHarness lake, params ImportSource[] sources)
    {
        ImportPlan plan = await lake.Client.PrepareAsync(lake.Request(sources: sources), countsAll: false, CancellationToken.None);
        await Assert.ThrowsAsync<IngestException>(() => lake.Client.StartAsync(plan, CancellationToken.None));
        Assert.Equal(0, lake.Count("POST", "/import"));
        return plan.Errors;
    }
}
