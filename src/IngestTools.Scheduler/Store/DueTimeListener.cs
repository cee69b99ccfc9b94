using System.Data.Common;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace IngestTools.Scheduler.Store;

/// <summary>
/// Hears of the schedules that other nodes register and change. A notification that is lost costs nothing but time: the table is polled
/// too.
/// </summary>
internal sealed class DueTimeListener(SchedulerStore store, TimeProvider time, ILogger<DueTimeListener> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>Listens until it is cancelled. A store that is not shared has nobody to listen to.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (store.Dialect is not PostgresDialect database)
            return;
        bool isLost = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await using NpgsqlConnection connection = await database.ListenAsync(cancellationToken);
                if (isLost)
                    logger.LogInformation("Changes that other nodes make are notified again.");
                isLost = false;
                await ListenAsync(connection, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DbException or IOException)
            {
                if (!isLost)
                    logger.LogWarning(
                        "Changes that other nodes make are not notified, and are seen some seconds later: {Reason}",
                        e.Message
                    );
                isLost = true;
            }

            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ListenAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        List<DateTimeOffset> due = [];
        connection.Notification += (_, notification) => due.AddRange(Parse(notification.Payload));
        while (true)
        {
            await connection.WaitAsync(cancellationToken);
            await store.AnnounceAsync([.. due]);
            due.Clear();
        }
    }

    /// <summary>Anybody who may connect to the database may notify: what is not a time is left out.</summary>
    private static IEnumerable<DateTimeOffset> Parse(string times) =>
        from text in times.Split(',')
        where
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long at)
            && at <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
        select DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(text, CultureInfo.InvariantCulture));
}
