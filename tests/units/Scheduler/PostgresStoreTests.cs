using IngestTools.Scheduler.Store;
using IngestTools.Units.Support;
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
        await using PostgresDialect dialect = new(postgres.Connection);
        await StoreSchema.ProvideAsync(dialect, CancellationToken.None);
        SchedulerStore store = new(dialect, "this", "node");

        await store.WriteAsync(
            async session =>
            {
                await Assert.ThrowsAsync<FormatException>(() => session.PartAsync<int>(
                    async () =>
                    {
                        await WriteAsync(session, "half");
                        throw new FormatException();
                    },
                    CancellationToken.None));
                return await session.PartAsync(() => WriteAsync(session, "whole"), CancellationToken.None);
            },
            CancellationToken.None);

        Assert.Null(await store.ReadMetaAsync("half", CancellationToken.None));
        Assert.Equal("x", await store.ReadMetaAsync("whole", CancellationToken.None));

        static Task<int> WriteAsync(StoreSession session, string name) =>
            session.ExecuteAsync("INSERT INTO ingest_meta (name, value) VALUES (@name, 'x')", CancellationToken.None, ("name", name));
    }
}
