using IngestTools.Connections;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>Changes of single properties of a schedule, and runs that repeat a failed one.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class ChangeScheduleTests
{
    [Fact]
    public async Task What_is_not_named_stays_and_the_next_time_is_planned_anew_only_where_the_time_changed()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        using SchedulerClient client = new(harness.Socket);
        await daemon.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "Nightly",
                Load = harness.DspLoad("0501"),
                Every = TimeSpan.FromDays(1),
                TimeZone = "UTC",
            }
        );
        BulkLoadSchedule before = Assert.Single(await daemon.SchedulesAsync());
        ScheduleDefinition was = before.Definition!;

        BulkLoadSchedule filtered = await ChangeAsync(client, "nightly", was, was with { Load = was.Load with { Include = ["*.txt"] } });
        BulkLoadSchedule zoned = await ChangeAsync(client, "nightly", was, was with { TimeZone = "Asia/Kathmandu" });
        BulkLoadSchedule retimed = await ChangeAsync(client, "nightly", was, was with { Every = null, Cron = "15 2 * * *" });
        BulkLoadSchedule preview = await client.PreviewChangeAsync(
            "nightly",
            ChangeRequest.Between(retimed.Definition!, retimed.Definition! with { Cron = "15 3 * * *" }),
            CancellationToken.None
        );

        Assert.Equal(before.NextRuns[0], filtered.NextRuns[0]);
        Assert.Equal((before.RegisteredAt, "*.txt"), (filtered.RegisteredAt, Assert.Single(filtered.Definition!.Load.Include!)));
        Assert.Equal(before.NextRuns[0], zoned.NextRuns[0]);
        Assert.Equal("15 2 * * *", retimed.Definition!.Cron);
        Assert.Null(retimed.Definition.Every);
        // 02:15 in the zone that an earlier change gave it, with the filter that another one gave it.
        Assert.Equal((20, 30), (retimed.NextRunUtc!.Value.Hour, retimed.NextRunUtc.Value.Minute));
        Assert.Equal("*.txt", Assert.Single(retimed.Definition.Load.Include!));
        Assert.Equal(was.Load.Shortcode, retimed.Definition.Load.Shortcode);
        Assert.Equal("15 3 * * *", preview.Definition!.Cron);
        Assert.Equal("15 2 * * *", Assert.Single(await daemon.SchedulesAsync()).Definition!.Cron);
    }

    [Fact]
    public async Task A_suspended_schedule_stays_suspended_and_what_cannot_be_is_refused()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        using SchedulerClient client = new(harness.Socket);
        ScheduleDefinition was = (await daemon.RegisterAsync(SchedulerHarness.Yearly("s", harness.DspLoad("0502")))).Definition!;
        await client.SuspendAsync("s", new SuspendRequest("moving", "ann"), CancellationToken.None);

        BulkLoadSchedule changed = await ChangeAsync(client, "s", was, was with { Cron = "0 4 * * *" });

        Assert.Equal((ScheduleStatus.Suspended, "moving (ann)", "0 4 * * *"), (changed.Status, changed.Reason, changed.Definition!.Cron));
        Assert.Equal(4, (await client.ResumeAsync("s", CancellationToken.None)).NextRunUtc!.Value.Hour);
        (ScheduleDefinition Bad, ErrorId Id, string Told)[] cases =
        [
            (was with { Cron = "61 * * * *" }, ErrorId.InvalidSchedule, "cron"),
            (was with { Cron = null, At = DateTimeOffset.UtcNow.AddMinutes(-1) }, ErrorId.InvalidSchedule, "has passed"),
            (was with { Every = TimeSpan.FromHours(1) }, ErrorId.InvalidSchedule, "One of"),
            (was with { Name = "other" }, ErrorId.InvalidSchedule, "name"),
            (was with { RetryAfter = TimeSpan.FromMinutes(1) }, ErrorId.InvalidSchedule, "-RetryAfter without"),
            (was with { RetryFailed = 1000 }, ErrorId.InvalidSchedule, "1000"),
            (was with { Load = was.Load with { Exclude = ["a/b"] } }, ErrorId.InvalidSchedule, "slash"),
            (was with { Load = was.Load with { Path = "/no/such/folder" } }, ErrorId.FileNotFound, "/no/such/folder"),
            (was with { Load = was.Load with { Connection = "nobody", Server = null } }, ErrorId.NoConnection, "nobody"),
            (was with { Load = was.Load with { Connection = "ica", Server = null } }, ErrorId.InvalidSchedule, "Ica"),
        ];
        foreach ((ScheduleDefinition bad, ErrorId id, string told) in cases)
        {
            IngestException error = await Assert.ThrowsAsync<IngestException>(() => ChangeAsync(client, "s", was, bad));
            Assert.True(error.ErrorId == id && error.Message.Contains(told, StringComparison.Ordinal), $"{told}: {error}");
            Assert.NotNull(error.Advice);
        }

        IngestException missing = await Assert.ThrowsAsync<IngestException>(() =>
            ChangeAsync(client, "t", was, was with { Cron = "0 5 * * *" })
        );
        Assert.Equal(ErrorId.NotFound, missing.ErrorId);
    }

    [Fact]
    public async Task A_workbook_is_copied_anew_only_where_it_is_named_and_a_connection_brings_its_server()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        using SchedulerClient client = new(harness.Socket);
        ScheduleDefinition was = (await daemon.RegisterAsync(SchedulerHarness.Yearly("users", harness.VossLoad("users.xlsx")))).Definition!;
        File.Delete(was.Load.Path!);
        Uri elsewhere = new UriBuilder(harness.Sandbox.Uri) { Host = "localhost" }.Uri;
        harness.Save(
            new ConnectionProfile
            {
                Name = "voss2",
                Service = IngestService.Voss,
                Uri = elsewhere,
                SignIn = SignInKind.Password,
                UserName = SchedulerHarness.VossUser,
                SecretFrom = "env:SCHEDULER_TEST_TOKEN",
            }
        );

        BulkLoadSchedule moved = await ChangeAsync(
            client,
            "users",
            was,
            was with
            {
                Load = was.Load with { Connection = "voss2", Server = null, Again = true },
            }
        );
        BulkLoadRun fromCopy = await daemon.EndOfAsync((await daemon.StartRunAsync("users")).Id);
        string other = harness.VossLoad("others.xlsx").Path!;
        await client.ChangeAsync(
            "users",
            ChangeRequest.Between(was, was with { Load = was.Load with { Path = other } }) with
            {
                CopyInput = true,
            },
            CancellationToken.None
        );
        File.Delete(other);
        BulkLoadRun fromOther = await daemon.EndOfAsync((await daemon.StartRunAsync("users")).Id);

        Assert.Equal(elsewhere.AbsoluteUri, moved.Server);
        Assert.True(fromCopy.Status == RunStatus.Succeeded, fromCopy.Message);
        Assert.StartsWith("users-", fromCopy.RemoteName, StringComparison.Ordinal);
        Assert.True(fromOther.Status == RunStatus.Succeeded, fromOther.Message);
        Assert.StartsWith("others-", fromOther.RemoteName, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_run_is_repeated_by_the_next_scheduler_and_its_log_says_so()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        LoadDefinition load = harness.DspLoad("0503");
        await first.RegisterAsync(SchedulerHarness.Yearly("retried", load) with { RetryFailed = 50, RetryAfter = TimeSpan.FromSeconds(1) });
        string away = load.Path + "-away";
        Directory.Move(load.Path!, away);

        BulkLoadRun failed = await first.EndOfAsync((await first.StartRunAsync("retried")).Id);
        // The log says so just after the status does.
        await first.UntilAsync(failed.Id, run => run.Log!.Any(IsRunAgain));
        await first.KillAsync();
        Directory.Move(away, load.Path!);
        SchedulerProcess second = await harness.RunAsync();
        List<BulkLoadRun> runs = await second.UntilAsync(() => second.RunsAsync("?status=Succeeded"), runs => runs.Count == 1);

        Assert.Equal((RunStatus.Failed, 1), (failed.Status, failed.Attempt));
        Assert.True(runs[0].Attempt > 1, runs[0].ToString());
        Assert.Equal((failed.Id, true), (runs[0].RetryOf, runs[0].Manual));
        Assert.Contains(
            (await second.RunAsync(runs[0].Id)).Log!,
            line => line.Message!.EndsWith($"of {failed.Id}, which failed.", StringComparison.Ordinal)
        );
        Assert.Contains((await second.RunAsync(failed.Id)).Log!, IsRunAgain);
        Assert.Equal(1, harness.Sandbox.DspIngest.Project("0503").Runs);

        static bool IsRunAgain(TransactionLogEntry line) => line.Message!.StartsWith("It is run again as run:", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_with_again_sends_and_ingests_what_the_journal_knows()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        using SchedulerClient client = new(harness.Socket);
        await daemon.RegisterAsync(SchedulerHarness.Yearly("s", harness.DspLoad("0504")));
        await daemon.EndOfAsync((await daemon.StartRunAsync("s")).Id);
        BulkLoadRun unchanged = await daemon.EndOfAsync((await daemon.StartRunAsync("s")).Id);

        BulkLoadRun again = await daemon.EndOfAsync((await client.StartAsync("s", again: true, CancellationToken.None)).Id);

        Assert.Empty(unchanged.TransactionIds);
        Assert.True((again.Status, again.Completed) == (RunStatus.Succeeded, 2), again.Message);
        Assert.Equal(2, harness.Sandbox.DspIngest.Project("0504").Runs);
        Assert.False(Assert.Single(await daemon.SchedulesAsync()).Definition!.Load.Again);
    }

    private static Task<BulkLoadSchedule> ChangeAsync(
        SchedulerClient client,
        string name,
        ScheduleDefinition was,
        ScheduleDefinition now
    ) => client.ChangeAsync(name, ChangeRequest.Between(was, now), CancellationToken.None);
}
