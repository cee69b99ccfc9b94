using System.Data.Common;
using System.Text.Json;
using System.Threading.Channels;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Notifications;

/// <summary>
/// Sends the reports that the store has, beside the runs: none waits for a report. A report may be sent twice where this daemon is killed
/// in between; the number of its run is the same then.
/// </summary>
internal sealed class NotificationSender : BackgroundService
{
    /// <summary>The maximum number of reports that are sent at the same time.</summary>
    private const int MaxConcurrent = 8;

    /// <summary>Reports are looked for when one is added, and after this time: of another node, or to be tried again.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Longer than any attempt takes. A report of a daemon that was killed is sent again after it.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    private readonly SchedulerStore _store;
    private readonly NotificationOptions _options;
    private readonly WebhookSender _webhooks;
    private readonly TimeProvider _time;
    private readonly ILogger<NotificationSender> _logger;

    private readonly Channel<bool> _added = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    private string? _trouble;

    public NotificationSender(SchedulerStore store, NotificationOptions options, TimeProvider time, ILogger<NotificationSender> logger)
    {
        _store = store;
        _options = options;
        _webhooks = new WebhookSender(options, time);
        _time = time;
        _logger = logger;
        store.NotificationsAdded = () => _added.Writer.TryWrite(true);
    }

    public override void Dispose()
    {
        _webhooks.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                while (await SendDueAsync(stoppingToken)) { }
                _trouble = null;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                if (_trouble != e.Message)
                    _logger.LogError("Reports cannot be sent: {Reason}", e.Message);
                _trouble = e.Message;
            }

            await WaitAsync(stoppingToken);
        }
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(_added.Reader.WaitToReadAsync(waiting.Token).AsTask(), Task.Delay(Interval, _time, waiting.Token));
        await waiting.CancelAsync();
        _added.Reader.TryRead(out _);
    }

    /// <summary>Sends what is due; false where nothing is.</summary>
    private async Task<bool> SendDueAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = _time.GetUtcNow();
        // Most of the time nothing is due, and then nothing is written.
        if (!await _store.AreNotificationsDueAsync(now, cancellationToken))
            return false;
        List<StoredNotification> due = await _store.TakeNotificationsAsync(now, now + Lease, MaxConcurrent, cancellationToken);
        await Task.WhenAll(due.Select(notification => SendAsync(notification, cancellationToken)));
        return due.Count > 0;
    }

    private async Task SendAsync(StoredNotification notification, CancellationToken cancellationToken)
    {
        if (await _store.FindRunAsync(notification.Run, cancellationToken) is not { } run)
            return;
        SendOutcome outcome = await SendAsync(notification, run, cancellationToken);
        bool isOver = outcome.IsFinal || notification.Attempts > _options.Pauses.Count;
        TimeSpan pause = isOver ? TimeSpan.Zero : _options.Pauses[Math.Max(0, notification.Attempts - 1)];
        DateTimeOffset now = _time.GetUtcNow();
        StoredNotification written = notification with
        {
            State =
                outcome.Reason is null ? NotificationState.Sent
                : isOver ? NotificationState.Failed
                : NotificationState.Pending,
            DueAt = now + pause,
            Reason = outcome.Reason,
        };
        // Sent is sent, whatever ends now.
        await _store.WriteNotificationAsync(written, CancellationToken.None);
        if (outcome.Reason is not null && !outcome.IsFinal)
            await _store.PostponeNotificationsAsync(notification, now + _options.Pauses[0], cancellationToken);
        Log(written, run, pause);
    }

    private async Task<SendOutcome> SendAsync(StoredNotification notification, StoredRun run, CancellationToken cancellationToken)
    {
        ScheduleDefinition? definition = (await _store.FindRowAsync(run.Name, cancellationToken))?.Schedule?.Definition;
        if (definition is not null && !IsTargetOf(definition, notification))
            return new SendOutcome("The schedule was changed, and no longer reports there.", IsFinal: true);
        byte[] body = RunReport.Write(run, await _store.ReadLogAsync(run.Number, cancellationToken), definition?.TimeZone);
        try
        {
            return notification.Kind == NotificationKind.Command
                ? await CommandRunner.RunAsync(CommandOf(notification), body, _options.CommandLimit, cancellationToken)
                : await _webhooks.SendAsync(notification.Target ?? _options.Uri!, body, cancellationToken);
        }
        catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException or DbException))
        {
            // Whatever a target does, it ends its own report alone.
            return new SendOutcome(e.Message, IsFinal: false);
        }
    }

    /// <summary>Whether a schedule still reports there. Somebody may have removed the address, or put it right.</summary>
    private static bool IsTargetOf(ScheduleDefinition definition, StoredNotification notification) =>
        notification.Kind switch
        {
            NotificationKind.Uri => definition.NotifyUri == notification.Target,
            NotificationKind.Command => definition.NotifyCommand?.SequenceEqual(CommandOf(notification)) == true,
            _ => true,
        };

    private static string[] CommandOf(StoredNotification notification) =>
        JsonSerializer.Deserialize(notification.Target!, LoadJson.Default.StringArray)!;

    private string Describe(StoredNotification notification) =>
        notification.Kind == NotificationKind.Command
            ? CommandOf(notification)[0]
            : NotificationAddress.Describe(notification.Target ?? _options.Uri!);

    private void Log(StoredNotification notification, StoredRun run, TimeSpan pause)
    {
        string target = Describe(notification);
        switch (notification.State)
        {
            case NotificationState.Sent:
                _logger.LogInformation("{Run} of '{Name}': {Status} was reported to {Target}.", run.Id, run.Name, run.Status, target);
                break;
            case NotificationState.Failed:
                _logger.LogError(
                    "{Run} of '{Name}': {Status} could not be reported to {Target}. {Reason}",
                    run.Id,
                    run.Name,
                    run.Status,
                    target,
                    notification.Reason
                );
                break;
            default:
                _logger.LogWarning(
                    "{Run} of '{Name}': {Status} could not be reported to {Target}; it is tried again in {Pause}. {Reason}",
                    run.Id,
                    run.Name,
                    run.Status,
                    target,
                    pause,
                    notification.Reason
                );
                break;
        }
    }
}
