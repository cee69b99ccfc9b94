using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Microsoft.Data.Sqlite;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>A daemon that is told to end while it cannot write.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class StoppingTests
{
    [Fact]
    public async Task Sigterm_ends_it_also_while_another_program_holds_its_store_and_nothing_is_lost_or_doubled()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync(options =>
            options.DspIngest.BeforeIngest = _ => gate.Task
        );
        SchedulerProcess first = await harness.RunAsync();
        string[] shortcodes = ["0050", "0051", "0052"];
        List<string> ids = [];
        foreach (string shortcode in shortcodes)
        {
            await first.RegisterAsync(SchedulerHarness.Yearly(shortcode, harness.DspLoad(shortcode)));
            ids.Add((await first.StartRunAsync(shortcode)).Id);
        }

        foreach (string id in ids)
            await first.UntilAsync(id, run => run.Status == RunStatus.Running);
        await first.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "book",
                Load = harness.VossLoad("book.xlsx"),
                Every = TimeSpan.FromSeconds(1),
                Overlap = Overlap.Queue,
            }
        );
        await first.UntilAsync(() => first.RunsAsync("?name=book&status=Succeeded"), runs => runs.Count > 0);
        using (
            SqliteConnection other = new(
                new SqliteConnectionStringBuilder { DataSource = Path.Join(harness.Store, "scheduler.db"), Pooling = false }.ToString()
            )
        )
        {
            other.Open();
            using SqliteTransaction writing = other.BeginTransaction(deferred: false);
            // All that could be written waits for the other program: what comes due, where runs stand, and how they ended.
            gate.SetResult();
            await first.UntilAsync(() => Task.FromResult(first.Log), log => log.Contains("database is locked", StringComparison.Ordinal));
            Assert.Equal(0, await first.TerminateAsync());
        }

        Assert.Contains("The scheduler ends", first.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("disposed", first.Log, StringComparison.Ordinal);
        SchedulerProcess second = await harness.RunAsync();
        foreach (string id in ids)
            Assert.Equal(RunStatus.Succeeded, (await second.EndOfAsync(id)).Status);
        Assert.All(shortcodes, shortcode => Assert.Equal(1, harness.Sandbox.DspIngest.Project(shortcode).Runs));
        using (HttpResponseMessage deleted = await second.Http.DeleteAsync("schedules/book"))
            Assert.True(deleted.IsSuccessStatusCode);
        List<BulkLoadRun> books = await second.UntilAsync(
            () => second.RunsAsync("?name=book"),
            runs => runs.TrueForAll(run => run.IsTerminal)
        );
        Assert.Equal(books.Count, books.Select(run => run.DueAt).Distinct().Count());
        Assert.All(
            books,
            run => Assert.True(run.Status is RunStatus.Succeeded or RunStatus.Missed, $"{run.Id} {run.Status} {run.Message}")
        );
        Assert.Equal(
            books.Count(run => run.Status == RunStatus.Succeeded),
            harness.Sandbox.Voss.Transactions.Count(load => load.FileName!.StartsWith("book-", StringComparison.Ordinal))
        );
    }

    [FactExceptOn("windows", "Windows moves no folder whose files are open.")]
    public async Task Sigterm_ends_it_without_an_exception_although_its_folder_was_moved()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("moved", harness.DspLoad("0054")));
        Directory.Move(harness.Store, harness.Store + " elsewhere");

        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.Contains("The socket could not be deleted", daemon.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", daemon.Log, StringComparison.Ordinal);

        Directory.Move(harness.Store + " elsewhere", harness.Store);
        SchedulerProcess again = await harness.RunAsync();
        Assert.Equal("moved", Assert.Single(await again.SchedulesAsync()).Name);
    }
}
