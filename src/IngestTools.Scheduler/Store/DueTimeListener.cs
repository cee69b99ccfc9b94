using System.Data.Common;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace IngestTools.Scheduler.Store;

/// <summary>
/// Hears of the schedules that other nodes register and change. A notification that is lost costs nothing but time: the table is polled
/// too.
/// </summary>
internal sealed class DueTimeListener(SchedulerStore store, TimeProvider time, ILogger<DueTimeListener> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <remarks>A store that is not shared has nobody to listen to.</remarks>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (store.Dialect is not PostgresDialect database)
            return;
        bool isLost = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using NpgsqlConnection connection = await database.ListenAsync(stoppingToken);
                if (isLost)
                    logger.LogInformation("Changes that other nodes make are notified again.");
                isLost = false;
                await ListenAsync(connection, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
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

            await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
    private static IEnumerable<DateTimeOffset> Parse(string times)
    {
        foreach (string text in times.Split(','))
        {
            if (
                long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long at)
                && at <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            )
                yield return DateTimeOffset.FromUnixTimeMilliseconds(at);
        }
    }
}
