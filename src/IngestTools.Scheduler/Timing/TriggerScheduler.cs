using System.Globalization;
using IngestTools.Scheduler.Store;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Quartz;

namespace IngestTools.Scheduler.Timing;

/// <summary>
/// Quartz in memory: one trigger for each time at which a schedule is due, set from the store's table and changed with it. What is due is
/// read from the table when a trigger fires, so one that is lost, late or fires twice changes nothing.
/// </summary>
/// <remarks>
/// Only the next times are set, and more as they come near: ten thousand triggers take 80 MB. A change of the table is announced when it is
/// committed, by this node or by another.
/// </remarks>
internal sealed class TriggerScheduler(ISchedulerFactory factory, SchedulerStore store, TimeProvider time, ILogger<TriggerScheduler> logger)
    : IDisposable
{
    /// <summary>The number of triggers at a time: they take 8 MB.</summary>
    public const int MaxTriggers = 1000;

    /// <summary>What is due later is not set yet.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromHours(1);

    /// <summary>How far ahead the table is read at each poll: some polls, so that an announcement that is lost costs no time.</summary>
    private static readonly TimeSpan PollAhead = TimeSpan.FromSeconds(15);

    /// <summary>The number of jobs at a time. The first of those that fire together plans what is due for all.</summary>
    private const int MaxJobs = 2;

    private static readonly JobKey Job = new("plan");

    private readonly SemaphoreSlim _gate = new(1);
    private readonly SortedSet<DateTimeOffset> _set = [];

    /// <summary>Up to this time all that the table has is set.</summary>
    private DateTimeOffset _horizon = DateTimeOffset.MinValue;

    private IScheduler? _scheduler;

    /// <summary>The number of triggers that are set.</summary>
    public int Count => _set.Count;

    /// <summary>Adds Quartz to the services, and the job that its triggers fire.</summary>
    /// <typeparam name="TJob">Plans what is due.</typeparam>
    public static void AddQuartz<TJob>(IServiceCollection services)
        where TJob : class, IJob
    {
        services.AddQuartz(quartz =>
        {
            quartz.ConfigureScheduler(options => options.InstanceName = "ingest-scheduler");
            quartz.UseDefaultThreadPool(MaxJobs);
            quartz.UseInMemoryStore();
            quartz.AddJob<TJob>(job => job.WithIdentity(Job).StoreDurably());
        });
        services.AddQuartzHostedService(options => options.WaitForJobsToComplete = true);
    }

    /// <summary>Sets the triggers of the next times, and from now on those of times that are announced.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _scheduler = await factory.GetScheduler(cancellationToken);
        store.DueTimesAnnounced = SetAnnouncedAsync;
        await PollAsync(cancellationToken);
    }

    /// <summary>Sets what comes near, and what was not announced.</summary>
    public async Task PollAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            DateTimeOffset now = time.GetUtcNow();
            Forget(now);
            bool isNear = now + PollAhead >= _horizon;
            // What is announced while the table is read is set too.
            if (isNear)
                _horizon = now + Window;
            DateTimeOffset until = isNear ? _horizon : now + PollAhead;
            foreach (DateTimeOffset due in await store.ReadDueTimesAsync(now, until, MaxTriggers + 1, cancellationToken))
                await SetAsync(due, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Sets more where the last trigger that was set has fired.</summary>
    public Task ContinueAsync(CancellationToken cancellationToken) =>
        time.GetUtcNow() >= _horizon ? PollAsync(cancellationToken) : Task.CompletedTask;

    public void Dispose() => _gate.Dispose();

    /// <summary>
    /// Sets the triggers of a change that is committed. It stands although that fails, as it does while the scheduler stops: what is due is
    /// polled.
    /// </summary>
    private async Task SetAnnouncedAsync(IReadOnlyCollection<DateTimeOffset> due)
    {
        await _gate.WaitAsync(CancellationToken.None);
        try
        {
            Forget(time.GetUtcNow());
            foreach (DateTimeOffset at in due)
                await SetAsync(at, CancellationToken.None);
        }
        catch (SchedulerException e)
        {
            logger.LogDebug("A trigger was not set: {Reason}", e.Message);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task SetAsync(DateTimeOffset due, CancellationToken cancellationToken)
    {
        if (due > _horizon || !_set.Add(due))
            return;
        IScheduler scheduler = _scheduler!;
        ITrigger trigger = TriggerBuilder.Create(time).WithIdentity(KeyOf(due)).ForJob(Job).StartAt(due).Build();
        await scheduler.ScheduleTrigger(trigger, TriggerConflict.Replace, cancellationToken);
        if (_set.Count <= MaxTriggers)
            return;
        // Too many: the latest waits until it is near.
        DateTimeOffset latest = _set.Max;
        _set.Remove(latest);
        await scheduler.UnscheduleJob(KeyOf(latest), cancellationToken);
        _horizon = _set.Max;
    }

    /// <summary>What has passed has fired, or is planned by the poll of what is overdue.</summary>
    private void Forget(DateTimeOffset now)
    {
        while (_set.Count > 0 && _set.Min <= now)
            _set.Remove(_set.Min);
    }

    private static TriggerKey KeyOf(DateTimeOffset due) => new(due.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
}
