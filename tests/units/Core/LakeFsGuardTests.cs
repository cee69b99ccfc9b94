using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Services.LakeFs;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Imports that would replace what is there by nothing, and destinations that mean another place.</summary>
public sealed class LakeFsGuardTests
{
    private const string Typo = "s3://bucket/prefx/";

    [Fact]
    public async Task Import_that_brings_nothing_where_there_were_objects_fails_and_says_how_to_get_them_back()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        string before = lake.Main.Head.Id;

        List<WaitEvent> events = await lake.WaitAsync(await lake.StartAsync(Request(lake, Typo)));

        Transaction ended = events[^1].Transaction;
        Assert.Equal((TransactionStatus.Failed, 0L), (ended.Status, ended.Completed));
        IngestException error = Assert.Single(events.OfType<WaitEvent.Failed>()).Error;
        Assert.Contains("It brought no object. It deleted 2 objects on lake/main.", error.Message, StringComparison.Ordinal);
        Assert.Contains($"The commit before, {before}, has them.", error.Message, StringComparison.Ordinal);
        Assert.Contains($"lakectl branch revert lakefs://lake/main {lake.Main.Head.Id}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_session_that_knows_the_id_alone_sees_the_same()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        Transaction started = await lake.StartAsync(Request(lake, Typo));
        await lake.EndAsync(started);

        Transaction seen = await lake.LookAsync(TransactionSources.Parse(started.Id).Transaction);

        Assert.Equal(TransactionStatus.Failed, seen.Status);
        Assert.Contains("It deleted 2 objects", seen.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_that_brings_nothing_to_an_empty_place_succeeds()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();

        Assert.Equal(TransactionStatus.Succeeded, (await lake.EndAsync(await lake.StartAsync(Request(lake, Typo, "new/")))).Status);
    }

    [Theory]
    [InlineData(0L, "s3://bucket/prefx/", TransactionStatus.Succeeded)]
    [InlineData(1000L, "s3://bucket/prefix/", TransactionStatus.Succeeded)]
    [InlineData(1001L, "s3://bucket/prefix/", TransactionStatus.Failed)]
    public async Task Minimum_decides_whether_an_import_has_failed(long minimum, string source, TransactionStatus status)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();

        Transaction ended = await lake.EndAsync(await lake.StartAsync(Request(lake, source) with { MinimumObjects = minimum }));

        Assert.Equal(status, ended.Status);
    }

    [Theory]
    [InlineData(0L, Typo, TransactionStatus.Succeeded)]
    [InlineData(1001L, LakeFsHarness.Source, TransactionStatus.Failed)]
    public async Task Minimum_of_the_start_decides_in_another_session_that_knows_the_id_alone(
        long minimum,
        string source,
        TransactionStatus status
    )
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        using TemporaryFolder folder = new();
        string path = Path.Join(folder.Path, "journal.db");
        string id;
        using (SqliteJournal first = new(path, TimeProvider.System))
        {
            LakeFsClient client = new(lake.Connection, lake.Log, first);
            ImportPlan plan = await client.PrepareAsync(
                Request(lake, source) with
                {
                    MinimumObjects = minimum,
                },
                countsAll: false,
                CancellationToken.None
            );
            id = (await client.StartAsync(plan, CancellationToken.None)).Id;
        }

        using SqliteJournal second = new(path, TimeProvider.System);
        using IngestConnection connection = lake.Connect();
        ITransactionSource transactions = TransactionSources.For(connection, lake.Log, second);

