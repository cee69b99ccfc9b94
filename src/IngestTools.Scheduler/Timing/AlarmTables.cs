using System.Data.Common;
using System.Reflection;
using IngestTools.Scheduler.Hosting;
using IngestTools.Scheduler.Store;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Quartz;

namespace IngestTools.Scheduler.Timing;

/// <summary>
/// Quartz's own tables. Quartz makes them and never changes them, and its releases need others; so what another version made is thrown
/// away, and made anew from the schedules, of which it holds nothing that the store has not.
/// </summary>
internal static class AlarmTables
{
    private const string VersionName = "quartz";

    /// <summary>Not Quartz's own: another program of the same database may use Quartz too.</summary>
    private const string TablePrefix = "ingest_qrtz_";

    /// <summary>So many alarms are rung at once; each takes a few milliseconds.</summary>
    private const int AlarmsAtOnce = 8;

    /// <summary>How often Quartz looks for triggers of other nodes.</summary>
    private static readonly TimeSpan IdleWait = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan ClusterIdleWait = TimeSpan.FromSeconds(5);

    private static string Version =>
        typeof(IScheduler).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Throws away what another version of Quartz made.</summary>
    /// <exception cref="StoreException">Other nodes use it right now.</exception>
    public static async Task PrepareAsync(StoreDialect dialect, DaemonOptions command, ILogger logger, CancellationToken cancellationToken)
    {
        SchedulerStore store = new(dialect, "", command.Node);
        string? made = await store.ReadMetaAsync(VersionName, cancellationToken);
        if (made == Version)
            return;
        if (made is not null)
        {
            if (dialect.IsShared && await store.CountOtherNodesAsync(command.TakeOverAfter, cancellationToken) > 0)
                throw new StoreException(
                    $"Nodes of another version (Quartz {made}, this one has {Version}) work on {dialect.Place}. Stop them all before "
                        + $"the first of this version starts."
                );
            logger.LogInformation(
                "The alarms were made by Quartz {Made}; this is {Version}, so they are created again from the schedules.",
                made,
                Version
            );
            if (dialect is SqliteDialect sqlite)
                await RemoveFilesAsync(sqlite, cancellationToken);
            else
                await DropTablesAsync(store, cancellationToken);
        }

        await store.WriteMetaAsync(VersionName, Version, cancellationToken);
    }

    public static void AddQuartz(IServiceCollection services, StoreDialect dialect, DaemonOptions command) =>
        services.AddQuartz(quartz =>
        {
            quartz.ConfigureScheduler(options =>
            {
                options.InstanceName = "ingest-scheduler";
                options.InstanceId = command.Node;
                options.IdleWaitTime = dialect.IsShared ? ClusterIdleWait : IdleWait;
                options.MaxBatchSize = AlarmsAtOnce;
            });
            quartz.UseDefaultThreadPool(AlarmsAtOnce);
            quartz.UsePersistentStore(store =>
            {
                if (dialect.IsShared)
                {
                    store.UsePostgres(NpgsqlFactory.Instance, dialect.AlarmConnection);
                    store.UseClustering(cluster =>
                    {
                        cluster.CheckinInterval = command.TakeOverAfter / 4;
                        cluster.CheckinMisfireThreshold = command.TakeOverAfter / 2;
                    });
                }
                else
                {
                    store.UseSqlite(SqliteFactory.Instance, dialect.AlarmConnection);
                }

                store.ConfigureStore(options =>
                {
                    options.TablePrefix = TablePrefix;
                    options.MisfireThreshold = Runs.RunPlanner.Grace;
                });
                store.ProvisionSchema();
            });
        });

    private static async Task RemoveFilesAsync(SqliteDialect dialect, CancellationToken cancellationToken)
    {
        SqliteFiles.Remove(dialect.AlarmPath);
        await SqliteDialect.UseWriteAheadLogAsync(dialect.AlarmConnection, cancellationToken);
    }

    private static async Task DropTablesAsync(SchedulerStore store, CancellationToken cancellationToken)
    {
        List<string> tables = await store.ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE @prefix",
                    (DbDataReader row) => row.GetString(0),
                    cancellationToken,
                    ("prefix", TablePrefix.Replace("_", @"\_", StringComparison.Ordinal) + "%")
                ),
            cancellationToken
        );
        await store.WriteAsync(
            async session =>
            {
                foreach (string table in tables)
                    await session.ExecuteAsync($"DROP TABLE \"{table}\" CASCADE", cancellationToken);
                return tables.Count;
            },
            cancellationToken
        );
    }
}
