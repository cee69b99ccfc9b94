using System.Collections.Concurrent;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>The store in a PostgreSQL, without a daemon.</summary>
[Collection(KillsProcesses.Name)]
[Trait("kind", "process")]
public sealed class PostgresStoreTests
{
    [PostgresFact]
    public async Task Of_a_part_of_a_transaction_that_fails_nothing_is_kept_in_postgresql_too()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using PostgresDialect dialect = await postgres.OpenStoreAsync();
        SchedulerStore store = new(dialect, "this", "node");

        await store.WriteAsync(
            async session =>
            {
                await Assert.ThrowsAsync<FormatException>(() =>
                    session.PartAsync<int>(
                        async () =>
                        {
                            await WriteAsync(session, "half");
                            throw new FormatException();
                        },
                        CancellationToken.None
                    )
                );
                return await session.PartAsync(() => WriteAsync(session, "whole"), CancellationToken.None);
            },
            CancellationToken.None
        );

        Assert.Null(await store.ReadMetaAsync("half", CancellationToken.None));
        Assert.Equal("x", await store.ReadMetaAsync("whole", CancellationToken.None));

        static Task<int> WriteAsync(StoreSession session, string name) =>
            session.ExecuteAsync("INSERT INTO ingest_meta (name, value) VALUES (@name, 'x')", CancellationToken.None, ("name", name));
    }

    [PostgresFact]
    public async Task A_report_is_taken_by_one_of_several_nodes_and_forgotten_with_its_run_in_postgresql_too()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using PostgresDialect dialect = await postgres.OpenStoreAsync();
        SchedulerStore[] nodes = [.. Enumerable.Range(0, 4).Select(i => new SchedulerStore(dialect, $"{i}", $"{i}") { ReportsAll = true })];
        DateTimeOffset now = DateTimeOffset.UtcNow;
        const int count = 20;
        for (int i = 0; i < count; i++)
        {
            StoredRun run = new()
            {
                Name = "a",
                DueKey = $"a/{i}",
                DueAt = now,
                CompletedAt = now,
                Status = RunStatus.Missed,
                Host = "h",
                Load = new LoadDefinition { Kind = LoadKind.Import, Connection = "x" },
            };
            await nodes[0].WriteAsync(session => SchedulerStore.AddRunAsync(session, run, CancellationToken.None), CancellationToken.None);
        }

        List<StoredNotification>[] taken = await Task.WhenAll(
            nodes.Select(node => node.TakeNotificationsAsync(now, now.AddMinutes(2), count, CancellationToken.None))
        );

        List<StoredNotification> all = [.. taken.SelectMany(one => one)];
        Assert.Equal(count, all.Count);
        Assert.Equal(count, all.Select(one => one.Number).Distinct().Count());
        StoredNotification sent = all[0] with { State = NotificationState.Sent };
        await nodes[1].WriteNotificationAsync(sent, CancellationToken.None);
        await nodes[1].PostponeNotificationsAsync(sent, now.AddMinutes(3), CancellationToken.None);
        Assert.Equal("Sent", (await nodes[2].FindRunAsync(sent.Run, CancellationToken.None))!.Notification);
        Assert.False(await nodes[2].AreNotificationsDueAsync(now.AddMinutes(2.5), CancellationToken.None));
        Assert.True(await nodes[2].AreNotificationsDueAsync(now.AddMinutes(4), CancellationToken.None));
        Assert.Equal(count, await nodes[3].ForgetRunsAsync(now.AddDays(1), CancellationToken.None));
        Assert.False(await nodes[2].AreNotificationsDueAsync(now.AddMinutes(4), CancellationToken.None));
    }

    [PostgresFact]
    public async Task Servers_of_schedules_that_have_none_are_recorded_in_postgresql_too()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using PostgresDialect dialect = await postgres.OpenStoreAsync();
        SchedulerStore store = new(dialect, "this", "node");
        StoredSchedule with = Schedule("with", "http://one.example/");
        StoredSchedule without = Schedule("without", null);
        foreach (StoredSchedule schedule in new[] { with, without })
            await store.PutScheduleAsync(schedule, replace: false, CancellationToken.None);

        StoredSchedule found = Assert.Single(await store.ReadWithoutServerAfterAsync("", 10, CancellationToken.None)).Open();
        StoredSchedule named = found.WithServer("http://two.example/");
        int recorded = await store.RecordServersAsync([named, named with { Revision = "another" }], CancellationToken.None);
        int again = await store.RecordServersAsync([named.WithServer("http://three.example/")], CancellationToken.None);

        Assert.Equal((without.Key, 1, 0), (found.Key, recorded, again));
        Assert.Empty(await store.ReadWithoutServerAfterAsync("", 10, CancellationToken.None));
        Assert.Equal("http://one.example/", (await store.FindScheduleAsync("with", CancellationToken.None))!.Definition.Load.Server);
        Assert.Equal("http://two.example/", (await store.FindScheduleAsync("without", CancellationToken.None))!.Definition.Load.Server);

        static StoredSchedule Schedule(string name, string? server) =>
            new()
            {
                Revision = name,
                Definition = SchedulerHarness.Yearly(
                    name,
                    new LoadDefinition
                    {
                        Kind = LoadKind.Import,
                        Connection = "lake",
                        Server = server,
                        Message = "a \"server\": in a text",
                    }
                ),
            };
    }

    [PostgresFact]
    public async Task A_run_that_fails_while_its_schedule_is_unregistered_or_suspended_by_another_node_is_not_repeated()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using PostgresDialect dialect = await postgres.OpenStoreAsync();
        SchedulerStore store = new(dialect, "this", "node");
        DateTimeOffset now = DateTimeOffset.UtcNow;
        foreach (
            string change in (string[])
                ["DELETE FROM ingest_schedule", "UPDATE ingest_schedule SET status = 'Suspended'", "UPDATE ingest_schedule SET reason = ''"]
        )
        {
            LoadDefinition load = new() { Kind = LoadKind.Import, Connection = "lake" };
            StoredSchedule schedule = new()
            {
                Revision = Guid.NewGuid().ToString("N"),
                Definition = SchedulerHarness.Yearly("s", load) with { RetryFailed = 1 },
                RegisteredAt = now,
            };
            await store.PutScheduleAsync(schedule, replace: true, CancellationToken.None);
            StoredRun run = new()
            {
                Name = "s",
                DueKey = $"{schedule.Revision}/1",
                DueAt = now,
                Host = "h",
                Load = load,
            };
            long number = (
                await store.WriteAsync(session => SchedulerStore.AddRunAsync(session, run, CancellationToken.None), CancellationToken.None)
            )!.Value;
            run = (await store.TakeAsync(number, 4, now, CancellationToken.None))!;
            await using NpgsqlConnection other = new(postgres.Connection);
            await other.OpenAsync();
            await using NpgsqlTransaction changing = await other.BeginTransactionAsync();
            await using (NpgsqlCommand command = new(change, other, changing))
                Assert.Equal(1, await command.ExecuteNonQueryAsync());

            Task<(bool, StoredRun?)> ending = store.EndRunAsync(
                run with
                {
                    Status = RunStatus.Failed,
                    CompletedAt = now,
                },
                now,
                _ => "h",
                CancellationToken.None
            );
            await Until.TrueAsync(async () =>
                ending.IsCompleted || await postgres.CountAsync("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0
            );
            await changing.CommitAsync();

            (bool written, StoredRun? retry) = await ending;
            bool isRepeated = change.Contains("reason", StringComparison.Ordinal);
            Assert.Equal((true, isRepeated), (written, retry is not null));
        }
    }

    [PostgresFact]
    public async Task A_schedule_that_one_node_registers_changes_or_plans_is_notified_to_the_others()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using PostgresDialect dialect = await postgres.OpenStoreAsync();
        SchedulerStore one = new(dialect, "1", "one");
        SchedulerStore two = new(dialect, "2", "two");
        ConcurrentQueue<DateTimeOffset> heard = new();
        two.DueTimesAnnounced = times =>
        {
            foreach (DateTimeOffset time in times)
                heard.Enqueue(time);
            return Task.CompletedTask;
        };
        using DueTimeListener listener = new(two, TimeProvider.System, NullLogger<DueTimeListener>.Instance);
        await listener.StartAsync(CancellationToken.None);
        StoredSchedule schedule = new()
        {
            Revision = "r",
            Definition = SchedulerHarness.Yearly("s", new LoadDefinition { Kind = LoadKind.Import, Connection = "lake" }),
            NextDue = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero),
        };

        // Nobody tells when the listener listens, so what is heard is done until it is.
        await Until.TrueAsync(async () =>
        {
            await one.DeleteScheduleAsync("s", TimeProvider.System.GetUtcNow(), CancellationToken.None);
            await one.PutScheduleAsync(schedule, replace: false, CancellationToken.None);
            return heard.Contains(schedule.NextDue!.Value);
        });
        await MoveAsync();

        // What others say is not believed, and a connection that is lost is made again.
        Assert.Equal(1, await postgres.CountAsync("SELECT count(pg_notify('ingest_due', 'nonsense,,9999999999999999,-1'))"));
        const string end =
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'ingest-scheduler listens'";
        Assert.Equal(1, await postgres.CountAsync(end));
        await MoveAsync();
        Assert.All(heard, time => Assert.InRange(time.Year, 2027, 2200));

        await listener.StopAsync(CancellationToken.None);

        async Task MoveAsync()
        {
            DateTimeOffset before = schedule.NextDue!.Value;
            await Until.TrueAsync(async () =>
            {
                StoredSchedule moved = schedule with { NextDue = schedule.NextDue!.Value.AddHours(1) };
                Assert.True(await one.ChangeScheduleAsync(schedule, moved, CancellationToken.None));
                schedule = moved;
                return heard.Any(time => time > before);
            });
        }
    }
}
