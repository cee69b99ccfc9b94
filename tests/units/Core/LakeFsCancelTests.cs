using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Services.LakeFs;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Cancelling imports, with all that can come between.</summary>
public sealed class LakeFsCancelTests
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    public static TheoryData<ImportDialect> Dialects => new(ImportDialect.Released, ImportDialect.Legacy);

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Cancelled_import_ends_canceled_and_leaves_the_branch_as_it_was(ImportDialect dialect)
    {
        TaskCompletionSource commit = new();
        await using LakeFsHarness lake = await StartAsync(dialect, o => o.BeforeCommit = () => commit.Task);
        string head = lake.Main.Head.Id;
        Transaction started = await lake.StartAsync();
        await lake.WaitUntilAsync(() => lake.Import(started).Phase == LakeFsImportPhase.Writing);

        Transaction first = await lake.StopAsync(started);
        Transaction second = await lake.StopAsync(started);
        commit.SetResult();
        await lake.WaitUntilAsync(() => lake.Import(started).Phase == LakeFsImportPhase.Ended);

        Assert.Equal((TransactionStatus.Canceled, "Canceled"), (first.Status, first.Message));
        Assert.Equal((TransactionStatus.Canceled, first.CompletedAt), (second.Status, second.CompletedAt));
        Assert.Equal(1, lake.Import(started).Cancellations);
        Assert.Equal(head, lake.Main.Head.Id);
        IngestException error = Assert.Single((await lake.WaitAsync(first)).OfType<WaitEvent.Failed>()).Error;
        Assert.Equal(ErrorId.TransactionFailed, error.ErrorId);
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Completed_import_is_left_alone(ImportDialect dialect)
    {
        await using LakeFsHarness lake = await StartAsync(dialect);
        Transaction ended = await lake.EndAsync(await lake.StartAsync());
        Transaction stopped = await lake.StopAsync(ended);
        Assert.Equal((TransactionStatus.Succeeded, ended.CommitId), (stopped.Status, stopped.CommitId));
        Assert.Equal(0, lake.Count("DELETE", "/import"));
    }

    [Theory]
    [MemberData(nameof(Dialects))]
    public async Task Error_of_a_failed_import_is_not_written_over(ImportDialect dialect)
    {
        await using LakeFsHarness lake = await StartAsync(dialect);
        Transaction failed = await lake.StartAsync(lake.Request(sources: new ImportSource("s3://nowhere/", "raw/")));
        Transaction stopped = await lake.StopAsync(failed);
        Assert.Equal(TransactionStatus.Failed, stopped.Status);
        Assert.Contains("NoSuchBucket", stopped.Message, StringComparison.Ordinal);
        Assert.Equal(0, lake.Import(failed).Cancellations);
    }

    [Fact]
    public async Task Import_that_completes_while_it_is_cancelled_is_told_as_completed()
    {
        TaskCompletionSource commit = new();
        TaskCompletionSource cancelling = new();
        TaskCompletionSource completed = new();
        await using LakeFsHarness lake = await StartAsync(
            ImportDialect.Released,
            o =>
            {
                o.BeforeCommit = () => commit.Task;
                o.BeforeCancel = () =>
                {
                    cancelling.SetResult();
                    return completed.Task;
                };
            }
        );
        Transaction started = await lake.StartAsync();
        await lake.WaitUntilAsync(() => lake.Import(started).Phase == LakeFsImportPhase.Writing);

        Task<Transaction> stopping = lake.StopAsync(started);
        await cancelling.Task.WaitAsync(TimeLimit);
        commit.SetResult();
        await lake.WaitUntilAsync(() => lake.Import(started).Phase == LakeFsImportPhase.Ended);
        completed.SetResult();
        Transaction stopped = await stopping;

        Assert.Equal((TransactionStatus.Succeeded, lake.Main.Head.Id), (stopped.Status, stopped.CommitId));
        Assert.Contains("had completed before", stopped.Message, StringComparison.Ordinal);
        Assert.Equal(0, lake.Import(started).Cancellations);
    }

    [Theory]
    [InlineData(ImportDialect.Released, true)]
    [InlineData(ImportDialect.Released, false)]
    [InlineData(ImportDialect.Legacy, true)]
    public async Task Commit_that_reached_the_branch_before_the_cancellation_is_told(ImportDialect dialect, bool isKnown)
    {
        TaskCompletionSource last = new();
        await using LakeFsHarness lake = await StartAsync(dialect, o => o.BeforeLastStatus = () => last.Task);
        Transaction started = await lake.StartAsync(lake.Request() with { Message = "nightly 42" });
        await lake.WaitUntilAsync(() => lake.Import(started).Phase == LakeFsImportPhase.Committed);

        Transaction stopped = await lake.StopAsync(isKnown ? started : TransactionSources.Parse(started.Id).Transaction);
        last.SetResult();

        string commit = (dialect == ImportDialect.Legacy ? lake.Lake.Branch("_main_imported") : lake.Main).Head.Id;
        Assert.Equal("Canceled", (await lake.LookAsync(started)).ServerStatus);
        Assert.Equal((TransactionStatus.Canceled, null), (stopped.Status, stopped.CommitId));
        Assert.Contains($"newer commit, {commit}", stopped.Message, StringComparison.Ordinal);
        Assert.Contains(commit, lake.Warnings[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commit_of_somebody_else_with_the_same_message_is_told_and_not_taken_for_the_imports()
    {
        bool sticks = true;
        await using LakeFsHarness lake = await StartAsync(ImportDialect.Released, o => o.ImportSticks = _ => sticks);
        Transaction stuck = await lake.StartAsync(lake.Request() with { Message = "nightly" });
        sticks = false;
        Transaction theirs = await lake.EndAsync(await lake.StartAsync(lake.Request() with { Message = "nightly" }));

        Transaction stopped = await lake.StopAsync(stuck);

        Assert.Equal((TransactionStatus.Canceled, null), (stopped.Status, stopped.CommitId));
        Assert.Contains($"newer commit, {theirs.CommitId}", stopped.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commit_of_somebody_else_is_not_taken_for_the_imports()
    {
        bool sticks = false;
        await using LakeFsHarness lake = await StartAsync(ImportDialect.Released, o => o.ImportSticks = _ => sticks);
        sticks = true;
        Transaction stuck = await lake.StartAsync(lake.Request() with { Message = "mine" });
        sticks = false;
        await lake.EndAsync(await lake.StartAsync(lake.Request() with { Message = "theirs" }));

        Transaction stopped = await lake.StopAsync(stuck);

        Assert.Equal((TransactionStatus.Canceled, "Canceled", null), (stopped.Status, stopped.Message, stopped.CommitId));
    }

    [Fact]
    public async Task Branch_that_may_not_be_looked_at_leaves_the_cancellation_as_it_is()
    {
        await using LakeFsHarness lake = await StartAsync(ImportDialect.Released, o => o.ImportSticks = _ => true);
        Transaction started = await lake.StartAsync();
        lake.SetFaults("403=1,GET /api/v1/repositories/lake/branches/main");
        Assert.Equal(TransactionStatus.Canceled, (await lake.StopAsync(started)).Status);
        Assert.Contains("cannot be looked at", lake.Warnings[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_that_is_not_written_down_yet_is_cancelled_when_it_is()
    {
        await using LakeFsHarness lake = await StartAsync(
            ImportDialect.Released,
            o =>
            {
                (o.Version, o.RecordDelay) = ("1.73.0", TimeSpan.FromMilliseconds(300));
                o.BeforeCommit = () => Task.Delay(Timeout.Infinite);
            }
        );
        Transaction stopped = await lake.StopAsync(await lake.StartAsync());
        Assert.Equal(TransactionStatus.Canceled, stopped.Status);
    }

    [Fact]
    public async Task Stuck_import_can_be_cancelled()
    {
        await using LakeFsHarness lake = await StartAsync(ImportDialect.Released, o => o.ImportSticks = _ => true);
        Assert.Equal(TransactionStatus.Canceled, (await lake.StopAsync(await lake.StartAsync())).Status);
    }

    [Fact]
    public async Task Unknown_import_cannot_be_cancelled()
    {
        await using LakeFsHarness lake = await StartAsync(ImportDialect.Released);
        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            lake.StopAsync(TransactionSources.Parse("lakefs:lake/main/unknown").Transaction)
        );
        Assert.Equal((ErrorId.NotFound, "lakefs:lake/main/unknown"), (error.ErrorId, error.Target));
    }

    [Fact]
    public async Task Lost_answer_to_a_cancellation_is_asked_again()
    {
        await using LakeFsHarness lake = await StartAsync(ImportDialect.Released, o => o.ImportSticks = _ => true);
        Transaction started = await lake.StartAsync();
        lake.SetFaults("lost=1,DELETE /**/import");
        Assert.Equal(TransactionStatus.Canceled, (await lake.StopAsync(started)).Status);
        Assert.Equal(2, lake.Import(started).Cancellations);
    }

    [Fact]
    public async Task Missing_right_to_cancel_is_told()
    {
        await using LakeFsHarness lake = await StartAsync(
            ImportDialect.Released,
            o => (o.ImportSticks, o.DeniedActions) = (_ => true, ["fs:ImportCancel"])
        );
        Transaction started = await lake.StartAsync();
        Assert.Equal(ErrorId.NotAllowed, (await Assert.ThrowsAsync<IngestException>(() => lake.StopAsync(started))).ErrorId);
    }

    /// <summary>A cancellation takes two seconds by its clock, which goes twenty times as fast here.</summary>
    private static Task<LakeFsHarness> StartAsync(ImportDialect dialect, Action<LakeFsOptions>? configure = null) =>
        LakeFsHarness.StartAsync(
            options =>
            {
                LakeFsHarness.Speaking(dialect)(options);
                configure?.Invoke(options);
            },
            time: new QuickTime(20)
        );
}