        // The second wait finds a record of one that has ended.
        foreach (StartState recorded in new[] { StartState.Started, StartState.Ended })
        {
            JournaledTransaction start = Assert.Single(
                second.ReadTransactions(
                    new TransactionQuery
                    {
                        Id = id,
                        Server = connection.Uri.AbsoluteUri,
                        IncludesEnded = true,
                    }
                )
            );
            Assert.Equal(recorded, start.State);
            Transaction ended = (await lake.WaitAsync(start.Resume(), source: transactions))[^1].Transaction;
            Assert.Equal((id, status), (ended.Id, ended.Status));
        }
    }

    [Fact]
    public async Task Deletions_that_cannot_be_counted_are_said_to_be_unknown()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        lake.SetFaults("403=GET /**/diff/**");

        Transaction ended = await lake.EndAsync(await lake.StartAsync(Request(lake, Typo) with { MinimumObjects = 5 }));

        Assert.Equal(TransactionStatus.Failed, ended.Status);
        Assert.Contains("How many it deleted on lake/main could not be found out.", ended.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Staged_import_reaches_the_branch_by_a_merge_and_leaves_no_branch_behind()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        int branches = lake.Lake.Branches.Count;

        StagedImportResult result = await StageAsync(lake, Request(lake, LakeFsHarness.Source) with { Message = "nightly" });

        Assert.Null(result.Error);
        Assert.Equal(
            (TransactionStatus.Succeeded, "main", lake.Main.Head.Id),
            (result.Transaction.Status, result.Transaction.Branch, result.Transaction.CommitId)
        );
        Assert.Equal("nightly", lake.Main.Head.Message);
        Assert.Equal(1003, lake.Main.Count);
        Assert.DoesNotContain("raw/2022.parquet", lake.Main.Keys);
        Assert.Equal(branches, lake.Lake.Branches.Count);
    }

    [Theory]
    [InlineData("s3://bucket/prefx/", null)]
    [InlineData("s3://bucket/prefix/", 2000L)]
    public async Task Staged_import_that_brings_too_little_leaves_the_branch_as_it_was(string source, long? minimum)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        (string head, int branches) = (lake.Main.Head.Id, lake.Lake.Branches.Count);

        StagedImportResult result = await StageAsync(lake, Request(lake, source) with { MinimumObjects = minimum });

        Assert.Equal(TransactionStatus.Failed, result.Transaction.Status);
        Assert.Contains("lake/main is as it was", result.Error!.Message, StringComparison.Ordinal);
        Assert.Equal((head, branches), (lake.Main.Head.Id, lake.Lake.Branches.Count));
        Assert.Contains("raw/2022.parquet", lake.Main.Keys);
    }

    [Fact]
    public async Task Staged_import_that_cannot_be_merged_stays_in_its_branch_which_is_named()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        lake.SetFaults("409=POST /**/merge/**");
        string head = lake.Main.Head.Id;

        StagedImportResult result = await StageAsync(lake, Request(lake, LakeFsHarness.Source));

        LakeFsBranch staging = Assert.Single(
            lake.Lake.Branches,
            branch => branch.Name.StartsWith("ingesttools-", StringComparison.Ordinal)
        );
        Assert.Contains(staging.Name, result.Error!.Message, StringComparison.Ordinal);
        Assert.Contains($"lakectl merge lakefs://lake/{staging.Name} lakefs://lake/main", result.Error.Advice, StringComparison.Ordinal);
        Assert.Equal(head, lake.Main.Head.Id);
    }

    [Fact]
    public async Task Merge_whose_answer_is_lost_is_found_done()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        lake.SetFaults("lost=1,POST /**/merge/**");

        StagedImportResult result = await StageAsync(lake, Request(lake, LakeFsHarness.Source));

        Assert.Null(result.Error);
        Assert.Equal(lake.Main.Head.Id, result.Transaction.CommitId);
        Assert.Equal(1003, lake.Main.Count);
    }

    [Theory]
    [InlineData("lakefs://lake/main/raw/", "raw/")]
    [InlineData("LAKEFS://lake/main/raw/a b", "raw/a b")]
    [InlineData("raw/", "raw/")]
    [InlineData("a b/c", "a b/c")]
    [InlineData("", "")]
    [InlineData("lakefs://lake/main/", "")]
    [InlineData("lakefs://lake/main", "")]
    public async Task Destination_is_taken_for_the_path_that_it_means(string destination, string path)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();

        ImportPlan plan = await PrepareAsync(lake, Request(lake, LakeFsHarness.Source, destination));

        Assert.Empty(plan.Errors);
        Assert.Equal(path, Assert.Single(plan.Request.Sources).Destination);
    }

    [Theory]
    [InlineData("/raw/", "Write it as 'raw/'.")]
    [InlineData("//", "Leave it out for the whole branch.")]
    [InlineData(" raw/", "Write it as 'raw/'.")]
    [InlineData("raw/ ", "Write it as 'raw/'.")]
    [InlineData("  ", "Leave it out for the whole branch.")]
    [InlineData("lakefs://lake/other/raw/", "Give the same repository and branch")]
    [InlineData("lakefs://pond/main/raw/", "Give the same repository and branch")]
    [InlineData("lakefs://lake/main//raw/", "Write it as 'raw/'.")]
    [InlineData("s3://bucket/raw/", "Write it as lakefs://lake/main/path/")]
    [InlineData("raw\n/", "Write it without them.")]
    public async Task Destination_that_means_another_place_is_refused_with_what_to_write(string destination, string advice)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();

        IngestException error = Assert.Single((await PrepareAsync(lake, Request(lake, LakeFsHarness.Source, destination))).Errors);

        Assert.Equal(ErrorId.Rejected, error.ErrorId);
        Assert.StartsWith(advice, error.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("500", ImportDialect.Auto)]
    [InlineData("503", ImportDialect.Auto)]
    [InlineData("429", ImportDialect.Auto)]
    [InlineData("400", ImportDialect.Released)]
    [InlineData("503", ImportDialect.Released)]
    public async Task Version_that_is_not_answered_is_no_reason_to_stop(string status, ImportDialect dialect)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        lake.SetFaults($"{status}=GET /**/config/version");

        Transaction ended = await lake.EndAsync(await lake.StartAsync(lake.Request() with { Dialect = dialect }));

        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        Assert.Equal(1, lake.Count("GET", "/config/version"));
    }

    private static ImportRequest Request(LakeFsHarness lake, string source, string destination = "raw/") =>
        lake.Request("raw/", new ImportSource(source, destination));

    private static Task<ImportPlan> PrepareAsync(LakeFsHarness lake, ImportRequest request) =>
        lake.Client.PrepareAsync(request, countsAll: false, CancellationToken.None);

    private static async Task<StagedImportResult> StageAsync(LakeFsHarness lake, ImportRequest request) =>
        await lake.Client.StageAsync(await PrepareAsync(lake, request), null, CancellationToken.None);
}
